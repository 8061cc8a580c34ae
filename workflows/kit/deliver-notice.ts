/** One notice that did not go out at once, or the last one of an upgrade. What it was sent for goes on, or ends, meanwhile. */
import { noticeSummary, type ToTell } from '../../src/contract/activities';
import { notifyPatiently } from './activities';

/** Started by the activity `notify`, or by an upgrade that ends. Fails where the target was not to be reached within the server's patience. */
export async function deliverNotice(undelivered: ToTell): Promise<void> {
  await notifyPatiently.notify(noticeSummary(undelivered.notice), undelivered);
}
