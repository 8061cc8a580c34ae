/** Tokens of the APS controller (systems.md 2.1). They live in memory: after a restart every token is unknown. */
import { randomBytes } from 'node:crypto';
import type { World } from '../world/world';

export class ApsTokens {
  private readonly issued = new Map<string, { provider: string; expiresAt: number }>();

  constructor(private readonly world: World) {}

  issue(provider: string): string {
    const token = Buffer.concat([Buffer.from('$AES-128-CBC$'), randomBytes(48)]).toString('base64');
    this.issued.set(token, { provider, expiresAt: this.world.now() + this.world.timings.apsTokenMs });
    return token;
  }

  /** What the controller says against the token; `undefined` where it is good. */
  objection(provider: string, token: string | undefined): string | undefined {
    const known = token === undefined ? undefined : this.issued.get(token);
    if (known?.provider !== provider) return 'Authentication Failed';
    return known.expiresAt <= this.world.now() ? 'Token expired' : undefined;
  }

  /** Every token issued so far is expired. */
  expireAll(): void {
    for (const token of this.issued.values()) token.expiresAt = 0;
  }
}
