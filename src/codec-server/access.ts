/**
 * Who may use the codec server: whoever knows its token. Programs send it with each request. Temporal's UI cannot do that,
 * so people exchange it for a cookie, once for twelve hours.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const COOKIE = 'onward-codec';
const SESSION_SECONDS = 12 * 3600;
/** Shorter tokens could be guessed. */
export const SHORTEST_TOKEN = 16;

export class Access {
  private readonly token: Buffer;
  /** Digest of a cookie -> when it ends, in milliseconds since 1970. */
  private readonly sessions = new Map<string, number>();

  constructor(
    token: string,
    private readonly now: () => number = Date.now,
  ) {
    this.token = digest(token);
  }

  /** @param authorization `Bearer <token>` */
  allowsToken(authorization: string | undefined): boolean {
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    return given !== undefined && this.isToken(given);
  }

  /** @param cookies header `Cookie` of a browser that signed in */
  allowsCookie(cookies: string | undefined): boolean {
    const given = new RegExp(`(?:^|; *)${COOKIE}=([\\w-]+)`).exec(cookies ?? '')?.[1];
    const ends = given === undefined ? undefined : this.sessions.get(digest(given).toString('hex'));
    return ends !== undefined && ends > this.now();
  }

  /** Header `Set-Cookie` for a browser that gave the token; undefined for any other. */
  signIn(token: string): string | undefined {
    if (!this.isToken(token)) return undefined;
    for (const [cookie, ends] of this.sessions) if (ends <= this.now()) this.sessions.delete(cookie);
    const cookie = randomBytes(32).toString('base64url');
    this.sessions.set(digest(cookie).toString('hex'), this.now() + SESSION_SECONDS * 1000);
    return `${COOKIE}=${cookie}; Path=/; Max-Age=${SESSION_SECONDS}; HttpOnly; SameSite=Strict`;
  }

  /** In constant time: digests are compared, which are of one length and say nothing about what they were made of. */
  private isToken(given: string): boolean {
    return timingSafeEqual(digest(given), this.token);
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
