/** Values that look random and are the same for the same words, so that a sandbox can be built again from its seed. */
import { createHash } from 'node:crypto';

function digest(words: string[]): string {
  return createHash('sha256').update(words.join('\n')).digest('hex');
}

export function seededUuid(...words: string[]): string {
  const hex = digest(words);
  const variant = ((parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join('-');
}

/** An integer from `min` up to and without `max`. */
export function seededInt(min: number, max: number, ...words: string[]): number {
  return min + (parseInt(digest(words).slice(0, 8), 16) % (max - min));
}
