/** Figures as one table for people: Markdown, so that it can go into a report as it is. */
import type { Figure } from './figures';

const HEADINGS = ['Bench', 'Figure', 'Value', 'Target', 'Verdict', 'How'];
/** Columns of numbers. */
const TO_THE_RIGHT = new Set([2, 3]);

export function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map(({ bench, what, value, unit, target, how }) => [
    bench,
    what,
    quantity(value, unit),
    target === undefined ? '' : `<= ${quantity(target.most, unit)}`,
    target === undefined ? '' : value <= target.most ? 'met' : 'MISSED',
    how,
  ]);
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => padded(cell, widths[column] ?? 0, TO_THE_RIGHT.has(column))).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    TO_THE_RIGHT.has(column) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  );
  return [line(HEADINGS), line(rule), ...rows.map(line)].join('\n');
}

const padded = (text: string, width: number, toTheRight: boolean): string =>
  toTheRight ? text.padStart(width) : text.padEnd(width);

/** Three digits tell all that a measurement knows. */
function quantity(value: number, unit: string): string {
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${unit}`.trimEnd();
}
