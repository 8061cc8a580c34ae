/** One notice that did not go out at once, or the last one of an upgrade. What it was sent for goes on, or ends, meanwhile. */
import { noticeSummary, noticeWorkflowId, toTell, type ToTell } from '../../src/contract/activities';
import { notifyPatiently } from './activities';
import { otherIdThan, readInput } from './read-input';

/** Started by the activity `notify`, or by an upgrade that ends. Fails where the target was not to be reached within the server's patience. */
export async function deliverNotice(input: ToTell): Promise<void> {
  const undelivered = read(input);
  await notifyPatiently.notify(noticeSummary(undelivered.notice), undelivered);
}

const read = (input: unknown): ToTell =>
  readInput(
    toTell,
    input,
    ({ notice }) => otherIdThan(noticeWorkflowId(notice)),
    (problems) => `The input of deliverNotice is not usable: ${problems}. Whoever has something to tell gives it.`,
  );
