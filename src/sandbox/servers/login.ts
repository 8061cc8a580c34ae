/** HTTP Basic authentication of the two XML-RPC systems (systems.md 1.1). */
import { timingSafeEqual } from 'node:crypto';
import type { Login } from '../world/state';

/** A system without a login lets every caller in, as one does that trusts the caller's network. */
export function mayEnter(login: Login | undefined, authorization: string | undefined): boolean {
  if (!login) return true;
  const expected = Buffer.from(Buffer.from(`${login.user}:${login.password}`).toString('base64'));
  const given = Buffer.from(/^basic +(\S+)\s*$/i.exec(authorization ?? '')?.[1] ?? '');
  return given.length === expected.length && timingSafeEqual(given, expected);
}
