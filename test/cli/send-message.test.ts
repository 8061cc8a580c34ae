import { sendMessage } from '../../src/cli/kit/messages/send-message';
import { runOf } from '../../src/contract/fields';
import type { AuditEntry } from '../../src/contract/status';

const entry = (of: Partial<AuditEntry>): AuditEntry => ({
  at: '2026-11-24T10:00:00.000Z',
  by: 'ana',
  what: 'signal:abort',
  verdict: 'accepted',
  detail: 'Everything done so far is being undone.',
  ...of,
});

const FIRST_RUN = '01a2b3c4-0000-7000-8000-000000000001';

/** It answers so when it is asked for the first, the second, ... time; then it no longer answers. */
function workflowWith(...answers: (AuditEntry | null)[]) {
  const asked: unknown[] = [];
  const signals: { name: string; message: { by: string; id: string } }[] = [];
  return {
    asked,
    signals,
    describe: async () => ({ raw: { workflowExecutionInfo: { firstRunId: FIRST_RUN } } }),
    query: async <T>(name: string, id: string): Promise<T> => {
      asked.push([name, id]);
      const answer = answers.shift();
      if (answer === undefined) throw new Error('deadline exceeded');
      return answer as T;
    },
    signal: async (name: string, message: { by: string; id: string }) => void signals.push({ name, message }),
  };
}
const send = (workflow: ReturnType<typeof workflowWith>) => sendMessage(workflow as never, 'abort', { by: 'ana' });

describe('a message', () => {
  test('is sent once, with an id by which the workflow is asked until it knows what became of it', async () => {
    const workflow = workflowWith(null, null, null, entry({}));
    await expect(send(workflow)).resolves.toEqual({
      recorded: true,
      message: 'Everything done so far is being undone.',
    });
    const [{ name, message } = { name: '', message: { by: '', id: '' } }, ...others] = workflow.signals;
    expect({ name, by: message.by, others }).toEqual({ name: 'abort', by: 'ana', others: [] });
    expect(runOf(message.id)).toBe(FIRST_RUN);
    expect(workflow.asked).toEqual(Array(4).fill(['answer', message.id]));
  });

  test('has an id of its own', async () => {
    const [first, second] = [workflowWith(null, entry({})), workflowWith(null, entry({}))];
    await send(first);
    await send(second);
    expect(first.signals[0]?.message.id).not.toBe(second.signals[0]?.message.id);
  });

  test('that is refused fails with the reason', async () => {
    const workflow = workflowWith(null, entry({ verdict: 'refused', detail: 'It is over.' }));
    await expect(send(workflow)).rejects.toMatchObject({ kind: 'refused', message: 'It is over.' });
  });

  test('is not sent where nobody answers', async () => {
    const workflow = workflowWith();
    await expect(send(workflow)).rejects.toThrow('deadline exceeded');
    expect(workflow.signals).toEqual([]);
  });

  test('that was sent need not be sent again, where nobody has taken it in time', async () => {
    await expect(send(workflowWith(null, null))).rejects.toMatchObject({
      message: 'abort was sent, and no Onward worker has taken it in time.',
      hint: expect.stringContaining('do not send it again') as string,
    });
  });
});
