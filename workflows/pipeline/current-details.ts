/** The Markdown that the Temporal UI shows as an upgrade's current details: one line per step. */
import type { Gate, StepState, UpgradeStatus } from '../../src/contract/status';

const MARK: Record<StepState, string> = {
  pending: '⬜',
  running: '🔄',
  waiting: '✋',
  held: '🛑',
  done: '✅',
  undone: '↩️',
  failed: '❌',
};

export function currentDetails(status: UpgradeStatus): string {
  const lines = [`**${headline(status)}**`, '', crossing(status)];
  if (status.provisioningOffSince) lines.push(`Provisioning is off since ${status.provisioningOffSince}.`);
  if (status.cancelRefusedAt)
    lines.push(
      `Cancellation at ${status.cancelRefusedAt} was refused: past the point of no return the upgrade goes on.`,
    );
  if (status.paused) lines.push(`Pause asked for by ${plain(status.paused.by)}: ${plain(status.paused.reason)}`);
  for (const hold of status.holds)
    lines.push('', `🛑 **${hold.step} holds**: ${plain(hold.problem)}`, answerHold(hold.step, hold.actions));
  for (const gate of status.gates)
    lines.push('', `✋ **${plain(gate.title)}** (asked: ${gate.asked}, since ${gate.openedAt})`, answerGate(gate));
  for (const item of status.notUndone) lines.push('', `❌ Not undone: ${plain(item)}`);
  lines.push(
    '',
    ...status.steps.map((step) => `${MARK[step.state]} ${step.title}${step.note ? `: ${plain(step.note)}` : ''}`),
  );
  return lines.join('\n');
}

function headline({ state, gates, holds, path }: UpgradeStatus): string {
  const where = path ? `${path.from} → ${path.to}` : 'Before the choice of the path';
  const waiting = gates.length > 0 ? `, ${gates.length} open gate${gates.length > 1 ? 's' : ''}` : '';
  return `${where}: ${holds.length > 0 ? 'held, an operator has to decide' : state}${waiting}`;
}

function crossing({ crossed, crossedAt }: UpgradeStatus): string {
  return crossed
    ? `The point of no return was passed at ${crossedAt ?? 'an unknown time'}: forward only.`
    : 'The point of no return is not passed: everything can still be undone.';
}

function answerGate({ answer, lastProblem }: Gate): string {
  const problem = lastProblem ? `Last answer was not enough: ${plain(lastProblem)}\n` : '';
  return `${problem}Signal \`${answer.name}\` with \`${JSON.stringify(answer.payload)}\``;
}

function answerHold(step: string, actions: string[]): string {
  return `Signal \`resolveHold\` with \`${JSON.stringify({ step, action: actions.join(' | '), by: '<you>', reason: '<why>' })}\``;
}

/** Text of people and systems must not become markup, nor fill the page. */
export function plain(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').replace(/[\\`*_{}[\]<>()#|!]/g, '\\$&');
  return line.length > 500 ? `${line.slice(0, 500)}…` : line;
}
