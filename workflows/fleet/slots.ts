/** Hands the slots of a fleet out over the parts of its waves. Pure. */

export interface PartNeeds {
  /** What it may occupy at this moment: it was given so many, or has not heard yet that it has fewer. */
  floor: number;
  /** How many of its providers are at work. */
  using: number;
  /** How many parked ones could go on. */
  ready: number;
  /** How many may be started. */
  pending: number;
}

/**
 * Slots for each part, in the order given. Who is at work keeps its slot, then come parked ones that can go on, then new
 * starts. A slot goes to another part only once the one that had it has said that it does not use it any more: the sum of
 * what parts may occupy never grows beyond `maxParallel`.
 */
export function distribute(parts: readonly PartNeeds[], maxParallel: number): number[] {
  const wanted = wantedSlots(parts, maxParallel);
  const occupied = sum(parts.map(({ floor }) => floor));
  const missing = sum(parts.map(({ floor }, index) => Math.max(0, (wanted[index] ?? 0) - floor)));
  let free = Math.max(0, maxParallel - occupied);
  const reclaims = occupied > maxParallel || missing > free;
  return parts.map(({ floor }, index) => {
    const want = wanted[index] ?? 0;
    // What nobody else needs stays where it is: taking it back would cost two signals for each upgrade that ends.
    if (want <= floor) return reclaims ? want : floor;
    const more = Math.min(want - floor, free);
    free -= more;
    return floor + more;
  });
}

function wantedSlots(parts: readonly PartNeeds[], maxParallel: number): number[] {
  const wanted = parts.map(() => 0);
  let left = maxParallel;
  for (const need of ['using', 'ready', 'pending'] as const) {
    for (const [index, part] of parts.entries()) {
      const given = Math.min(part[need], left);
      wanted[index] = (wanted[index] ?? 0) + given;
      left -= given;
    }
  }
  return wanted;
}

const sum = (numbers: number[]): number => numbers.reduce((total, each) => total + each, 0);
