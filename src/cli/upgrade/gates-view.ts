/** Everything that waits for a person, with what to do and how to answer. */
import type { Gate, Hold, UpgradeStatus } from '../../contract/status';
import type { Display } from '../kit/context';
import { type HowToAnswer } from '../kit/messages/how-to-answer';
import { elapsed, formatDuration, formatTime } from '../kit/text/duration';
import { safeLines, safeText } from '../kit/text/safe-text';
import { howToAnswerGate, howToResolve } from './messages';

export type Waiting = Pick<UpgradeStatus, 'provider' | 'gates' | 'holds'>;

const ASKED: Record<Gate['asked'], string> = {
  operator: 'an operator',
  approver: 'an approver',
  partnerAdministrator: 'the partner administrator',
};

export function gatesLines(upgrades: Waiting[], options: Display): string[] {
  const waiting = upgrades.filter(({ gates, holds }) => gates.length + holds.length > 0);
  if (waiting.length === 0) return ['Nothing waits for a person.'];
  return [
    ...waiting.flatMap(({ provider, gates, holds }) => [
      ...holds.flatMap((hold) => holdLines(provider, hold, options)),
      ...gates.flatMap((gate, index) => gateLines(provider, gate, gates[index - 1], options)),
    ]),
    'Replace what stands in <angle brackets>.',
  ];
}

function gateLines(provider: string, gate: Gate, above: Gate | undefined, { now, paint, calling }: Display): string[] {
  return [
    `${paint.bold(safeText(provider))}  ${paint.yellow(safeText(gate.title))}`,
    `  gate ${safeText(gate.id)}, open for ${formatDuration(elapsed(gate.openedAt, undefined, now))}, asks ${ASKED[gate.asked]}${reminder(gate)}`,
    ...(gate.lastProblem === undefined
      ? []
      : [paint.red(`  The last answer was not enough: ${safeText(gate.lastProblem, 1000)}`)]),
    ...(above?.instructions === gate.instructions && above.evidence === gate.evidence
      ? ['  What to do, and what counts as evidence: as above']
      : [
          ...['  What to do', ...indented(gate.instructions)],
          ...['  What counts as evidence', ...indented(gate.evidence)],
        ]),
    '  Answer with one of',
    ...commandLines(howToAnswerGate(provider, gate, calling)),
    '',
  ];
}

function holdLines(provider: string, hold: Hold, { now, paint, calling }: Display): string[] {
  return [
    `${paint.bold(safeText(provider))}  ${paint.red(`step ${safeText(hold.step)} failed and holds`)}`,
    `  for ${formatDuration(elapsed(hold.since, undefined, now))}${reminder(hold)}`,
    ...safeLines(hold.problem, LONGEST).map((line) => `  ${line}`.trimEnd()),
    ...howToResolve(provider, hold, calling).flatMap((how) => [`  To ${decision(how.action)}`, ...commandLines(how)]),
    '',
  ];
}

/** Instructions and problems are shown whole: a sentence that was cut off may be the one that matters. */
const LONGEST = 4000;

const indented = (text: string): string[] => safeLines(text, LONGEST).map((line) => `    ${line}`.trimEnd());

const DECISION: Record<Hold['actions'][number], string> = {
  retry: 'try the step again',
  rollback: 'undo everything and end the upgrade',
  doneByHand: 'go on after the step was done by hand',
};

const decision = (action: ReturnType<typeof howToResolve>[number]['action']): string =>
  action === 'retry' || action === 'rollback' || action === 'doneByHand'
    ? DECISION[action]
    : `${action} as it is in the inventory now`;

const commandLines = ({ onward, temporal }: HowToAnswer): string[] => [`    ${onward}`, `    ${temporal}`];

const reminder = ({ nextReminderAt }: Gate | Hold): string =>
  nextReminderAt === undefined ? '' : `, next reminder ${formatTime(nextReminderAt)} UTC`;
