/** What a bench has measured, and the arithmetic behind it. */

export interface Figure {
  /** Which bench: `cost`. */
  bench: string;
  /** What was measured, in words. */
  what: string;
  value: number;
  /** `ms`, `MiB`, `events`; empty for a ratio. */
  unit: string;
  /** What it should be, where somebody has said so. */
  target?: { most: number };
  /** How it came about: sizes, spread. */
  how: string;
}

export interface Bench {
  name: string;
  /** One line for the list of benches. */
  about: string;
  /** @param say hears how far the bench is. */
  run(sizes: Sizes, say: (line: string) => void): Promise<Figure[]>;
}

/** How much is measured. */
export interface Sizes {
  /** Pairs of upgrades for the cost of one upgrade, for each path. */
  pairs: number;
  /** Starts of each program. */
  starts: number;
  /** Upgrades that wait at a gate. */
  waiting: number;
  /** Kills of each worker. */
  kills: number;
  /** Upgrades at once. */
  upgrades: number;
  /** Application instances of a large provider. */
  large: number;
  /** Providers of a fleet. */
  fleet: number;
  /** Application instances of each provider with stub activities. */
  instances: number;
}

export const sizeOf = (instances: number): string =>
  `stub activities, ${instances} ${instances === 1 ? 'instance' : 'instances'} for each provider`;

/** Value below which this part of the values lies, 0 to 1; between two values the one in proportion. */
export function quantile(values: readonly number[], part: number): number {
  if (values.length === 0) throw new RangeError('there is no quantile of no values');
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * part;
  const below = sorted[Math.floor(position)] ?? 0;
  const above = sorted[Math.ceil(position)] ?? 0;
  return below + (above - below) * (position % 1);
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** `2.1 to 2.6`: the middle half of the values. */
export const middleHalf = (values: readonly number[], digits = 2): string =>
  `${quantile(values, 0.25).toFixed(digits)} to ${quantile(values, 0.75).toFixed(digits)}`;
