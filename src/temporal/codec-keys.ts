/** How payloads are encrypted, as `ONWARD_CODEC_KEYS` and `ONWARD_PLAINTEXT_UNTIL` say. */
import { createSecretKey } from 'node:crypto';
import { z } from 'zod';
import { resolveSecret } from '../inventory/secrets';
import type { CodecKey } from './codec';

export const UNUSABLE = 'The encryption of payloads cannot be used as it is set up:';

/** Keys, or a cut-over, that cannot be used; the message lists every problem and no key. */
export class InvalidCodecKeys extends Error {
  override readonly name = 'InvalidCodecKeys';
  constructor(readonly problems: string[]) {
    super(`${UNUSABLE}\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}

export type CodecKeys = readonly [CodecKey, ...CodecKey[]];

/** An instant, never a local time: every process has to mean the same. */
const instant = z.iso.datetime({ offset: true });

export interface Encryption {
  /** None where payloads travel in clear. */
  keys: readonly CodecKey[];
  /** From then on plaintext is refused, in milliseconds since 1970. */
  plaintextUntil?: number;
}

/**
 * @param settings what `ONWARD_CODEC_KEYS` and `ONWARD_PLAINTEXT_UNTIL` say.
 * @throws InvalidCodecKeys
 */
export async function readEncryption(settings: {
  codecKeys?: string | undefined;
  plaintextUntil?: string | undefined;
}): Promise<Encryption> {
  const { codecKeys = '', plaintextUntil = '' } = settings;
  const problems: string[] = [];
  if (plaintextUntil !== '' && codecKeys === '') {
    problems.push('ONWARD_PLAINTEXT_UNTIL is set and ONWARD_CODEC_KEYS is not: without keys everything is plaintext');
  }
  if (plaintextUntil !== '' && !instant.safeParse(plaintextUntil).success) {
    problems.push('ONWARD_PLAINTEXT_UNTIL is no instant such as 2026-12-01T06:00:00Z or 2026-12-01T07:00:00+01:00');
  }
  const keys =
    codecKeys === '' ? [] : await readCodecKeys(codecKeys).catch((error: unknown) => problemsIn(error, problems));
  if (problems.length > 0) throw new InvalidCodecKeys(problems);
  return { keys, ...(plaintextUntil !== '' && { plaintextUntil: Date.parse(plaintextUntil) }) };
}

function problemsIn(error: unknown, problems: string[]): [] {
  if (!(error instanceof InvalidCodecKeys)) throw error;
  problems.push(...error.problems);
  return [];
}

/**
 * Reads the keys of `id=env:NAME,id=file:/path`; each is 32 bytes in base64.
 *
 * @param setting what `ONWARD_CODEC_KEYS` says; the order stays as it is there.
 * @throws InvalidCodecKeys
 */
export async function readCodecKeys(setting: string): Promise<CodecKeys> {
  const entries = setting
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '');
  const problems: string[] = [];
  const keys: CodecKey[] = [];
  for (const [index, entry] of entries.entries()) {
    const read = await readKey(entry, index + 1);
    if (typeof read === 'string') problems.push(read);
    else problems.push(...clashes(read, keys));
    if (typeof read !== 'string') keys.push(read);
  }
  const [first, ...others] = keys;
  if (problems.length > 0 || first === undefined) {
    throw new InvalidCodecKeys(
      problems.length > 0 ? problems : ['ONWARD_CODEC_KEYS names no key; write id=env:NAME or id=file:/path'],
    );
  }
  return [first, ...others];
}

/** The key, or what is wrong with it. */
async function readKey(entry: string, position: number): Promise<CodecKey | string> {
  const [, id, reference = ''] = /^([A-Za-z0-9][A-Za-z0-9._-]{0,63})=(.+)$/s.exec(entry) ?? [];
  // Not quoted: somebody may have written the key itself.
  if (id === undefined) return `entry ${position} of ONWARD_CODEC_KEYS is not id=env:NAME or id=file:/path`;
  try {
    const value = await resolveSecret(reference);
    const bytes = /^[A-Za-z0-9+/]{43}=$/.test(value) ? Buffer.from(value, 'base64') : undefined;
    if (bytes !== undefined) return { id, key: createSecretKey(bytes) };
    return `the key ${id} is not 32 bytes in base64, as openssl rand -base64 32 makes them`;
  } catch (error) {
    return `the key ${id}: ${(error as Error).message}`;
  }
}

function clashes(key: CodecKey, others: CodecKey[]): string[] {
  if (others.some(({ id }) => id === key.id)) return [`the key ${key.id} is named twice`];
  const same = others.find((other) => other.key.equals(key.key));
  return same === undefined ? [] : [`the keys ${same.id} and ${key.id} are the same`];
}
