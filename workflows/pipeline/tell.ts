/** Tells people something, by every target of the provider. */
import { CancellationScope, uuid4 } from '@temporalio/workflow';
import type { Notice } from '../../src/contract/activities';
import type { NotifierTarget } from '../../src/contract/provider';
import { notifyAtOnce, notifyPatiently } from './activities';
import { problemOf } from './problem';

/**
 * One notice to everybody. A failure to deliver it changes nothing else.
 *
 * @param undelivered hears of each target that could not be reached.
 */
export async function tell(
  targets: readonly NotifierTarget[],
  notice: Omit<Notice, 'id'>,
  undelivered: (problem: string) => void,
): Promise<void> {
  const { subject } = notice;
  const told: Notice = { id: uuid4(), ...notice };
  const deliver = async (target: NotifierTarget): Promise<void> => {
    try {
      await notifyAtOnce
        .notify(`tell: ${subject}`, { target, notice: told })
        .catch(() => notifyPatiently.notify(`tell, more patiently: ${subject}`, { target, notice: told }));
    } catch (error) {
      undelivered(`Nobody could be told "${subject}" by ${target.kind}: ${problemOf(error)}`);
    }
  };
  await CancellationScope.nonCancellable(() => Promise.all(targets.map(deliver)));
}
