/** One upgrade as lines for a terminal: what is done, what happens now, who is waited for. */
import type { Colors } from 'picocolors/types';
import type { StepState, StepStatus, UpgradeState, UpgradeStatus } from '../../contract/status';
import { commandFor, type Display } from '../kit/context';
import { elapsed, formatDuration, formatTime } from '../kit/text/duration';
import { safeLines, safeText } from '../kit/text/safe-text';
import { howToAnswerGate, howToResolve } from './messages';
import { endedFromOutside, STATE_WORDS, STEP_MARKS, STEP_WORDS } from './upgrade-state';
import type { UpgradeView } from './upgrades';

type Colour = Exclude<keyof Colors, 'isColorSupported'>;
const STATE_COLOURS: Partial<Record<UpgradeState, Colour>> = {
  waiting: 'yellow',
  paused: 'yellow',
  held: 'red',
  refused: 'red',
  rollbackIncomplete: 'red',
  rollingBack: 'magenta',
  rolledBack: 'magenta',
  completed: 'green',
};
const STEP_COLOURS: Record<StepState, Colour> = {
  pending: 'dim',
  running: 'cyan',
  waiting: 'yellow',
  held: 'red',
  failed: 'red',
  undone: 'magenta',
  done: 'reset',
  skipped: 'dim',
  declined: 'dim',
  undoing: 'magenta',
};

export function statusLines(view: UpgradeView, options: Display): string[] {
  const { status } = view;
  return [
    ...headingLines(view, options),
    '',
    ...stepLines(status.steps, options),
    ...checkLines(status, options),
    ...holdLines(status, options),
    ...gateLines(status, options),
    ...notUndoneLines(status, options),
    ...keptLines(status),
  ];
}

function headingLines({ status, execution, failure }: UpgradeView, { now, paint }: Display): string[] {
  const path = status.path === undefined ? '' : `  ${safeText(status.path.from)} → ${safeText(status.path.to)}`;
  const state = paint[STATE_COLOURS[status.state] ?? 'cyan'](STATE_WORDS[status.state]);
  const by = status.startedBy === undefined ? '' : ` by ${safeText(status.startedBy, 80)}`;
  const length = formatDuration(elapsed(status.startedAt, status.endedAt, now));
  const outside = endedFromOutside(execution, status);
  const { paused, switchedOff, switchedOffSeconds, cancelRefusedAt } = status;
  const crossedAt = status.crossedAt === undefined ? '' : ` at ${formatTime(status.crossedAt)} UTC`;
  return [
    `${paint.bold(safeText(status.provider))}${path}  ${state}`,
    `Started ${formatTime(status.startedAt)} UTC${by}, ${status.endedAt === undefined ? 'running for' : 'took'} ${length}.`,
    status.crossed
      ? paint.bold(`Point of no return passed${crossedAt}: there is only forward.`)
      : safeText(status.forwardOnly ?? status.listedBefore ?? 'Point of no return not passed.', 600),
    ...(outside === undefined ? [] : [paint.red(outside)]),
    ...(failure === undefined ? [] : safeLines(failure, 2000).map((line) => paint.red(line))),
    ...(cancelRefusedAt === undefined
      ? []
      : [paint.yellow(`A cancellation was refused at ${formatTime(cancelRefusedAt)} UTC: there is only forward.`)]),
    ...switchedOff.map((off) => paint.yellow(`Off: ${safeText(off.what)}, since ${since(off.since, now)}.`)),
    ...Object.entries(switchedOffSeconds).map(
      ([what, seconds]) => `Was off for ${formatDuration(seconds * 1000)}: ${safeText(what)}.`,
    ),
    ...(paused === undefined
      ? []
      : [
          paint.yellow(
            `Paused by ${safeText(paused.by, 80)} since ${since(paused.since, now)}: ${safeText(paused.reason)}`,
          ),
        ]),
  ];
}

const since = (iso: string, now: Date): string =>
  `${formatTime(iso)} UTC (${formatDuration(elapsed(iso, undefined, now))})`;

function stepLines(steps: StepStatus[], options: Display): string[] {
  const titleWidth = Math.max(0, ...steps.map((step) => safeText(step.title).length));
  const crossing = steps.findIndex((step) => step.phase === 'crossing');
  return steps.flatMap((step, index) => [
    ...(index === crossing ? [options.paint.dim('  ── point of no return ──')] : []),
    stepLine(step, titleWidth, options),
  ]);
}

function stepLine(step: StepStatus, titleWidth: number, { now, paint, width }: Display): string {
  const time = step.startedAt === undefined ? '' : formatDuration(elapsed(step.startedAt, step.endedAt, now));
  const note = [STEP_WORDS[step.state], step.note ?? ''].filter((part) => part !== '').join(': ');
  const title = safeText(step.title).padEnd(titleWidth);
  return `  ${paint[STEP_COLOURS[step.state]](safeText(`${STEP_MARKS[step.state]} ${title}  ${time.padStart(11)}  ${note}`, width - 3))}`;
}

function checkLines({ checks }: UpgradeStatus, { paint }: Display): string[] {
  const found = checks.filter((check) => check.verdict !== 'pass');
  if (found.length === 0) return [];
  const line = { warning: paint.yellow, refusal: paint.red, pass: paint.reset };
  return [
    '',
    'The preflight found:',
    ...found.map((check) => line[check.verdict](`  ${check.verdict}: ${safeText(check.message)}`)),
  ];
}

function holdLines({ provider, holds }: UpgradeStatus, { now, paint, calling }: Display): string[] {
  return holds.flatMap((hold) => [
    '',
    paint.red(`Held since ${since(hold.since, now)}: ${safeText(hold.step)}`),
    `  ${safeText(hold.problem, 1000)}`,
    ...howToResolve(provider, hold, calling).map(({ action, onward }) => `  ${action}: ${onward}`),
  ]);
}

function gateLines({ provider, gates }: UpgradeStatus, { now, paint, calling }: Display): string[] {
  if (gates.length === 0) return [];
  return [
    '',
    paint.yellow(`Waiting for people (what to do: ${safeText(commandFor(calling, 'gates', provider))}):`),
    ...gates.flatMap((gate) => [
      `  ${safeText(gate.title)}, for ${formatDuration(elapsed(gate.openedAt, undefined, now))}`,
      ...(gate.lastProblem === undefined ? [] : [`    not yet: ${safeText(gate.lastProblem)}`]),
      `    ${howToAnswerGate(provider, gate, calling).onward}`,
    ]),
  ];
}

function keptLines({ kept }: UpgradeStatus): string[] {
  if (kept.length === 0) return [];
  return ['', 'Stays, whatever happens:', ...kept.map((what) => `  ${safeText(what)}`)];
}

function notUndoneLines({ notUndone }: UpgradeStatus, { paint }: Display): string[] {
  if (notUndone.length === 0) return [];
  return ['', paint.red('Not undone:'), ...notUndone.map((what) => `  ${safeText(what)}`)];
}
