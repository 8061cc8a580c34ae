/** A look before the upgrade as lines for people: problems first, then whom it will ask, then what each step changes. */
import type { PreflightReport } from '../../contract/preflight';
import type { CheckResult, PlannedStep, Question } from '../../contract/status';
import { commandFor, type Display } from '../kit/context';
import { safeText } from '../kit/text/safe-text';
import { PHASE_WORDS, whenDone } from '../kit/text/step-words';

const MEANS = {
  refusal: 'Against the upgrade: it would be refused before anything is touched.',
  warning: 'To know before: the upgrade goes on all the same.',
  pass: 'In order:',
} as const;

export function preflightLines(report: PreflightReport, display: Display): string[] {
  const { provider, checks, steps } = report;
  const { paint } = display;
  const of = (verdict: CheckResult['verdict']): CheckResult[] => checks.filter((check) => check.verdict === verdict);
  const colours = { refusal: paint.red, warning: paint.yellow } as const;
  const problems = (['refusal', 'warning'] as const).flatMap((verdict) => {
    const some = of(verdict);
    if (some.length === 0) return [];
    return ['', colours[verdict](MEANS[verdict]), ...some.flatMap((check) => problemLines(check, display))];
  });
  const passed = of('pass');
  return [
    headingOf(report, display),
    ...problems,
    ...(passed.length === 0
      ? []
      : [
          '',
          paint.green(`${MEANS.pass} ${passed.length} checks`),
          ...passed.map(({ message }) => `  ${safeText(message)}`),
        ]),
    ...questionLines(steps, display),
    ...offLines(report),
    ...(steps.length === 0
      ? []
      : ['', `What each step changes: ${safeText(commandFor(display.calling, 'plan', provider))}`]),
  ];
}

export function planLines(report: PreflightReport, display: Display): string[] {
  const { paint } = display;
  const { steps, checks } = report;
  const problems = checks.filter(({ verdict }) => verdict === 'refusal');
  return [
    headingOf(report, display),
    ...(problems.length === 0
      ? []
      : ['', paint.red(MEANS.refusal), ...problems.flatMap((each) => problemLines(each, display))]),
    ...steps.flatMap((step, index) => [
      '',
      ...(step.phase === 'crossing' ? [paint.bold('── point of no return ──')] : []),
      ...stepLines(step, index, display),
    ]),
    ...offLines(report),
  ];
}

const headingOf = ({ provider, path, verdict }: PreflightReport, { paint }: Display): string =>
  `${paint.bold(safeText(provider))}${path ? `  ${safeText(path.from)} → ${safeText(path.to)}` : ''}  ${
    verdict === 'clear' ? paint.green('nothing stands against the upgrade') : paint.red('would be refused')
  }`;

const problemLines = ({ name, message, source }: CheckResult, { paint }: Display): string[] => [
  `  ${paint.bold(safeText(name))}: ${safeText(message, 2000)}`,
  paint.dim(`    asked by: ${safeText(source)}`),
];

const WHO: Record<Question['asked'], string> = {
  operator: 'operator',
  approver: 'approver',
  partnerAdministrator: "partner's administrator",
};

function questionLines(steps: readonly PlannedStep[], { paint }: Display): string[] {
  const asked = steps
    .filter(({ applies }) => applies !== false)
    .flatMap(({ name, asks = [] }) => asks.map((each) => ({ name, ...each })));
  if (asked.length === 0) return [];
  return [
    '',
    paint.yellow('People will be asked:'),
    ...asked.map(
      ({ name, asked: whom, what, times }) =>
        `  ${WHO[whom]}${times > 1 ? `, ${times} times` : ''}: ${safeText(what, 1000)} (${safeText(name)})`,
    ),
  ];
}

function offLines({ off, steps }: PreflightReport): string[] {
  const assumed = steps.flatMap(({ name, takes }) => (takes ? [`${safeText(name)} ${minutes(takes)}`] : []));
  return off.flatMap(({ what, from, to, seconds, questions }) => [
    '',
    `${capitalised(safeText(what))} will be off from ${safeText(from)} to ${safeText(to)}: about ${minutes(seconds)} of work${
      questions === 0 ? '' : `, and as long as people take for ${questions} ${questions === 1 ? 'answer' : 'answers'}`
    }.`,
    `  Assumed: ${assumed.join(', ') || 'moments for each step'}. Open tasks come on top.`,
  ]);
}

function stepLines(step: PlannedStep, index: number, { paint }: Display): string[] {
  const { name, title, procedure, phase, waitsFor, undo, changes, undoneBy = [], asks = [] } = step;
  const skipped = step.applies === false ? paint.dim(' (not for this provider)') : '';
  return [
    `${paint.bold(`${index + 1}. ${safeText(title)}`)} (${safeText(name)})${skipped}`,
    paint.dim(`   ${safeText(procedure)}`),
    `   done: ${whenDone(step)}; ${PHASE_WORDS[phase]}; waits for ${safeText(waitsFor)}`,
    ...(changes.length === 0 ? ['   changes: nothing by itself'] : []),
    ...changes.map(
      ({ system, call, effect, on }) =>
        `   changes: ${safeText(system)}, ${safeText(call)}${on === undefined || on === '' ? '' : ` on ${safeText(on, 1000)}`}: ${safeText(effect)}`,
    ),
    ...asks.map(
      ({ asked, what, times }) =>
        `   asks: ${WHO[asked]}${times > 1 ? `, ${times} times` : ''}: ${safeText(what, 1000)}`,
    ),
    `   undo: ${safeText(undo)}${undoneBy.length === 0 ? '' : ` (${undoneBy.map((call) => safeText(call)).join(', ')})`}`,
  ];
}

const minutes = (seconds: number): string => `${Math.ceil(seconds / 60)} min`;
const capitalised = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
