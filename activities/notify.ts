import { Context, log } from '@temporalio/activity';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import {
  FAILURE,
  noticeSummary,
  noticeWorkflowId,
  type Notice,
  type NotifyActivities,
  type ToTell,
} from '../src/contract/activities';
import type { NotifierTarget } from '../src/contract/provider';
import { providerAttribute } from '../src/temporal/search-attributes';
import { counted } from '../src/systems/calls';
import { exchange, type HttpRequest, statusFailure } from '../src/systems/http';
import type { ResolveSecret } from '../src/systems/xmlrpc-endpoint';
import type { Entries } from './entries';

/** One way to tell people something. */
export interface Notifier {
  /** Delivers the notice, or throws a SystemError that names the target without anything secret in its address. */
  deliver(notice: Notice, deadlineMs: number): Promise<void>;
}

const PATIENT_MS = 15_000;
/** Its workflow may be about to end, and waits for it. */
const AT_ONCE_MS = 3_000;

export interface NotifyDependencies {
  entries: Entries;
  resolveSecret: ResolveSecret;
}

export function createNotifyActivities({ entries, resolveSecret }: NotifyDependencies): NotifyActivities {
  const deliver = async ({ target, notice }: ToTell, deadlineMs: number): Promise<void> => {
    const { notify } = (await entries.find(notice.provider)).profile;
    const found = notify[target];
    if (!found) throw targetGone(notice, notify.length, target);
    await notifierFor(found, resolveSecret).deliver(notice, deadlineMs);
  };
  return {
    notify: async ({ target, notice, handOver = false }) => {
      if (!handOver) return await deliver({ target, notice }, PATIENT_MS);
      try {
        await deliver({ target, notice }, AT_ONCE_MS);
      } catch (error) {
        log.warn(`"${notice.subject}" is not told yet: ${error instanceof Error ? error.message : String(error)}`);
        await leaveToWorkflow({ target, notice });
      }
    },
  };
}

/** To a workflow of its own, in the namespace of that which tells. */
async function leaveToWorkflow(undelivered: ToTell): Promise<void> {
  const { client, info } = Context.current();
  const { notice } = undelivered;
  try {
    await client.workflow.start<(undelivered: ToTell) => Promise<void>>('deliverNotice', {
      workflowId: noticeWorkflowId(notice),
      taskQueue: info.taskQueue,
      args: [undelivered],
      staticSummary: noticeSummary(notice),
      typedSearchAttributes: [{ key: providerAttribute, value: notice.provider }],
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

const targetGone = ({ provider }: Notice, left: number, target: number): ApplicationFailure =>
  ApplicationFailure.nonRetryable(
    `The entry of ${provider} names ${left} whom to tell, and no number ${target + 1} any more.`,
    FAILURE.entryChanged,
  );

function notifierFor(target: NotifierTarget, resolveSecret: ResolveSecret): Notifier {
  switch (target.kind) {
    case 'log':
      return logNotifier;
    case 'webhook':
      return webhookNotifier(target, resolveSecret);
  }
}

/** What somebody has to look at now. */
const ALARMS: Notice['kind'][] = ['held', 'failed', 'consentExpired', 'connectionFails', 'renewalRefused'];

const logNotifier: Notifier = {
  async deliver({ subject, ...notice }) {
    const level = ALARMS.includes(notice.kind) ? 'WARN' : 'INFO';
    log.log(level, subject, { notice });
  },
};

function webhookNotifier(
  { url, token }: Extract<NotifierTarget, { kind: 'webhook' }>,
  resolveSecret: ResolveSecret,
): Notifier {
  return {
    async deliver(notice, deadlineMs) {
      const { cancellationSignal } = Context.current();
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
          'idempotency-key': notice.id,
          ...(token === undefined ? {} : { authorization: `Bearer ${await resolveSecret(token)}` }),
        },
        body: JSON.stringify(notice),
        deadlineMs,
        signal: cancellationSignal,
      };
      await counted(request.system, async () => {
        const { status } = await exchange(request);
        if (status < 200 || status > 299) throw statusFailure(request, status);
      });
    },
  };
}
