import { Context, log } from '@temporalio/activity';
import type { Notice, NotifyActivities } from '../src/contract/activities';
import type { NotifierTarget } from '../src/contract/provider';
import { exchange, type HttpRequest, statusFailure } from '../src/systems/http';
import type { ResolveSecret } from '../src/systems/xmlrpc-endpoint';

/** One way to tell people something. */
export interface Notifier {
  /** Delivers the notice, or throws a SystemError that names the target without anything secret in its address. */
  deliver(notice: Notice): Promise<void>;
}

const WEBHOOK_DEADLINE_MS = 15_000;

export function createNotifyActivities({ resolveSecret }: { resolveSecret: ResolveSecret }): NotifyActivities {
  return { notify: ({ target, notice }) => notifierFor(target, resolveSecret).deliver(notice) };
}

function notifierFor(target: NotifierTarget, resolveSecret: ResolveSecret): Notifier {
  switch (target.kind) {
    case 'log':
      return logNotifier;
    case 'webhook':
      return webhookNotifier(target, resolveSecret);
  }
}

/** What somebody has to look at now. */
const ALARMS: Notice['kind'][] = ['held', 'failed', 'consentExpired', 'renewalRefused'];

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
    async deliver(notice) {
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
        deadlineMs: WEBHOOK_DEADLINE_MS,
        signal: cancellationSignal,
      };
      const { status } = await exchange(request);
      if (status < 200 || status > 299) throw statusFailure(request, status);
    },
  };
}
