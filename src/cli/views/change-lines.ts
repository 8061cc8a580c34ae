/** What changed between two looks at an upgrade, as lines that are appended where nothing can be redrawn. */
import type { Gate, StepStatus } from '../../contract/status';
import { elapsed, formatDuration } from '../text/duration';
import { safeText } from '../text/safe-text';
import type { UpgradeView } from '../upgrades';
import { howToAnswerGate, howToResolve, type Calling } from './how-to-answer';
import { endedFromOutside, isOver, STATE_WORDS } from './upgrade-state';

export function changeLines(
  before: UpgradeView | undefined,
  { status, execution }: UpgradeView,
  { now, calling }: { now: Date; calling: Calling },
): string[] {
  const old = before?.status;
  const { provider } = status;
  const lines = status.steps.flatMap((step) =>
    stepChange(
      old?.steps.find(({ name }) => name === step.name),
      step,
      now,
    ),
  );
  if (status.crossed && old?.crossed !== true) lines.push('Point of no return passed: there is only forward.');
  if (status.paused !== undefined && old?.paused === undefined) {
    lines.push(`Paused by ${safeText(status.paused.by, 80)}: ${safeText(status.paused.reason)}`);
  }
  if (status.paused === undefined && old?.paused !== undefined) lines.push('Resumed.');
  for (const hold of status.holds) {
    if (old?.holds.some(({ step, since }) => step === hold.step && since === hold.since)) continue;
    lines.push(
      `Held: ${safeText(hold.step)}: ${safeText(hold.problem, 1000)}`,
      ...howToResolve(provider, hold, calling).flatMap(({ onward, temporal }) => [`    ${onward}`, `    ${temporal}`]),
    );
  }
  for (const gate of status.gates) lines.push(...gateChange(provider, findGate(old?.gates, gate), gate, calling));
  for (const gate of old?.gates ?? []) {
    if (findGate(status.gates, gate) === undefined) lines.push(`Answered: ${safeText(gate.title)}`);
  }
  if (old?.state !== status.state && isOver({ status, execution })) lines.push(`Upgrade ${STATE_WORDS[status.state]}.`);
  const outside = endedFromOutside(execution, status);
  if (outside !== undefined && before?.execution !== execution) lines.push(outside);
  return lines;
}

const findGate = (gates: Gate[] | undefined, { id, openedAt }: Gate): Gate | undefined =>
  gates?.find((gate) => gate.id === id && gate.openedAt === openedAt);

function stepChange(before: StepStatus | undefined, step: StepStatus, now: Date): string[] {
  if (step.state === 'pending' || (before?.state === step.state && before.note === step.note)) return [];
  const time =
    step.endedAt !== undefined && step.startedAt !== undefined
      ? ` (${formatDuration(elapsed(step.startedAt, step.endedAt, now))})`
      : '';
  const note = step.note === undefined ? '' : `: ${safeText(step.note)}`;
  return [`${safeText(step.title)} ${step.state}${time}${note}`];
}

function gateChange(provider: string, before: Gate | undefined, gate: Gate, calling: Calling): string[] {
  if (before !== undefined && before.lastProblem === gate.lastProblem) return [];
  if (gate.lastProblem !== undefined) return [`Not yet: ${safeText(gate.title)}: ${safeText(gate.lastProblem, 1000)}`];
  const { onward, temporal } = howToAnswerGate(provider, gate, calling);
  return [`Waiting for a person: ${safeText(gate.title)}`, `    ${onward}`, `    ${temporal}`];
}
