import { setTimeout as delay } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { CliError } from '../cli-error';
import type { Recorded } from '../../../contract/messages';
import { QUERY, type AuditEntry } from '../../../contract/status';

const LISTENS_EVERY_MS = 100;

/**
 * Sends a message as a signal, and reads in the audit trail what became of it. A signal has its place in the history. An update has
 * none until a worker has taken it, and one that arrives while a worker is replaced may have another place when the history is replayed
 * (docs/changing-a-workflow.md).
 *
 * @throws CliError `refused`, with the workflow's reason; whatever the first question fails with, and then nothing was sent.
 */
export async function sayAndHear(
  workflow: Pick<WorkflowHandle, 'query' | 'signal'>,
  name: string,
  message: { by: string },
): Promise<Recorded> {
  const trail = (): Promise<AuditEntry[]> => workflow.query<AuditEntry[]>(QUERY.audit);
  const known = new Set((await trail()).map((entry) => JSON.stringify(entry)));
  await workflow.signal(name, message);
  const { verdict, detail } = await heard(name, async () =>
    (await trail()).find(
      (entry) => entry.what === `signal:${name}` && isBy(entry, message.by) && !known.has(JSON.stringify(entry)),
    ),
  );
  if (verdict === 'refused') throw new CliError('refused', detail);
  return { recorded: true, message: detail };
}

/** The trail keeps the beginning of a name that is too long, and why it was refused. */
const isBy = ({ by }: AuditEntry, sender: string): boolean =>
  by === sender || (by.endsWith('…') && sender.startsWith(by.slice(0, -1)));

/** A signal that was sent is heard by the next worker, so nobody has to send it again. */
async function heard(name: string, look: () => Promise<AuditEntry | undefined>): Promise<AuditEntry> {
  try {
    for (;;) {
      const entry = await look();
      if (entry) return entry;
      await delay(LISTENS_EVERY_MS);
    }
  } catch (cause) {
    throw new CliError('failure', `${name} was sent, and no Onward worker has taken it in time.`, {
      hint: 'The next worker takes it; do not send it again. The audit trail will say what became of it.',
      cause,
    });
  }
}
