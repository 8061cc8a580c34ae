import { seededInt } from '../../src/sandbox/world/seeded';
import type { TortureCase } from './cases';

/** One case of each kind, chosen by the seed: the same for the same seed and cases. */
export function sampleOf(cases: TortureCase[], seed: number): TortureCase[] {
  const kinds = new Map<string, TortureCase[]>();
  for (const torture of cases) {
    const kind = torture.comesBack ? 'way back' : torture.point.kind === 'seal' ? 'seal' : torture.victim;
    kinds.set(kind, [...(kinds.get(kind) ?? []), torture]);
  }
  return [...kinds].flatMap(([kind, members]) => members[seededInt(0, members.length, String(seed), kind)] ?? []);
}
