/** Cuts the targets of a fleet into waves, and each wave into parts that one workflow can hold. Pure. */
import type { Amount, FleetRequest } from '../../src/contract/fleet';

/** A provider that is going to be upgraded. */
export interface Target {
  provider: string;
  name?: string;
  from: string;
  to: string;
  /** Of what its part keeps of its entry, as JSON. */
  bytes: number;
}

/** A part holds the digests of its entries in its history and hands them on when it continues as new: far below 512 KiB. */
export const MAX_PART_BYTES = 256 * 1024;
const MAX_PART_PROVIDERS = 40;

/** So many, or so many of a hundred of `total`, rounded up. */
export function count(amount: Amount, total: number): number {
  if (typeof amount === 'number') return amount;
  // 7 % of 100 must not become 8 because of what floating point makes of 0.07.
  return Math.ceil(Number(((Number.parseFloat(amount) * total) / 100).toFixed(6)));
}

/** @returns waves with somebody in them, each a list of parts; `left` is who no wave was left for. */
export function partition(
  targets: readonly Target[],
  waves: FleetRequest['waves'],
): { waves: Target[][][]; left: Target[] } {
  let left = [...targets];
  const cut: Target[][][] = [];
  for (const wave of waves) {
    const size = wave === 'rest' ? left.length : count(wave, targets.length);
    if (left.length > 0 && size > 0) cut.push(parts(left.slice(0, size)));
    left = left.slice(size);
  }
  return { waves: cut, left };
}

function parts(wave: readonly Target[]): Target[][] {
  const cut: Target[][] = [];
  let part: Target[] = [];
  let bytes = 0;
  for (const target of wave) {
    if (part.length === MAX_PART_PROVIDERS || (part.length > 0 && bytes + target.bytes > MAX_PART_BYTES)) {
      cut.push(part);
      part = [];
      bytes = 0;
    }
    part.push(target);
    bytes += target.bytes;
  }
  return [...cut, part];
}
