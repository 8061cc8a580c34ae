/** Text files as people's editors and shells write them: Windows PowerShell writes a byte order mark, or UTF-16. */
import { readFile } from 'node:fs/promises';

/** The file is there, and is no text that can be read for certain; the message goes on after its name. */
export class NotText extends Error {
  override readonly name = 'NotText';
}

const HOW = 'Save it as UTF-8: in Windows PowerShell, Set-Content -Encoding utf8.';

/**
 * UTF-8, or what a byte order mark says, without that mark.
 *
 * @throws NotText where it is neither: a wrong character in a password is a wrong password.
 */
export async function readText(file: string): Promise<string> {
  const bytes = await readFile(file);
  const [encoding, called] = encodingOf(bytes);
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    // No text has one; UTF-16 without its mark is full of them.
    if (!text.includes('\0')) return text;
  } catch (cause) {
    throw new NotText(`is no valid ${called}. ${HOW}`, { cause });
  }
  throw new NotText(`looks like UTF-16 without a byte order mark. ${HOW}`);
}

function encodingOf(bytes: Buffer): [encoding: string, called: string] {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return ['utf-16le', 'UTF-16'];
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return ['utf-16be', 'UTF-16'];
  return ['utf-8', 'UTF-8'];
}

/** Of the inventory, a folder or a file; the message goes on after its name. */
export const MAY_NOT_READ =
  'this process may not read it. Give the folder and its files to the user that Onward runs as (with Docker Compose, ONWARD_RUN_AS)';

/** Why a file could not be read, for a sentence that names it. */
export function whyUnread(error: unknown): string {
  if (error instanceof NotText) return error.message;
  const { code = String(error) } = error as NodeJS.ErrnoException;
  return `cannot be read (${code})`;
}
