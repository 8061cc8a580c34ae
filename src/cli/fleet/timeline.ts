/**
 * Pictures of a fleet as inline SVG: its waves on one scale, and every wave by itself, with a bar for every provider from its
 * start to its end, coloured by its state, and a mark where it crossed. Rows are thinner the more there are, so that thousands
 * can be seen at once.
 */
import type { FleetProviderState } from '../../contract/fleet';
import { html } from '../kit/documents/html';
import { countsText, SHOWN_STATES, STATE_LOOKS } from './provider-states';
import type { FleetReport, ReportedProvider } from './report';
import { ticksBetween } from './time-axis';

/** Colours are those of the page: `.s-failed { fill: ... }`. */
export const stateClass = (state: FleetProviderState): string => `s-${state}`;

const WIDTH = 1000;
const AXIS = 22;
/** For names; the same for all waves, so that their times are below each other. */
const LEFT = 130;
const RIGHT = 22;
/** Shortest bar that can be seen. */
const SHORTEST = 1.5;

/** Height of a row and of the gap below its bar, in the units of the picture, by how many rows there are at most. */
interface Density {
  most: number;
  row: number;
  gap: number;
}
/** With names beside the rows. */
const NAMED: Density = { most: 60, row: 16, gap: 4 };
const UNNAMED: Density[] = [
  { most: 300, row: 7, gap: 2 },
  { most: 1000, row: 3, gap: 0.8 },
  { most: Infinity, row: 1.5, gap: 0 },
];
const BAR = NAMED.row - NAMED.gap;
/** More rows than this make the page too large; those that did not complete are kept. */
export const MOST_ROWS = 10_000;

/** Milliseconds since 1970. */
interface Scale {
  from: number;
  to: number;
}
type Started = ReportedProvider & { startedAt: string };

/** When each wave ran. */
export function wavesTimeline({ waves, generatedAt }: FleetReport): string {
  const begun = waves.flatMap(({ startedAt, endedAt = generatedAt, ...wave }) =>
    startedAt === undefined ? [] : [{ ...wave, from: Date.parse(startedAt), to: Date.parse(endedAt) }],
  );
  if (begun.length === 0) return '<p>No wave has begun.</p>';
  const scale = scaleOf(begun);
  const bars = begun.map(({ wave, state, from, to, counts }, index) => {
    const y = AXIS + index * NAMED.row;
    const bar = { x: round(x(scale, from)), y, width: round(Math.max(SHORTEST, x(scale, to) - x(scale, from))) };
    const look = stateClass(state === 'done' ? 'completed' : 'running');
    return `<g><title>${html(`Wave ${wave}: ${countsText(counts)}`)}</title>${nameBeside(`wave ${wave}`, y)}<path class="${look}" d="${box(bar, BAR)}"/></g>`;
  });
  const summary = `When the waves ran: ${begun.length} of ${waves.length} have begun. The table of waves has the same as text.`;
  return picture('waves', 'Timeline of the waves', summary, scale, begun.length * NAMED.row, bars.join('\n'));
}

/** @param wave counted from 1 */
export function waveTimeline(report: FleetReport, wave: number): string {
  const inWave = report.providers.filter((each) => each.wave === wave);
  const all = inWave.filter((each): each is Started => each.startedAt !== undefined);
  const rows = fewer(all).sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
  if (rows.length === 0) return '<p>Nobody of this wave was started.</p>';
  const density = [NAMED, ...UNNAMED].find(({ most }) => rows.length <= most) ?? NAMED;
  const scale = scaleOf(
    rows.map(({ startedAt, endedAt = report.generatedAt }) => ({
      from: Date.parse(startedAt),
      to: Date.parse(endedAt),
    })),
  );
  const bars = density === NAMED ? namedBars(rows, scale, report) : plainBars(rows, scale, density, report);
  const summary = `Wave ${wave}: one bar for each of ${rows.length} providers, ${countsText(countsOf(rows))}. The table of wave ${wave} has the same as text.`;
  const told = [
    ...(inWave.length > all.length ? [`${inWave.length - all.length} of ${inWave.length} were not started.`] : []),
    ...(all.length > rows.length ? [`${all.length - rows.length} completed ones are not drawn.`] : []),
  ].join(' ');
  return [
    picture(`wave-${wave}`, `Timeline of wave ${wave}`, summary, scale, rows.length * density.row, bars),
    ...(told === '' ? [] : [`<p class="note">${html(told)}</p>`]),
  ].join('\n');
}

/** @param id unique on the page; `summary` is what is read to those who do not see it. */
function picture(id: string, label: string, summary: string, scale: Scale, rows: number, bars: string): string {
  const height = round(AXIS + rows + 4);
  return [
    `<div class="scroll" tabindex="0" role="region" aria-label="${html(label)}">`,
    `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="${id}-picture">`,
    `<title id="${id}-picture">${html(summary)}</title>`,
    axis(scale, height),
    bars,
    '</svg></div>',
  ].join('\n');
}

