/**
 * Secrets by reference. A reference (`env:NAME`, `file:/path`) travels through inventory, workflows and payloads; its value
 * is read where it is used, is never stored, and is taken out of every text for people by {@link redact}.
 */
import { NotText, readText, whyUnread } from './text-file';

/** A secret that could not be read; the message names the reference and never a value. */
export class SecretUnavailable extends Error {
  override readonly name = 'SecretUnavailable';
  constructor(
    readonly reference: string,
    problem: string,
  ) {
    super(`The secret ${reference} ${problem}`);
  }
}

/** Shorter values would make any text unreadable when redacted, and protect nothing. */
const SHORTEST_REDACTED = 4;
/** So many characters of base64 or of a line are somebody's secret and no coincidence. */
const SHORTEST_PART = 8;
/** Tokens that systems hand out come and go; a worker lives for months. */
const MOST_REMEMBERED = 5_000;

/** Secrets of this process, the latest used last, with the forms in which texts may quote them. */
const secrets = new Map<string, readonly string[]>();

/**
 * The value behind `env:NAME` (an environment variable of this process) or `file:/path` (a text file, without the newlines
 * at its end). Read anew on every call, so that a rotated secret needs no restart.
 *
 * @throws SecretUnavailable when the variable is not set, the file cannot be read, or either is empty.
 */
export async function resolveSecret(reference: string): Promise<string> {
  const value = await read(reference);
  if (value === '') throw new SecretUnavailable(reference, 'is empty. Give it a value.');
  conceal(value);
  return value;
}

/** Lets {@link redact} know a secret that is no reference: a token that a system has handed out. */
export function conceal(secret: string): void {
  if (secret.length < SHORTEST_REDACTED) return;
  const forms = secrets.get(secret) ?? formsOf(secret);
  secrets.delete(secret);
  secrets.set(secret, forms);
  const [oldest] = secrets.keys();
  if (secrets.size > MOST_REMEMBERED && oldest !== undefined) secrets.delete(oldest);
}

async function read(reference: string): Promise<string> {
  const [, kind, name = ''] = /^(env|file):(.+)$/s.exec(reference) ?? [];
  switch (kind) {
    case 'env': {
      const value = process.env[name];
      if (value === undefined) {
        throw new SecretUnavailable(reference, `is not there: set ${name} in the environment of this process.`);
      }
      return value;
    }
    case 'file':
      try {
        return (await readText(name)).replace(/[\r\n]+$/, '');
      } catch (error) {
        const must = ' The file must exist, and this process must be allowed to read it.';
        throw new SecretUnavailable(reference, `${whyUnread(error)}${error instanceof NotText ? '' : `.${must}`}`);
      }
    default:
      // The text is not named here: it may be the secret itself.
      throw new SecretUnavailable(
        'reference',
        'is neither env:NAME nor file:/path. Write one of the two, not the value.',
      );
  }
}

/**
 * The text without any secret of this process, in whichever form protocols write it. Only for texts that people read: in
 * data, what looks like a secret may be a name. Redact before cutting a text, or half a secret stays.
 */
export function redact(text: string): string {
  const found = [...secrets.values()].flat().filter((form) => text.includes(form));
  // Longest first: a secret may contain another one.
  found.sort((a, b) => b.length - a.length);
  return found.reduce((redacted, form) => redacted.replaceAll(form, '[secret]'), text);
}

/** A value with every text in it redacted. */
export function redactDeep(value: unknown): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map(redactDeep);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, redactDeep(inner)]));
}

/** How a secret may stand in a text: as it is, line by line, escaped for a URL, a form, JSON or XML, in base64, in hex. */
function formsOf(secret: string): readonly string[] {
  const lines = secret.split(/\r?\n/).filter((line) => line.length >= SHORTEST_PART);
  const forms = [secret, ...lines].flatMap((text) => [
    text,
    ...cases(encodeURIComponent(text), /%../g),
    ...cases(new URLSearchParams({ s: text }).toString().slice('s='.length), /%../g),
    ...jsonForms(text),
    ...xmlForms(text),
    ...inBytes(text),
  ]);
  return [...new Set(forms)];
}

/** Hexadecimal digits are written in either case. */
const cases = (text: string, escapes: RegExp): string[] => [
  text,
  text.replace(escapes, (escape) => escape.toLowerCase()),
];

function jsonForms(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const ascii = json.replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return [json, ascii].flatMap((form) => [form, form.replaceAll('/', '\\/')]);
}

function xmlForms(text: string): string[] {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const tags = escaped.replaceAll('>', '&gt;');
  return [escaped, tags].flatMap((form) => [
    form,
    form.replaceAll('"', '&quot;'),
    form.replaceAll('"', '&quot;').replaceAll("'", '&apos;'),
    form.replaceAll('"', '&#34;').replaceAll("'", '&#39;'),
  ]);
}

/** In hex, and as it stands in the base64 of any longer text, such as `user:password`. */
function inBytes(text: string): string[] {
  const bytes = Buffer.from(text);
  const base64 = [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    // Without the digits that also hold bits of what stands before or after it.
    const whole = encoded.slice(Math.ceil((offset * 4) / 3), Math.floor(((offset + bytes.length) * 4) / 3));
    return [whole, whole.replaceAll('+', '-').replaceAll('/', '_')];
  });
  const hex = bytes.toString('hex');
  return [...base64, hex, hex.toUpperCase()].filter((form) => form.length >= SHORTEST_PART);
}
