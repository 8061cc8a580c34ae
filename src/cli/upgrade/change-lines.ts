/** What changed between two looks at an upgrade, as lines that are appended and stay. */
import type { Gate, StepStatus } from '../../contract/status';
import type { Calling } from '../kit/context';
import { isOver } from '../kit/execution';
import { type HowToAnswer } from '../kit/messages/how-to-answer';
import { elapsed, formatDuration } from '../kit/text/duration';
import { safeText } from '../kit/text/safe-text';
import { howToAnswerGate, howToResolve } from './messages';
import { endedFromOutside, STATE_WORDS, STEP_WORDS } from './upgrade-state';
import type { UpgradeView } from './upgrades';

/** What the upgrade did; a terminal that redraws shows it anyway. */
export function progressLines(
  before: UpgradeView | undefined,
  { status, execution }: UpgradeView,
  now: Date,
): string[] {
  const old = before?.status;
  const { paused, crossed } = status;
  const outside = endedFromOutside(execution, status);
  return [
    ...status.steps.flatMap((step) =>
      stepChange(
        old?.steps.find(({ name }) => name === step.name),
        step,
        now,
      ),
    ),
    ...(crossed && old?.crossed !== true ? ['Point of no return passed: there is only forward.'] : []),
    ...(paused !== undefined && old?.paused === undefined
      ? [`Paused by ${safeText(paused.by, 80)}: ${safeText(paused.reason)}`]
      : []),
    ...(paused === undefined && old?.paused !== undefined ? ['Resumed.'] : []),
    ...(old?.state !== status.state && isOver({ execution }) ? [`Upgrade ${STATE_WORDS[status.state]}.`] : []),
    ...(outside !== undefined && before?.execution !== execution ? [outside] : []),
  ];
}

function stepChange(before: StepStatus | undefined, step: StepStatus, now: Date): string[] {
  if (step.state === 'pending' || (before?.state === step.state && before.note === step.note)) return [];
  const { startedAt, endedAt } = step;
  const over = startedAt !== undefined && endedAt !== undefined;
  const time = over ? ` (${formatDuration(elapsed(startedAt, endedAt, now))})` : '';
  return [
    `${safeText(step.title)} ${STEP_WORDS[step.state] || step.state}${time}${step.note === undefined ? '' : `: ${safeText(step.note)}`}`,
  ];
}

/** Who began and who ceased to be waited for, with the commands that answer. */
export function waitingLines(before: UpgradeView | undefined, { status }: UpgradeView, calling: Calling): string[] {
  const { provider, gates, holds } = status;
  const old = before?.status;
  const isOld = (hold: { step: string; since: string }): boolean =>
    old?.holds.some(({ step, since }) => step === hold.step && since === hold.since) === true;
  return [
    ...holds
      .filter((hold) => !isOld(hold))
      .flatMap((hold) => [
        `Held: ${safeText(hold.step)}: ${safeText(hold.problem, 1000)}`,
        ...howToResolve(provider, hold, calling).flatMap(commandLines),
      ]),
    ...gates.flatMap((gate) => gateChange(provider, findGate(old?.gates, gate), gate, calling)),
    ...(old?.gates ?? [])
      .filter((gate) => findGate(gates, gate) === undefined)
      .map(({ title }) => `Answered: ${safeText(title)}`),
  ];
}

const findGate = (gates: Gate[] | undefined, { id, openedAt }: Gate): Gate | undefined =>
  gates?.find((gate) => gate.id === id && gate.openedAt === openedAt);

function gateChange(provider: string, before: Gate | undefined, gate: Gate, calling: Calling): string[] {
  const { title, lastProblem } = gate;
  if (before === undefined) {
    return [`Waiting for a person: ${safeText(title)}`, ...commandLines(howToAnswerGate(provider, gate, calling))];
  }
  if (lastProblem === undefined || lastProblem === before.lastProblem) return [];
  return [`Not yet: ${safeText(title)}: ${safeText(lastProblem, 1000)}`];
}

const commandLines = ({ onward, temporal }: HowToAnswer): string[] => [`    ${onward}`, `    ${temporal}`];
