/** One notice that did not go out at once. What it was sent for goes on meanwhile. */
import type { ToTell } from '../src/contract/activities';
import { notifyPatiently } from './pipeline/activities';

/** Started by the activity `notify`. Fails where the target was not to be reached within the server's patience. */
export async function deliverNotice(undelivered: ToTell): Promise<void> {
  await notifyPatiently.notify(`tell, more patiently: ${undelivered.notice.subject}`, undelivered);
}
