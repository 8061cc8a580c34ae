/** What a workflow gets to know of an entry: all but addresses, secret references and targets, and a digest of each field. */
import { createHash } from 'node:crypto';
import { frozenProfile, type EntryDigests, type FrozenProfile } from '../contract/entry';
import type { ProviderProfile } from '../contract/provider';

export const frozen = (profile: ProviderProfile): FrozenProfile =>
  frozenProfile.parse({ ...profile, digests: digestsOf(profile) });

/** What an upgrade may do well without knowing: how it is called, how patient it is, and whom it tells. */
const ASIDE = ['provider', 'name', 'labels', 'reminders', 'notify', 'timings'] as const;
/** Parts whose fields have digests of their own. */
const PARTS = ['operations', 'aps', 'billing', 'taskMonitor', 'connectionTest'] as const;

export function digestsOf(profile: ProviderProfile): EntryDigests {
  const fields: Record<string, unknown> = Object.fromEntries(
    Object.entries(profile).filter(([name]) => ![...ASIDE, ...PARTS, 'packages'].some((other) => other === name)),
  );
  for (const part of PARTS) Object.assign(fields, within(part, profile[part]));
  for (const [version, source] of Object.entries(profile.packages))
    Object.assign(fields, within(`packages.${version}`, source));
  return Object.fromEntries(
    Object.entries(fields).flatMap(([field, value]) => (value === undefined ? [] : [[field, digestOf(value)]])),
  );
}

const within = (part: string, value: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).map(([name, field]: [string, unknown]) => [`${part}.${name}`, field]));

const DIGEST_LENGTH = 12;
/** The same for the same value, in whichever order its fields are written. */
const digestOf = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(inOrder(value)))
    .digest('hex')
    .slice(0, DIGEST_LENGTH);

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]: [string, unknown]) => [name, inOrder(inner)]),
  );
}
