/** The Markdown that the Temporal UI shows as an upgrade's current details. One line per step; lines are list items or
 * paragraphs, because Markdown joins bare lines. */
import { ONWARD } from '../../src/contract/onward';
import { isTakeable } from '../../src/contract/entry';
import type { Gate, Hold, StepState, UpgradeStatus } from '../../src/contract/status';
import { capitalised, plain } from '../kit/plain-text';

const MARK: Record<StepState, string> = {
  pending: '⬜',
  running: '🔄',
  waiting: '✋',
  held: '🛑',
  done: '✅',
  skipped: '⏭️',
  declined: '🚫',
  undoing: '↩️',
  undone: '↩️',
  failed: '❌',
};

const ASKED: Record<Gate['asked'], string> = {
  operator: 'an operator',
  approver: 'an approver who did not start the upgrade',
  partnerAdministrator: "the partner account's administrator",
};

/** Later ones are counted here, and shown by whoever asks for all of them. */
const MOST_GATES = 20;

export function currentDetails(status: UpgradeStatus): string {
  const gatesBeyond = status.gates.length - MOST_GATES;
  return [
    `**${headline(status)}**`,
    ...facts(status).map((fact) => `- ${fact}`),
    ...status.holds.map(hold),
    ...status.gates.slice(0, MOST_GATES).map((open, index) => gate(open, status.gates[index - 1])),
    ...(gatesBeyond > 0
      ? [`✋ **${gatesBeyond} more gates are open**: \`${ONWARD} gates ${plain(status.provider)}\` shows them all.`]
      : []),
    ...status.steps.map(({ state, title, note }) => `- ${MARK[state]} ${title}${note ? `: ${plain(note)}` : ''}`),
  ]
    .map((line, index, all) => (isItem(line) && isItem(all[index - 1]) ? line : `\n${line}`))
    .join('\n')
    .trim();
}

const isItem = (line: string | undefined): boolean => line?.startsWith('- ') ?? false;

function headline({ state, gates, holds, path }: UpgradeStatus): string {
  const where = path ? `${path.from} → ${path.to}` : 'Before the choice of the path';
  const waiting = gates.length > 0 ? `, open gates: ${gates.length}` : '';
  return `${where}: ${holds.length > 0 ? 'held, an operator has to decide' : state}${waiting}`;
}

function facts(status: UpgradeStatus): string[] {
  const {
    crossed,
    crossedAt = '',
    forwardOnly,
    listedBefore,
    finishes,
    switchedOff,
    cancelRefusedAt,
    paused,
    notUndone,
    kept,
    lastRefused,
  } = status;
  return [
    crossed
      ? `The point of no return was passed at ${minute(crossedAt)}: forward only.`
      : (forwardOnly ??
        listedBefore ??
        'The point of no return is not passed: what was done can be undone, unless somebody else imports the package by then.'),
    ...(finishes ? [`Brings to its end what was begun as ${plain(finishes)}.`] : []),
    ...switchedOff.map(({ what, since }) => `${capitalised(plain(what))} is off since ${minute(since)}.`),
    ...(paused ? [`A pause was asked for by ${plain(paused.by)}: ${plain(paused.reason)}`] : []),
    ...(cancelRefusedAt
      ? [`The cancellation at ${minute(cancelRefusedAt)} was refused: past the point of no return the upgrade goes on.`]
      : []),
    ...notUndone.map((item) => `❌ Not undone: ${plain(item)}`),
    ...kept.map((item) => `Stays, whatever happens: ${plain(item)}`),
    ...(lastRefused
      ? [
          `Refused last: ${plain(lastRefused.what)} by ${plain(lastRefused.by)} at ${minute(lastRefused.at)}: ${plain(lastRefused.reason)}`,
        ]
      : []),
  ];
}

function hold({ step, problem, actions, changed = [] }: Hold): string {
  const said = { by: '<you>', reason: '<why>' };
  return [
    `🛑 **${step} holds**: ${plain(problem)}`,
    ...changed
      .filter(({ field }) => isTakeable(field))
      .map((change) => `Signal \`takeEntry\`: \`${JSON.stringify({ ...change, ...said })}\``),
    `Signal \`resolveHold\`: \`${JSON.stringify({ step, action: actions.join(' | '), ...said })}\``,
  ].join('\n\n');
}

/** What several gates in a row have in common is said once. */
function gate(
  { title, asked, openedAt, instructions, evidence, answer, lastProblem }: Gate,
  above: Gate | undefined,
): string {
  const asAbove = above?.instructions === instructions && above.evidence === evidence;
  return [
    `✋ **${plain(title)}** (asked: ${ASKED[asked]}; since ${minute(openedAt)})`,
    ...(lastProblem ? [`The last answer was not enough: ${plain(lastProblem)}`] : []),
    ...(asAbove ? ['What to do: as above.'] : [...instructions.split('\n').map(plain), `Evidence: ${plain(evidence)}`]),
    `Signal \`${answer.name}\`: \`${JSON.stringify(answer.payload)}\``,
  ].join('\n\n');
}

/** `2019-01-20 14:05 UTC` */
const minute = (time: string): string => `${time.slice(0, 16).replace('T', ' ')} UTC`;
