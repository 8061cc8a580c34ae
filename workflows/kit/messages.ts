/**
 * How a workflow hears people. Every message comes as a signal or as an update, and one function judges both. A bad one
 * changes nothing, never fails the workflow, and stays in the audit trail as refused, with the reason. One whose id is in the trail
 * already changes nothing either, and has the verdict of the first: it is safe to send a message again.
 */
import {
  ApplicationFailure,
  defineQuery,
  defineSignal,
  defineUpdate,
  metricMeter,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { z } from 'zod';
import { FAILURE } from '../../src/contract/activities';
import { Doubtful, valueOf } from '../../src/contract/doubtful';
import { MAX_TEXT, messageId, runOf } from '../../src/contract/fields';
import type { Recorded } from '../../src/contract/messages';
import { QUERY, type AuditEntry } from '../../src/contract/status';
import { problemsOf } from './problem';

/** The messages of this workflow: of those that are refused at the door (./refuse-doubtful) the audit trail has the reason. */
export const AUDITED = new Set<string>();

/** The messages that one kind of workflow takes, by name. */
type Family = Readonly<Record<string, z.ZodType>>;

/** One message of a family, read. */
export type MessageOf<Messages extends Family> = {
  [Name in keyof Messages & string]: { name: Name; payload: z.output<Messages[Name]> };
}[keyof Messages & string];

/** What becomes of a message, in one sentence, and which gate or step it is about. */
export type Verdict = { accepted: string; subject?: string } | { refused: string; subject?: string };

/**
 * Registers the handlers of all messages of a family, and of the query `answer`. Call before the first await of the workflow.
 *
 * @param trail the audit trail as it stands, with what `write` has written
 */
export function handleMessages<Messages extends Family>(
  family: Messages,
  judge: (message: MessageOf<Messages>) => Verdict,
  write: (entry: Omit<AuditEntry, 'at'>) => void,
  trail: () => readonly AuditEntry[],
): void {
  const entryOf = (id: string | undefined): AuditEntry | undefined =>
    id === undefined ? undefined : trail().find((entry) => entry.id === id);
  setHandler(defineQuery<AuditEntry | null, [string]>(QUERY.answer), (id) => entryOf(idOf({ id })) ?? null);
  for (const [name, schema] of Object.entries(family)) {
    AUDITED.add(name);
    const receive = (channel: 'signal' | 'update', payload: unknown): Verdict => {
      const id = idOf(payload);
      const first = entryOf(id);
      if (first) return verdictOf(first);
      const message = read<Messages>(name, schema, payload);
      const verdict: Verdict = message.problem === undefined ? judge(message.value) : { refused: message.problem };
      write({
        by: senderOf(valueOf(payload)),
        what: `${channel}:${name}`,
        ...('accepted' in verdict
          ? { verdict: 'accepted', detail: verdict.accepted }
          : { verdict: 'refused', detail: cut(verdict.refused, MAX_TEXT) }),
        ...(verdict.subject === undefined ? {} : { subject: verdict.subject }),
        ...(id === undefined ? {} : { id }),
        payload: excerpt(valueOf(payload)),
      });
      count(name, 'accepted' in verdict ? 'accepted' : 'refused');
      return verdict;
    };
    setHandler(defineSignal<[unknown]>(name), (payload) => {
      receive('signal', payload);
    });
    setHandler(
      defineUpdate<Recorded, [unknown]>(name),
      (payload) => {
        const verdict = receive('update', payload);
        if ('refused' in verdict) throw ApplicationFailure.nonRetryable(verdict.refused, FAILURE.answerRefused);
        return { recorded: true, message: verdict.accepted };
      },
      {
        validator: (payload) => {
          const { problem } = read<Messages>(name, schema, payload);
          if (problem) throw ApplicationFailure.nonRetryable(problem, FAILURE.invalidInput);
        },
      },
    );
  }
}

/** What people send, for the metrics of workers; a replay does not count it again. */
function count(message: string, verdict: 'accepted' | 'refused'): void {
  const counter = metricMeter.createCounter(
    'onward_answers',
    undefined,
    'What people have sent, by what became of it.',
  );
  counter.add(1, { message, verdict });
}

function read<Messages extends Family>(
  name: string,
  schema: z.ZodType,
  payload: unknown,
): { value: MessageOf<Messages>; problem?: never } | { value?: never; problem: string } {
  if (payload instanceof Doubtful) return { problem: `${name} ${payload.reason}` };
  const run = runOf(idOf(payload));
  if (run !== undefined && run !== workflowInfo().firstExecutionRunId) {
    return { problem: `${name} was sent to another run of this workflow: somebody has copied it` };
  }
  const parsed = schema.safeParse(payload);
  if (parsed.success) return { value: { name, payload: parsed.data } as MessageOf<Messages> };
  return { problem: `${name} was not understood: ${problemsOf(parsed.error)}.` };
}

function senderOf(payload: unknown): string {
  const by = payload !== null && typeof payload === 'object' && 'by' in payload ? payload.by : undefined;
  return typeof by === 'string' && by.trim() !== '' ? cut(by, 200) : 'unknown';
}

const idOf = (payload: unknown): string | undefined =>
  payload !== null && typeof payload === 'object' && 'id' in payload ? messageId.safeParse(payload.id).data : undefined;

const verdictOf = ({ verdict, detail, subject }: AuditEntry): Verdict => ({
  ...(verdict === 'refused' ? { refused: detail } : { accepted: detail }),
  ...(subject === undefined ? {} : { subject }),
});

const MAX_FIELDS = 10;

/** The beginning of what was sent, without the id that the entry has itself: enough to see what somebody meant, too little to hurt. */
function excerpt(payload: unknown): Record<string, unknown> {
  if (payload === null || typeof payload !== 'object') return { value: cut(String(JSON.stringify(payload)), 500) };
  return Object.fromEntries(
    Object.entries(payload)
      .filter(([name]) => name !== 'id' || idOf(payload) === undefined)
      .slice(0, MAX_FIELDS)
      .map(([name, value]) => [cut(name, 100), cut(typeof value === 'string' ? value : JSON.stringify(value), 500)]),
  );
}

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length)}…` : text);
