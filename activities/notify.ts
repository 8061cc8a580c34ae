import { Context, log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import type { Notice, NotifyActivities } from '../src/contract/activities';
import type { NotifierTarget } from '../src/contract/provider';
import { exchange, type HttpRequest, statusFailure } from '../src/systems/http';
import { SystemError } from '../src/systems/system-error';
import type { ResolveSecret } from '../src/systems/xmlrpc-endpoint';

/** One way to tell people something. */
export interface Notifier {
  /** Delivers the notice, or throws a SystemError that names the target without anything secret in its address. */
  deliver(notice: Notice): Promise<void>;
}

const WEBHOOK_DEADLINE_MS = 15_000;

/** Positions in `targets` of those that were reached. */
const targetNumbers = z.array(z.int()).default([]);

export function createNotifyActivities({ resolveSecret }: { resolveSecret: ResolveSecret }): NotifyActivities {
  return {
    notify: async ({ targets, notice }) => {
      const context = Context.current();
      // A repeated attempt goes only to those that the last one did not reach.
      const reached = new Set(targetNumbers.parse(context.info.heartbeatDetails));
      const outcomes = await Promise.allSettled(
        targets.map(async (target, index) => {
          if (reached.has(index)) return;
          await notifierFor(target, resolveSecret).deliver(notice);
          reached.add(index);
        }),
      );
      const failures = outcomes.flatMap((outcome) =>
        outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
      );
      if (failures.length === 0) return;
      // Local activities have no heartbeat: there, who was reached is told again.
      if (!context.info.isLocal) context.heartbeat([...reached]);
      throw undelivered(failures, targets.length);
    },
  };
}

function undelivered(failures: unknown[], targets: number): unknown {
  const [first] = failures;
  if (failures.length === 1 || !(first instanceof SystemError)) return first;
  return ApplicationFailure.create({
    message: `${failures.length} of ${targets} notifiers failed. ${failures.map((failure) => (failure as Error).message).join(' ')}`,
    type: first.type,
    nonRetryable: !failures.some((failure) => failure instanceof SystemError && failure.retryable),
  });
}

function notifierFor(target: NotifierTarget, resolveSecret: ResolveSecret): Notifier {
  switch (target.kind) {
    case 'log':
      return logNotifier;
    case 'webhook':
      return webhookNotifier(target, resolveSecret);
  }
}

const logNotifier: Notifier = {
  async deliver({ subject, ...notice }) {
    const level = notice.kind === 'held' || notice.kind === 'failed' ? 'WARN' : 'INFO';
    log.log(level, subject, { notice });
  },
};

function webhookNotifier(
  { url, token }: Extract<NotifierTarget, { kind: 'webhook' }>,
  resolveSecret: ResolveSecret,
): Notifier {
  return {
    async deliver(notice) {
      const { info, cancellationSignal } = Context.current();
      const request: HttpRequest = {
        system: 'webhook',
        call: 'POST',
        // Only the origin: the path of a webhook often is its secret.
        object: new URL(url).origin,
        method: 'POST',
        url,
        headers: {
          'content-type': 'application/json',
          // The same for every attempt, so that a receiver can drop what it has already got.
          'idempotency-key': `${info.workflowExecution?.runId ?? notice.workflowId}/${info.activityId}`,
          ...(token === undefined ? {} : { authorization: `Bearer ${await resolveSecret(token)}` }),
        },
        body: JSON.stringify(notice),
        deadlineMs: WEBHOOK_DEADLINE_MS,
        signal: cancellationSignal,
      };
      const { status } = await exchange(request);
      if (status < 200 || status > 299) throw statusFailure(request, status);
    },
  };
}
