/**
 * The ledger of one installation: who holds it, and what that operation has begun. A workflow of its own, so that it outlives a
 * Terminate and a Reset of the upgrade; it ends when nothing is left. Upgrades note (activities/ledger), people may have it finished.
 */
import {
  CancellationScope,
  TemporalFailure,
  condition,
  defineQuery,
  defineSignal,
  setCurrentDetails,
  setHandler,
  startChild,
} from '@temporalio/workflow';
import { ONWARD } from '../../src/contract/onward';
import {
  LEDGER_SIGNAL,
  emptyLedger,
  leavesSomething,
  ledgerAfter,
  ledgerInput,
  ledgerMessages,
  ledgerNote,
  leftBy,
  type Ledger,
  type LedgerInput,
} from '../../src/contract/ledger';
import { operationId } from '../../src/contract/operation';
import { upgradeWorkflowId } from '../../src/contract/provider';
import { QUERY, type AuditEntry } from '../../src/contract/status';
import type { UpgradeInput } from '../../src/contract/upgrade-input';
import { handleMessages } from '../kit/messages';
import { now } from '../kit/now';
import { plain } from '../kit/plain-text';
import { problemOf } from '../kit/problem';
import { readInput } from '../kit/read-input';

export async function keepLedger(input: LedgerInput): Promise<void> {
  const { installation } = readInput(
    ledgerInput,
    input,
    () => [],
    (problems) => `The input of keepLedger is not usable: ${problems}. Upgrades start it.`,
  );
  let ledger = emptyLedger(installation);
  const audit: AuditEntry[] = [];
  const write = (entry: Omit<AuditEntry, 'at'>): void => void audit.push({ at: now(), ...entry });
  const asked: string[] = [];
  setHandler(defineQuery<Ledger>(QUERY.status), () => ledger);
  setHandler(defineQuery<AuditEntry[]>(QUERY.audit), () => audit);
  setHandler(
    defineSignal<[unknown]>(LEDGER_SIGNAL),
    (payload) => {
      const note = ledgerNote.safeParse(payload);
      if (note.success) ledger = ledgerAfter(ledger, note.data);
    },
    { description: 'Of upgrades; not for people.' },
  );
  handleMessages(
    ledgerMessages,
    ({ payload: { by } }) => {
      asked.push(by);
      return { accepted: 'An upgrade that finishes it is started, unless one runs.' };
    },
    write,
    () => audit,
  );
  // What it keeps is wanted whoever cancels it: it ends when nothing is left.
  await CancellationScope.nonCancellable(async () => {
    for (let shown: Ledger | undefined; !isDone(ledger);) {
      if (ledger !== shown) setCurrentDetails(ledgerDetails(ledger));
      shown = ledger;
      for (let by = asked.shift(); by !== undefined; by = asked.shift()) await startFinish(ledger, by, write);
      await condition(() => ledger !== shown || asked.length > 0);
    }
  });
  setCurrentDetails('Nothing is left to be done on this installation.');
}

const isDone = (ledger: Ledger): boolean => ledger.left && !leavesSomething(ledger);

async function startFinish(
  { holder }: Ledger,
  by: string,
  write: (entry: Omit<AuditEntry, 'at'>) => void,
): Promise<void> {
  if (!holder) return;
  const { provider } = holder;
  try {
    await startChild<(input: UpgradeInput) => Promise<unknown>>('upgradeProvider', {
      workflowId: upgradeWorkflowId(provider),
      args: [{ provider, startedBy: by, finish: true }],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      parentClosePolicy: 'ABANDON',
      staticSummary: `Finishes the Office 365 upgrade of ${provider}`,
    });
    write({ by: 'ledger', what: 'finish', verdict: 'done', detail: `${upgradeWorkflowId(provider)} was started.` });
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error;
    write({ by: 'ledger', what: 'finish', verdict: 'refused', detail: problemOf(error) });
  }
}

function ledgerDetails(ledger: Ledger): string {
  const { holder, begun, requests, notUndone, left } = ledger;
  if (!holder) return 'Nobody has begun anything.';
  const lines = [
    ...begun.map(({ step, what, since }) =>
      what === undefined ? `${step} began at ${since}` : `${what} is off since ${since}`,
    ),
    ...(requests.length > 0 ? ['The package import was begun: there is only forward.'] : []),
    ...notUndone.map((item) => `❌ Not undone: ${plain(item)}`),
  ];
  return [
    `**${plain(operationId(holder))}** (workflow ${plain(holder.workflowId)})`,
    '',
    ...lines.map((line) => `- ${line}`),
    '',
    left
      ? plain(leftBy(ledger))
      : `If that workflow has ended, bring the upgrade to its end: \`${ONWARD} finish ${plain(holder.provider)}\`, or signal \`finish\` here: \`{"by":"<you>"}\``,
  ].join('\n');
}
