/** Tells people something, by every target of the provider. A failure to deliver it changes nothing else. */
import {
  CancellationScope,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  startChild,
  uuid4,
} from '@temporalio/workflow';
import type { FrozenProfile } from '../../src/contract/entry';
import { noticeSummary, noticeWorkflowId, type Notice, type ToTell } from '../../src/contract/activities';
import { providerAttribute } from '../../src/temporal/search-attributes';
import { notifyAtOnce, notifyPatiently } from './activities';
import { problemOf } from './problem';

/** Hears of each target that could not be reached. */
type Undelivered = (problem: string) => void;

/** Returns when everybody was told, or the workflow `deliverNotice` goes on trying; nobody needs to wait for it but who ends. */
export async function notifyInPassing(
  targets: FrozenProfile['notify'],
  notice: Omit<Notice, 'id'>,
  undelivered: Undelivered,
): Promise<void> {
  await forEach(targets, notice, undelivered, (one) =>
    notifyAtOnce.notify(noticeSummary(one.notice), { ...one, handOver: true }),
  );
}

/** Returns when everybody was told, or when the server's patience is over: for a workflow that never ends. */
export async function notifyAndWait(
  targets: FrozenProfile['notify'],
  notice: Omit<Notice, 'id'>,
  undelivered: Undelivered,
): Promise<void> {
  await forEach(targets, notice, undelivered, (one) => notifyPatiently.notify(noticeSummary(one.notice), one));
}

/** Returns when workflows of their own have begun to tell it: for what a workflow says before it ends. */
export async function notifyByWorkflow(
  targets: FrozenProfile['notify'],
  notice: Omit<Notice, 'id'>,
  undelivered: Undelivered,
): Promise<void> {
  await forEach(targets, notice, undelivered, (one) =>
    startChild<(undelivered: ToTell) => Promise<void>>('deliverNotice', {
      workflowId: noticeWorkflowId(one.notice),
      args: [one],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      staticSummary: noticeSummary(one.notice),
      typedSearchAttributes: [{ key: providerAttribute, value: one.notice.provider }],
    }),
  );
}

async function forEach(
  targets: FrozenProfile['notify'],
  notice: Omit<Notice, 'id'>,
  undelivered: Undelivered,
  deliver: (one: ToTell) => Promise<unknown>,
): Promise<void> {
  const toOne = async ({ kind }: FrozenProfile['notify'][number], target: number): Promise<void> => {
    try {
      await deliver({ target, notice: { id: uuid4(), ...notice } });
    } catch (error) {
      undelivered(`Nobody could be told "${notice.subject}" by ${kind}: ${problemOf(error)}`);
    }
  };
  await CancellationScope.nonCancellable(() => Promise.all(targets.map(toOne)));
}
