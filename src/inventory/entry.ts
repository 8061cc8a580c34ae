/** One provider's entry as it stands in a YAML file, with every problem that it has. */
import path from 'node:path';
import { type Document, LineCounter, parseAllDocuments } from 'yaml';
import { LIMITS } from '../contract/limits';
import type { ProviderProfile } from '../contract/provider';
import { EntrySchema } from './schema';
import { MAY_NOT_READ, NotText, readText, whyUnread } from './text-file';
import { explain, type Field, type Finding, numbersAsNames, offsetOf, syntaxMistake } from './yaml-fields';

export interface Problem {
  /** Path of the file. */
  file: string;
  /** Counted from 1; undefined where the whole file or folder is meant. */
  line: number | undefined;
  /** `operations.password`; empty when the whole entry is meant. */
  field: string;
  /** What is wrong and what to write instead; never a value that may be a secret. */
  message: string;
}

/** `inventory/contoso.yaml:12`, from here where that is shorter. */
export function describePlace(file: string, line: number | undefined): string {
  const relative = path.relative(process.cwd(), file);
  const shown = relative.startsWith('..') ? file : relative;
  return line === undefined ? shown : `${shown}:${line}`;
}

export interface Entry {
  file: string;
  /** What the entry calls itself, whether or not it is valid. */
  provider: string | undefined;
  /** Undefined when there are problems. File references are absolute. */
  profile: ProviderProfile | undefined;
  problems: Problem[];
  /** Line of a field, or of the nearest enclosing one that is there. */
  lineOf(field: Field): number;
}

/** The entries of one file: one per YAML document. */
export function readEntries(file: string, text: string, schema = EntrySchema.ofAnyWorker): Entry[] {
  const lines = new LineCounter();
  // Pretty errors quote the line, which may hold a secret.
  const documents: Document.Parsed[] = [...parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })];
  const filled = documents.filter(({ contents, errors }) => contents !== null || errors.length > 0);
  if (filled.length === 0) return [noEntry(file, 'holds no provider; write one, or remove the file')];
  return filled.map((document) => readEntry(file, document, schema, (offset) => lines.linePos(offset).line));
}

function noEntry(file: string, message: string): Entry {
  const problems = [{ file, line: undefined, field: '', message }];
  return { file, provider: undefined, profile: undefined, problems, lineOf: () => 1 };
}

/** The entries of a file, or one that says why it cannot be read. @param concerns whether its text is worth parsing. */
export async function entriesOf(
  file: string,
  schema: EntrySchema,
  concerns: (text: string) => boolean = () => true,
): Promise<Entry[]> {
  try {
    const text = await readText(file);
    return concerns(text) ? readEntries(file, text, schema) : [];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!(error instanceof NotText) && code === undefined) throw error;
    return [noEntry(file, code === 'EACCES' ? MAY_NOT_READ : whyUnread(error))];
  }
}

function readEntry(
  file: string,
  document: Document.Parsed,
  schema: EntrySchema,
  lineAt: (offset: number) => number,
): Entry {
  const lineOf = (field: Field): number => lineAt(offsetOf(document, field));
  const entry = { file, lineOf };
  const mistake = syntaxMistake(document);
  if (mistake !== undefined) {
    const problem = { file, line: lineAt(mistake.offset), field: '', message: mistake.message };
    return { ...entry, provider: undefined, profile: undefined, problems: [problem] };
  }
  const value: unknown = document.toJS();
  const claimed = isRecord(value) ? value['provider'] : undefined;
  const parsed = schema.profile.safeParse(value);
  const found = [
    ...withFormerFields((parsed.error?.issues ?? []).flatMap((issue) => explain(issue, value, schema.fieldNames))),
    ...numbersAsNames(document, ['packages']),
    ...credentialsInUrls(value),
    ...tooLarge(parsed.data),
  ];
  const problems = found.map(({ field, message }) => ({
    file,
    line: lineOf(field),
    field: field.map(String).join('.'),
    message,
  }));
  return {
    ...entry,
    provider: typeof claimed === 'string' ? claimed : undefined,
    profile: problems.length === 0 && parsed.success ? withAbsoluteFiles(parsed.data, path.dirname(file)) : undefined,
    problems,
  };
}

/** What entries used to have, and how it is written now. */
const FORMER_FIELDS: Record<string, { now: string; message: string }> = {
  package: {
    now: 'packages',
    message:
      "is written with its version now, since an entry may name the packages of several: packages: { '<version>': { url: ..., sha256: ... } }",
  },
};

/** Of a field that has another name now it is told once how to write it, and not that the new one is missing. */
function withFormerFields(findings: Finding[]): Finding[] {
  const former = findings.flatMap(({ field }) => (field.length === 1 ? (FORMER_FIELDS[String(field[0])] ?? []) : []));
  return findings
    .filter(({ field }) => field.length > 1 || !former.some(({ now }) => now === field[0]))
    .map((finding) => {
      const known = finding.field.length === 1 ? FORMER_FIELDS[String(finding.field[0])] : undefined;
      return known ? { field: finding.field, message: known.message } : finding;
    });
}

/** It is frozen into the history of every upgrade as a whole. */
function tooLarge(profile: ProviderProfile | undefined): Finding[] {
  const bytes = profile ? Buffer.byteLength(JSON.stringify(profile)) : 0;
  if (bytes <= LIMITS.entryBytes) return [];
  const message = `has an entry of ${bytes} bytes as JSON, and one upgrade takes ${LIMITS.entryBytes}: leave out what belongs to no instance of it`;
  return [{ field: ['provider'], message }];
}

/** `https://user:password@host` is a password in clear, in a place where every log shows it. */
function credentialsInUrls(value: unknown): Finding[] {
  return strings(value)
    .filter(({ text }) => /^https?:\/\/[^/?#]*@/i.test(text))
    .map(({ field }) => ({
      field,
      message:
        'must not hold a user or a password: take them out of the URL, and give passwords as env:NAME or file:/path',
    }));
}

/** Every string of the value, with where it stands. */
export function strings(value: unknown, field: Field = []): { field: Field; text: string }[] {
  if (typeof value === 'string') return [{ field, text: value }];
  if (Array.isArray(value)) return value.flatMap((item, index) => strings(item, [...field, index]));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => strings(item, [...field, key]));
}

/** `env:NAME` or `file:/path`: only secrets are given so. */
export function isSecretReference(text: string): boolean {
  return /^(env|file):/.test(text);
}

/** File names in an entry are relative to the file that holds it: those of certificate authorities, and `file:` secrets. */
function withAbsoluteFiles<T>(value: T, folder: string, key?: string): T;
function withAbsoluteFiles(value: unknown, folder: string, key?: string): unknown {
  if (typeof value === 'string') {
    if (key === 'caFile') return path.resolve(folder, value);
    return value.startsWith('file:') ? `file:${path.resolve(folder, value.slice('file:'.length))}` : value;
  }
  if (Array.isArray(value)) return value.map((item: unknown) => withAbsoluteFiles(item, folder));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withAbsoluteFiles(item, folder, name)]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
