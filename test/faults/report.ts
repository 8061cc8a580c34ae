import type { Cell } from './matrix';
import type { CellResult } from './run-cell';

/** The one line that shows it again. */
export const reproduction = ({ name }: Cell): string => `npm run faults -- --only '${name}'`;

/** How many cells came to which end, how long the longest took, and what is wrong. */
export function reportOf(results: CellResult[]): string {
  const counts = new Map<string, number>();
  for (const { outcome } of results) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const wrong = results.filter(({ problems }) => problems.length > 0);
  const longest = results.reduce((most, { tookMs }) => Math.max(most, tookMs), 0);
  return [
    '',
    `${results.length} cells: ${[...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ')}.`,
    `The longest took ${(longest / 1000).toFixed(1)} s. ${wrong.length} with problems.`,
    ...wrong.flatMap(({ cell, problems }) => [
      `- ${reproduction(cell)}`,
      ...problems.map((problem) => `    ${problem}`),
    ]),
  ].join('\n');
}
