/** The inventory: a folder of YAML files, one provider per document, checked as a whole. */
import { lstat, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { ONWARD } from '../contract/onward';
import { PRODUCT_ADAPTERS, type ProviderProfile } from '../contract/provider';
import { describePlace, entriesOf, type Entry, isSecretReference, type Problem, strings } from './entry';
import { nearMiss } from './near-miss';
import { addressOf, mentions, sameInstallation } from './same-installation';
import { EntrySchema } from './schema';
import { resolveSecret } from './secrets';
import { MAY_NOT_READ, readText, whyUnread } from './text-file';

export type { Problem } from './entry';

/** Entries that cannot be used; the message lists every problem with file, line and field. */
export class InvalidInventory extends Error {
  override readonly name = 'InvalidInventory';
  constructor(readonly problems: Problem[]) {
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
    super(`The inventory has ${count}:\n${problems.map((problem) => `  ${describeProblem(problem)}`).join('\n')}`);
  }
}

/** No entry has this id; the message names those that are nearly it. */
export class UnknownProvider extends Error {
  override readonly name = 'UnknownProvider';
}

/** `inventory/contoso.yaml:12: operations.url: must be an http or https URL` */
export function describeProblem({ file, line, field, message }: Problem): string {
  return [describePlace(file, line), ...(field === '' ? [] : [field]), message].join(': ');
}

/** The folder that `ONWARD_INVENTORY` names, by default `inventory` in the current folder. */
export function inventoryDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const setting = env['ONWARD_INVENTORY'];
  return path.resolve(setting === undefined || setting === '' ? 'inventory' : setting);
}

/**
 * All providers, ordered by id.
 *
 * @param schema of the worker that wants them; without it, what any worker may take.
 * @throws InvalidInventory with the problems of all files, when there is one.
 */
export async function loadInventory(
  directory = inventoryDirectory(),
  schema = EntrySchema.ofAnyWorker,
): Promise<ProviderProfile[]> {
  const entries = await readInventory(directory, schema);
  const problems = problemsOf(entries);
  if (problems.length > 0) throw new InvalidInventory(problems);
  return entries.flatMap(({ profile }) => profile ?? []).sort((a, b) => (a.provider < b.provider ? -1 : 1));
}

/**
 * What can be used of an inventory, and what keeps the rest from it.
 *
 * @throws InvalidInventory when there is no such folder, or when it may not be read.
 */
export async function usableEntries(directory: string): Promise<{ profiles: ProviderProfile[]; problems: Problem[] }> {
  const entries = await readInventory(directory);
  return { profiles: entries.flatMap(({ profile }) => profile ?? []), problems: problemsOf(entries) };
}

/**
 * One provider. Mistakes in the entries of others are not in its way.
 *
 * @param schema of the worker that wants it; without it, what any worker may take.
 * @throws UnknownProvider when no entry has this id.
 * @throws InvalidInventory when its entry has a problem, or another entry has the same id or the same Operations.
 */
export async function findProvider(
  directory: string,
  id: string,
  schema = EntrySchema.ofAnyWorker,
): Promise<ProviderProfile> {
  return (await findEntry(directory, id, schema)).profile;
}

/** As {@link findProvider}, with the file that holds it, and {@link stampOf} that file before it was read. */
export async function findEntry(
  directory: string,
  id: string,
  schema = EntrySchema.ofAnyWorker,
): Promise<{ profile: ProviderProfile; file: string; stamp: string }> {
  // An entry of this provider has its id in its text: with thousands of providers, parsing all of them takes seconds.
  const candidates = await readInventory(directory, schema, (text) => text.includes(id));
  const entries = candidates.filter(({ provider }) => provider === id);
  const problems = [...entries.flatMap((entry) => entry.problems), ...duplicates(entries)];
  if (problems.length > 0) throw new InvalidInventory(problems);
  const [entry] = entries;
  if (entry?.profile === undefined) throw await unknown(directory, id);
  const { url } = entry.profile.operations;
  const alike = await readInventory(directory, schema, (text) => mentions(text, new Set([addressOf(url) ?? ''])));
  const doubles = sameInstallation([entry, ...alike]);
  if (doubles.length > 0) throw new InvalidInventory(doubles);
  return { profile: entry.profile, file: entry.file, stamp: entry.stamp };
}

/** What changes when somebody writes the file, or puts files into the folder. */
export async function stampOf(file: string): Promise<string> {
  // A link that leads nowhere is a file that cannot be read: whoever reads it says so.
  const { mtimeMs, ctimeMs, size, ino } = await stat(file).catch(() => lstat(file));
  return [mtimeMs, ctimeMs, size, ino].join(' ');
}

/** Of all entries. */
const problemsOf = (entries: Entry[]): Problem[] => [
  ...entries.flatMap(({ problems }) => problems),
  ...duplicates(entries),
  ...sameInstallation(entries),
];

async function unknown(directory: string, id: string): Promise<UnknownProvider> {
  const entries = await readInventory(directory);
  const ids = entries.flatMap(({ provider }) => provider ?? []);
  const meant = nearMiss(id, ids);
  const unreadable = entries.filter(({ provider }) => provider === undefined).flatMap(({ problems }) => problems);
  const sentences = [
    `The inventory in ${directory} has no provider ${JSON.stringify(id)}.`,
    meant === undefined ? `It has ${ids.length === 0 ? 'none at all' : listing(ids)}.` : `Did you mean ${meant}?`,
    ...(unreadable.length === 0
      ? []
      : [`It may be in an entry that cannot be read:\n${unreadable.map(describeProblem).join('\n')}`]),
  ];
  return new UnknownProvider(sentences.join(' '));
}

