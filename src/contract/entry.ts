/**
 * An entry of the inventory as workflows know it: by the provider's id and by digests. No address, no secret reference and no
 * target of it leaves the control plane's workers: activities look them up in their own inventory, and refuse what has changed
 * since the workflow has read the entry.
 */
import { z } from 'zod';
import { plainName, providerProfile } from './provider';

/** Digest of each field, by its path: `operations.url`, `packages.18.4.1.url`, `plans`. A field that is not there has none. */
export const entryDigests = z.record(z.string(), z.string());
export type EntryDigests = z.output<typeof entryDigests>;

/** Names an entry, and what its reader knows of it. */
export const entryRef = z.strictObject({
  provider: plainName,
  /** Left out by those who want the entry as it is now. */
  digests: entryDigests.optional(),
});
export type EntryRef = z.output<typeof entryRef>;

const adapterOnly = z.object({ adapter: z.string() });
/** What an upgrade keeps of the entry of its provider. All else of an entry is left behind when it is read as this. */
export const frozenProfile = providerProfile
  .omit({ operations: true, aps: true, billing: true })
  .extend({
    packages: z.record(z.string(), z.object({ sha256: z.string() })),
    taskMonitor: adapterOnly,
    connectionTest: adapterOnly,
    /** Of each target no more than its kind: it is named by its place in the list. */
    notify: z.array(z.object({ kind: z.enum(['log', 'webhook']) })),
    digests: entryDigests,
  })
  .strip();
export type FrozenProfile = z.output<typeof frozenProfile>;

/** A part of the entry that an activity looks up. */
export type EntrySection = 'operations' | 'aps' | 'billing' | 'taskMonitor' | 'connectionTest' | `packages.${string}`;

/** Whether the field is part of one of the sections. */
export const isWithin = (field: string, sections: readonly EntrySection[]): boolean =>
  sections.some((section) => field.startsWith(`${section}.`));

/** The entry that the profile was read from, as far as these sections go. */
export function entryOf({ provider, digests }: FrozenProfile, ...sections: EntrySection[]): EntryRef {
  return {
    provider,
    digests: Object.fromEntries(Object.entries(digests).filter(([field]) => isWithin(field, sections))),
  };
}

/**
 * The package of a version. The preflight refuses an upgrade for which the entry names none, so a step may rely on it; who has to
 * find out looks at `profile.packages[version]`.
 */
export function packageOf<Source>(
  { provider, packages }: { provider: string; packages: Record<string, Source> },
  version: string,
): Source {
  const source = packages[version];
  if (source) return source;
  throw new Error(
    `The entry of ${provider} names no package of version ${version}; it names those of ${Object.keys(packages).join(', ')}.`,
  );
}

/** A field that is not what its reader knew. */
export interface ChangedField {
  field: string;
  /** Of what it is now; {@link GONE} where it is there no more. */
  digest: string;
}
export const GONE = 'gone';

/** Whether an upgrade that is under way may take what the field is now: where and as whom systems are reached, and no more. */
export const isTakeable = (field: string): boolean => !/^packages\..+\.sha256$|\.adapter$/.test(field);

/** The detail of a failure `EntryChanged`; no field is named where the whole entry cannot be used. */
export const entryChange = z.object({
  provider: z.string(),
  changed: z.array(z.object({ field: z.string(), digest: z.string() })),
});
export type EntryChange = z.output<typeof entryChange>;

/** @param sections all of the entry where none is given. */
export function changesOf(known: EntryDigests, now: EntryDigests, sections?: readonly EntrySection[]): ChangedField[] {
  return [...new Set([...Object.keys(known), ...Object.keys(now)])]
    .filter((field) => !sections || isWithin(field, sections))
    .filter((field) => (known[field] ?? GONE) !== (now[field] ?? GONE))
    .sort()
    .map((field) => ({ field, digest: now[field] ?? GONE }));
}
