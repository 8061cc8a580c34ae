/** Tells people something, by every target of the provider. A failure to deliver it changes nothing else. */
import { CancellationScope, uuid4 } from '@temporalio/workflow';
import type { Notice } from '../../src/contract/activities';
import type { NotifierTarget } from '../../src/contract/provider';
import { notifyAtOnce, notifyPatiently } from './activities';
import { problemOf } from './problem';

/** Hears of each target that could not be reached. */
type Undelivered = (problem: string) => void;

/** Nobody waits for it, and nothing that the workflow does may follow from it: see {@link notifyAtOnce}. */
export function tellInPassing(
  targets: readonly NotifierTarget[],
  notice: Omit<Notice, 'id'>,
  undelivered: Undelivered,
): void {
  void deliver(notifyAtOnce, targets, notice, undelivered);
}

/** Returns when everybody was told, or when the server's patience is over: for what a workflow says before it ends. */
export async function tell(
  targets: readonly NotifierTarget[],
  notice: Omit<Notice, 'id'>,
  undelivered: Undelivered,
): Promise<void> {
  await deliver(notifyPatiently, targets, notice, undelivered);
}

async function deliver(
  { notify }: typeof notifyAtOnce,
  targets: readonly NotifierTarget[],
  notice: Omit<Notice, 'id'>,
  undelivered: Undelivered,
): Promise<void> {
  const toOne = async (target: NotifierTarget): Promise<void> => {
    try {
      await notify(`tell: ${notice.subject}`, { target, notice: { id: uuid4(), ...notice } });
    } catch (error) {
      undelivered(`Nobody could be told "${notice.subject}" by ${target.kind}: ${problemOf(error)}`);
    }
  };
  await CancellationScope.nonCancellable(() => Promise.all(targets.map(toOne)));
}
