/** The keys of payload encryption, as `ONWARD_CODEC_KEYS` names them. */
import { createSecretKey } from 'node:crypto';
import { resolveSecret } from '../inventory/secrets';
import type { CodecKey } from './codec';

/** Keys that cannot be used; the message lists every problem and no key. */
export class InvalidCodecKeys extends Error {
  override readonly name = 'InvalidCodecKeys';
  constructor(readonly problems: string[]) {
    super(`ONWARD_CODEC_KEYS cannot be used:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}

export type CodecKeys = readonly [CodecKey, ...CodecKey[]];

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
      problems.length > 0 ? problems : ['it names no key; write id=env:NAME or id=file:/path'],
    );
  }
  return [first, ...others];
}

/** The key, or what is wrong with it. */
async function readKey(entry: string, position: number): Promise<CodecKey | string> {
  const [, id, reference = ''] = /^([A-Za-z0-9][A-Za-z0-9._-]{0,63})=(.+)$/s.exec(entry) ?? [];
  // Not quoted: somebody may have written the key itself.
  if (id === undefined) return `entry ${position} is not id=env:NAME or id=file:/path`;
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