function fewer(all: Started[]): Started[] {
  if (all.length <= MOST_ROWS) return [...all];
  const telling = all.filter(({ state }) => state !== 'completed');
  const completed = all.filter(({ state }) => state === 'completed');
  return [...telling, ...completed].slice(0, MOST_ROWS);
}

function countsOf(rows: ReportedProvider[]): FleetReport['counts'] {
  const count = (state: FleetProviderState): number => rows.filter((each) => each.state === state).length;
  return Object.fromEntries(SHOWN_STATES.map((state) => [state, count(state)])) as FleetReport['counts'];
}

/** From the first start to the last end. */
function scaleOf(spans: Scale[]): Scale {
  const from = spans.reduce((least, span) => Math.min(least, span.from), Infinity);
  const to = spans.reduce((most, span) => Math.max(most, span.to), -Infinity);
  return { from, to: Math.max(to, from + 1000) };
}

const x = ({ from, to }: Scale, at: number): number => LEFT + ((at - from) / (to - from)) * (WIDTH - RIGHT - LEFT);
const round = (value: number): number => Math.round(value * 10) / 10;

function axis(scale: Scale, height: number): string {
  const ticks = ticksBetween(scale.from, scale.to).map(({ at, label }) => ({ label, at: round(x(scale, at)) }));
  const lines = ticks.map(({ at }) => `M${at} ${AXIS - 4}V${round(height)}`).join('');
  const labels = ticks.map(({ at, label }) => `<text x="${Math.min(at, WIDTH - 30)}" y="12">${html(label)}</text>`);
  return `<path class="grid" d="${lines}"/><g class="axis" text-anchor="middle">${labels.join('')}</g>`;
}

interface Bar {
  x: number;
  y: number;
  width: number;
  crossed?: number;
}

function barOf(each: Started, row: number, scale: Scale, density: Density, { generatedAt }: FleetReport): Bar {
  const start = x(scale, Date.parse(each.startedAt));
  const end = x(scale, Date.parse(each.endedAt ?? generatedAt));
  return {
    x: round(start),
    y: round(AXIS + row * density.row),
    width: round(Math.max(SHORTEST, end - start)),
    ...(each.crossedAt === undefined ? {} : { crossed: round(x(scale, Date.parse(each.crossedAt))) }),
  };
}

function namedBars(rows: Started[], scale: Scale, report: FleetReport): string {
  return rows
    .map((each, index) => {
      const bar = barOf(each, index, scale, NAMED, report);
      const word = STATE_LOOKS[each.state].word;
      const why = each.cause === undefined ? '' : ` (${each.cause})`;
      return [
        `<g><title>${html(`${each.provider}, from ${each.from}: ${word}${why}`)}</title>`,
        nameBeside(each.provider, bar.y),
        `<path class="${stateClass(each.state)}" d="${box(bar, BAR)}"/>`,
        ...(bar.crossed === undefined ? [] : [`<path class="crossing" d="M${bar.crossed} ${bar.y}v${BAR}"/>`]),
        ...(each.state === 'completed' ? [] : [wordBeside(bar, word)]),
        '</g>',
      ].join('');
    })
    .join('\n');
}

const nameBeside = (name: string, y: number): string =>
  `<text class="name" x="${LEFT - 6}" y="${y + BAR - 2}" text-anchor="end">${html(name, 18)}</text>`;

/** Behind the bar, or within it where it reaches the edge. */
function wordBeside({ x: start, y, width }: Bar, word: string): string {
  const end = start + width;
  const inside = end > WIDTH - 90;
  return `<text class="${inside ? 'note inside' : 'note'}" x="${round(inside ? end - 4 : end + 4)}" y="${round(y + BAR - 2)}"${inside ? ' text-anchor="end"' : ''}>${html(word)}</text>`;
}

/** All bars of a state are one shape, and a mark at the edge shows where those are that did not complete. */
function plainBars(rows: Started[], scale: Scale, density: Density, report: FleetReport): string {
  const height = density.row - density.gap;
  const shapes = new Map<FleetProviderState, string>();
  const marks = new Map<FleetProviderState, string>();
  let crossings = '';
  for (const [index, each] of rows.entries()) {
    const bar = barOf(each, index, scale, density, report);
    shapes.set(each.state, (shapes.get(each.state) ?? '') + box(bar, height));
    if (each.state !== 'completed') {
      const mark = { x: WIDTH - RIGHT + 6, y: bar.y, width: 14 };
      marks.set(each.state, (marks.get(each.state) ?? '') + box(mark, Math.max(height, 3)));
    }
    if (bar.crossed !== undefined) crossings += `M${bar.crossed} ${bar.y}v${round(height)}`;
  }
  return [
    ...[...shapes, ...marks].map(([state, d]) => `<path class="${stateClass(state)}" d="${d}"/>`),
    `<path class="crossing thin" d="${crossings}"/>`,
  ].join('\n');
}

const box = ({ x: start, y, width }: Bar, height: number): string =>
  `M${start} ${y}h${width}v${round(height)}h${-width}z`;
