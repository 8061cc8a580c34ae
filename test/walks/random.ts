import { seededInt } from '../../src/sandbox/world/seeded';

/** Choices that follow from a seed: the same seed makes the same ones, on every machine. */
export class Random {
  private drawn = 0;

  constructor(private readonly seed: string) {}

  /** A whole number from `min` to `max`, both of them included. */
  int(min: number, max: number): number {
    return seededInt(min, max + 1, this.seed, String(this.drawn++));
  }

  /** True in so many of a hundred cases. */
  percent(likely: number): boolean {
    return this.int(1, 100) <= likely;
  }

  pick<T>(from: readonly [T, ...T[]]): T {
    return from[this.int(0, from.length - 1)] ?? from[0];
  }
}
