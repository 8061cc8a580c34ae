/**
 * Decides about values that nobody vouches for (src/contract/doubtful) at every door of a workflow, so that nothing behind it meets one. What is
 * refused changes nothing, and never fails a workflow task: that would be tried again for ever.
 *
 * That plaintext was refused is recorded, as a patch: a replay decides as it was decided, whatever the clock and the settings say by then.
 */
import {
  ApplicationFailure,
  log,
  patched,
  workflowInfo,
  type WorkflowInterceptors,
  type WorkflowInboundCallsInterceptor,
  type WorkflowInternalsInterceptor,
  type WorkflowOutboundCallsInterceptor,
} from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import { Doubtful, valueOf } from '../../src/contract/doubtful';
import { AUDITED } from './messages';

const REFUSED = 'plaintext-refused';

export const interceptors = (): WorkflowInterceptors => ({
  inbound: [inbound],
  outbound: [outbound],
  internals: [internals],
});

const inbound: WorkflowInboundCallsInterceptor = {
  async execute(input, next) {
    const refused = refusedOf(input.args);
    const { workflowType } = workflowInfo();
    // A worker with a wrong key must not end what is not its own: it waits for one that can read it.
    if (refused?.doubt === 'changed') throw new Error(`The input of ${workflowType} ${refused.reason}`);
    if (refused) throw failure(`${workflowType} cannot start: its input ${refused.reason}`, FAILURE.invalidInput);
    return await next({ ...input, args: input.args.map(valueOf) });
  },

  async handleSignal(input, next) {
    const refused = refusedOf(input.args);
    if (!refused) return await next({ ...input, args: input.args.map(valueOf) });
    log.warn(`The signal ${input.signalName} ${refused.reason}`);
    // Those between workflows are not heard.
    if (AUDITED.has(input.signalName)) await next({ ...input, args: [refused] });
  },

  validateUpdate(input, next) {
    const refused = input.args.find((arg) => arg instanceof Doubtful && (arg.isAlwaysRefused || arg.late));
    if (refused instanceof Doubtful) throw failure(`${input.name} ${refused.reason}`, FAILURE.answerRefused);
    next({ ...input, args: input.args.map(valueOf) });
  },

  /** The validator has let it in, and is not asked again by a replay. */
  async handleUpdate(input, next) {
    return await next({ ...input, args: input.args.map(valueOf) });
  },

  /** It changes nothing, and what it is answered is encrypted. */
  async handleQuery(input, next) {
    return await next({ ...input, args: input.args.map(valueOf) });
  },
};

/**
 * A worker's activity that gives nothing says so in a payload, which is encrypted like others. A result without any payload is somebody else's, and
 * would read as "nothing": no package in the list, no upgrade at work. Nobody waits for what local activities give.
 */
const internals: WorkflowInternalsInterceptor = {
  activate(input, next) {
    for (const { resolveActivity } of input.activation.jobs ?? []) {
      const completed = resolveActivity?.isLocal === true ? undefined : resolveActivity?.result?.completed;
      if (completed && !completed.result) completed.result = {};
    }
    next(input);
  },
};

const outbound: WorkflowOutboundCallsInterceptor = {
  async scheduleActivity(input, next) {
    const result = await next(input);
    const refused = refusedOf([result]);
    if (refused) throw failure(`The result of ${input.activityType} ${refused.reason}`, FAILURE.outcomeUnknown);
    return valueOf(result);
  },
};

/** The first of them that is refused. */
const refusedOf = (values: readonly unknown[]): Doubtful | undefined =>
  values.find((value): value is Doubtful => value instanceof Doubtful && isRefused(value));

const isRefused = (value: Doubtful): boolean =>
  value.isAlwaysRefused || ((value.late || workflowInfo().unsafe.isReplaying) && patched(REFUSED));

const failure = (message: string, type: string): ApplicationFailure => ApplicationFailure.nonRetryable(message, type);