const LISTED = 10;
function listing(ids: string[]): string {
  const more = ids.length > LISTED ? ` and ${ids.length - LISTED} more` : '';
  return ids.slice(0, LISTED).join(', ') + more;
}

export interface InventoryReport {
  directory: string;
  providers: { provider: string; file: string }[];
  /** What keeps an entry from being used. */
  problems: Problem[];
  /** What may be right on the worker and cannot be told here: variables that are not set, adapters of somebody else. */
  warnings: Problem[];
}

/** Everything that can be known without calling anybody: all entries, and the files and variables that they refer to. */
export async function checkInventory(directory = inventoryDirectory()): Promise<InventoryReport> {
  const entries = await readInventory(directory);
  const report: InventoryReport = {
    directory,
    providers: entries.flatMap(({ provider, file }) => (provider === undefined ? [] : { provider, file })),
    problems: entries.length === 0 ? [isEmpty(directory)] : problemsOf(entries),
    warnings: [],
  };
  for (const entry of entries) {
    report.warnings.push(...adaptersOfWorkers(entry));
    for (const { field, text } of strings(entry.profile)) {
      const message = await brokenReference(field, text);
      if (message === undefined) continue;
      const list = text.startsWith('env:') ? report.warnings : report.problems;
      list.push({ file: entry.file, line: entry.lineOf(field), field: field.join('.'), message });
    }
  }
  return report;
}

/** Whoever has it checked means it to hold something. */
const isEmpty = (directory: string): Problem => ({
  file: directory,
  line: undefined,
  field: '',
  message: `holds no entry: no file of it ends in .yaml or .yml. Write one with ${ONWARD} inventory draft <provider>, or from inventory/example.yaml.sample, or name another folder in ONWARD_INVENTORY`,
});

/** Only a worker knows which adapters are registered with it, and what they take. */
function adaptersOfWorkers(entry: Entry): Problem[] {
  const { file, profile } = entry;
  if (profile === undefined) return [];
  return (['taskMonitor', 'connectionTest'] as const).flatMap((part) => {
    const { adapter } = profile[part];
    const ours: readonly string[] = PRODUCT_ADAPTERS[part];
    if (ours.includes(adapter)) return [];
    const message =
      `${adapter} is no adapter of Onward (${ours.join(', ')}): ` +
      'the entry can be used only by workers that register it, and only they check its settings';
    return [{ file, line: entry.lineOf([part, 'adapter']), field: `${part}.adapter`, message }];
  });
}

/** Why what a profile refers to cannot be used here, or undefined. */
async function brokenReference(field: readonly PropertyKey[], text: string): Promise<string | undefined> {
  if (field.at(-1) === 'caFile') {
    return readText(text).then(
      (pem) => (pem.includes('-----BEGIN CERTIFICATE-----') ? undefined : `${text} holds no certificate in PEM form`),
      (error: unknown) => `${text} ${whyUnread(error)}`,
    );
  }
  if (!isSecretReference(text)) return undefined;
  return resolveSecret(text).then(
    () => undefined,
    (error: Error) => error.message,
  );
}

const NO_FOLDER =
  'there is no such folder. Create it with one YAML file per provider, as inventory/example.yaml.sample shows, ' +
  'or name another one in ONWARD_INVENTORY';
const WHY_UNREAD: Record<string, string> = {
  ENOENT: NO_FOLDER,
  ENOTDIR: NO_FOLDER,
  EACCES: MAY_NOT_READ,
};

/**
 * Paths of the files that may hold entries, in a fixed order.
 *
 * @throws InvalidInventory when there is no such folder, or when it may not be read.
 */
export async function inventoryFiles(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    const message = WHY_UNREAD[error.code ?? ''];
    if (message === undefined) throw error;
    throw new InvalidInventory([{ file: directory, line: undefined, field: '', message }]);
  });
  return names
    .filter((name) => /\.ya?ml$/.test(name))
    .sort()
    .map((name) => path.join(directory, name));
}

async function readInventory(
  directory: string,
  schema = EntrySchema.ofAnyWorker,
  concerns: (text: string) => boolean = () => true,
): Promise<(Entry & { stamp: string })[]> {
  const entries: (Entry & { stamp: string })[] = [];
  for (const file of await inventoryFiles(directory)) {
    const stamp = await stampOf(file);
    entries.push(...(await entriesOf(file, schema, concerns)).map((entry) => ({ ...entry, stamp })));
  }
  return entries;
}

/** A problem of each entry whose id an earlier one has. */
export function duplicates(entries: Entry[]): Problem[] {
  const first = new Map<string, Entry>();
  return entries.flatMap((entry) => {
    const { provider, file } = entry;
    if (provider === undefined) return [];
    const earlier = first.get(provider);
    if (earlier === undefined) {
      first.set(provider, entry);
      return [];
    }
    const line = entry.lineOf(['provider']);
    const where = describePlace(earlier.file, earlier.lineOf(['provider']));
    return [{ file, line, field: 'provider', message: `${provider} is already the id of the provider at ${where}` }];
  });
}
