import { sayAndHear } from '../../src/cli/kit/messages/send-message';
import type { AuditEntry } from '../../src/contract/status';

const at = '2026-11-24T10:00:00.000Z';
const entry = (of: Partial<AuditEntry>): AuditEntry => ({
  at,
  by: 'ana',
  what: 'signal:abort',
  verdict: 'accepted',
  detail: 'Everything done so far is being undone.',
  ...of,
});

/** Its audit trail reads so when it is asked for the first, the second, ... time; then it no longer answers. */
function workflowWith(...trails: AuditEntry[][]) {
  const signals: unknown[] = [];
  return {
    signals,
    query: async <T>(): Promise<T> => {
      const trail = trails.shift();
      if (!trail) throw new Error('deadline exceeded');
      return trail as T;
    },
    signal: async (name: string, message: object) => void signals.push([name, message]),
  };
}
const say = (workflow: ReturnType<typeof workflowWith>) => sayAndHear(workflow as never, 'abort', { by: 'ana' });

describe('a message', () => {
  test('is sent once, and what became of it is read in the audit trail, also where others say the same', async () => {
    const earlier = entry({ verdict: 'refused', detail: 'Aborted already.' });
    const others = entry({ by: 'bo', verdict: 'refused', detail: 'Bo may not.' });
    const workflow = workflowWith([earlier], [earlier], [earlier, others], [earlier, others, entry({ at: `${at}+` })]);
    await expect(say(workflow)).resolves.toEqual({
      recorded: true,
      message: 'Everything done so far is being undone.',
    });
    expect(workflow.signals).toEqual([['abort', { by: 'ana' }]]);
  });

  test('that is refused fails with the reason', async () => {
    const workflow = workflowWith([], [entry({ verdict: 'refused', detail: 'It is over.' })]);
    await expect(say(workflow)).rejects.toMatchObject({ kind: 'refused', message: 'It is over.' });
  });

  test('by a name that is too long is found by the beginning that the trail keeps', async () => {
    const by = 'a'.repeat(300);
    const refusal = entry({ by: `${by.slice(0, 200)}…`, verdict: 'refused', detail: 'by has at most 200 characters.' });
    const workflow = workflowWith([], [refusal]);
    await expect(sayAndHear(workflow as never, 'abort', { by })).rejects.toMatchObject({ kind: 'refused' });
  });

  test('is not sent where nobody answers', async () => {
    const workflow = workflowWith();
    await expect(say(workflow)).rejects.toThrow('deadline exceeded');
    expect(workflow.signals).toEqual([]);
  });

  test('that was sent need not be sent again, where nobody has taken it in time', async () => {
    await expect(say(workflowWith([], []))).rejects.toMatchObject({
      message: 'abort was sent, and no Onward worker has taken it in time.',
      hint: expect.stringContaining('do not send it again') as string,
    });
  });
});
