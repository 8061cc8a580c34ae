/**
 * Secrets by reference. A reference (`env:NAME`, `file:/path`) travels through inventory, workflows and payloads; its value
 * is read where it is used, is never stored, and is taken out of every text by {@link redact}.
 */
import { readFile } from 'node:fs/promises';

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
const resolved = new Set<string>();

/**
 * The value behind `env:NAME` (an environment variable of this process) or `file:/path` (a file's contents without the
 * last newline). Read anew on every call, so that a rotated secret needs no restart.
 *
 * @throws SecretUnavailable when the variable is not set, the file cannot be read, or either is empty.
 */
export async function resolveSecret(reference: string): Promise<string> {
  const value = await read(reference);
  if (value === '') throw new SecretUnavailable(reference, 'is empty. Give it a value.');
  if (value.length >= SHORTEST_REDACTED) resolved.add(value);
  return value;
}

async function read(reference: string): Promise<string> {
  const [, kind, name = ''] = /^(env|file):(.+)$/s.exec(reference) ?? [];
  switch (kind) {
    case 'env': {
      const value = process.env[name];
      if (value === undefined) {
        throw new SecretUnavailable(reference, `is not there: set ${name} in the environment of this worker.`);
      }
      return value;
    }
    case 'file':
      try {
        return (await readFile(name, 'utf8')).replace(/\r?\n$/, '');
      } catch (error) {
        const { code = String(error) } = error as NodeJS.ErrnoException;
        throw new SecretUnavailable(
          reference,
          `cannot be read (${code}). The file must exist and this worker may read it.`,
        );
      }
    default:
      // The text is not named here: it may be the secret itself.
      throw new SecretUnavailable(
        'reference',
        'is neither env:NAME nor file:/path. Write one of the two, not the value.',
      );
  }
}

/** The text without any secret that this process has resolved, also where it stands URL-, XML- or JSON-encoded. */
export function redact(text: string): string {
  const forms = [...resolved].flatMap((value) => [
    value,
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
    value.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;'),
  ]);
  // Longest first: a secret may contain another one.
  forms.sort((a, b) => b.length - a.length);
  return forms.reduce((redacted, form) => redacted.replaceAll(form, '[secret]'), text);
}
