/**
 * The guard of one consent: `guardConsent` watches over the refresh token of one application instance for as long as the
 * instance lives. "A refresh token has a 90 day lifetime. A CSP partner must give consent and acquire a new refresh token
 * before the current refresh token expires" (release notes). Times are ISO 8601 in UTC.
 */
import { z } from 'zod';
import { frozenProfile } from './entry';
import { by, messageId, text } from './fields';
import { plainName } from './provider';
import type { AuditEntry } from './status';

/** A day here is 24 hours: neither a leap day nor daylight saving time makes a token live longer. */
export const TOKEN_LIFETIME_DAYS = 90;
/** So many days before the end people are warned. */
export const WARNING_DAYS = [30, 14, 7, 3, 1] as const;

/** Workflow id of the guard of one application instance: one at a time, by construction. */
export const consentWorkflowId = (provider: string, instanceId: number | string): string =>
  `consent/${provider}/${instanceId}`;

const time = z.iso.datetime({ offset: true });

export const consentRenewed = z.strictObject({
  by,
  /** When the consent was given, where that was not just now: a time, or a day in UTC. The new 90 days begin then. */
  at: z
    .union([time, z.iso.date()], {
      error: 'at must be a time like 2026-11-03T10:00:00Z, or a day like 2026-11-03 (UTC)',
    })
    .optional(),
  id: messageId,
});
export const confirmRenewal = z.strictObject({
  by,
  /** The message that Test Connection showed, and when. */
  evidence: text('evidence'),
  id: messageId,
});

/** What people send to a guard, as a signal or as an update of the same name. Not for upgrades: theirs are in ./messages. */
export const guardMessages = { consentRenewed, confirmRenewal };
export type GuardMessageName = keyof typeof guardMessages;
export type GuardMessages = { [N in GuardMessageName]: z.output<(typeof guardMessages)[N]> };

/**
 * State of the token, also the search attribute `OnwardState`: by the calendar, `expiring` from the first warning on; `failing`
 * where it has time left and the last connection test failed all the same.
 */
export const CONSENT_STATES = ['valid', 'expiring', 'failing', 'expired'] as const;
export type ConsentState = (typeof CONSENT_STATES)[number];

/** A renewal that somebody has reported and that does not count yet. */
export interface PendingRenewal {
  by: string;
  /** Where the new 90 days begin once it counts. */
  consentedAt: string;
  /** Since when an operator is asked to press Test Connection; undefined while Onward does it. */
  askedAt?: string;
  /** What an adapter that proves nothing says against it, when the operator was asked. */
  contradiction?: string;
  /** Who has confirmed to have seen it succeed; it counts in a moment. */
  confirmedBy?: string;
}

/** How the last connection test that the guard made by itself ended; `notMade` where nobody could be asked. */
export interface ConnectionTested {
  result: 'succeeds' | 'fails' | 'notMade';
  /** Unless it succeeds. */
  problem?: string;
  /** Why nobody could be asked since a test failed: what that said still stands. */
  unanswered?: string;
  at: string;
  /** Since when every test has ended like this. */
  since: string;
}

/** What the query `status` of a guard answers, and what its memo {@link CONSENT_MEMO} holds. */
export interface ConsentStatus {
  provider: string;
  instance: { id: number; name: string };
  workflowId: string;
  state: ConsentState;
  /** Where the 90 days begin: when the consent was given that a connection test has confirmed. */
  consentedAt: string;
  /** Nobody knows when the token was issued: `consentedAt` is the first connection test that Onward saw succeed. */
  assumed: boolean;
  expiresAt: string;
  /** When people hear of it next, if nothing happens. */
  nextNoticeAt: string;
  /** Not before the first test, nor after a renewal until the next; never where no adapter can test. */
  test?: ConnectionTested;
  renewal?: PendingRenewal;
  /** Why the last renewal did not count. */
  lastProblem?: string;
  /** How often the consent was renewed under this guard. */
  renewals: number;
}

/** The memo that holds the status, so that hundreds of guards are listed in one call and without a worker. */
export const CONSENT_MEMO = 'consent';

const tested = z.looseObject({ result: z.enum(['succeeds', 'fails', 'notMade']), at: time, since: time });
/** Whoever may start a workflow may write such a memo: it is a status only where it has what whoever shows one rests on. */
export const consentMemo = z
  .looseObject({
    provider: plainName,
    instance: z.looseObject({ id: z.int(), name: z.string() }),
    state: z.enum(CONSENT_STATES),
    consentedAt: time,
    expiresAt: time,
    test: tested.optional(),
    renewal: z.looseObject({ by: z.string() }).optional(),
  })
  .transform((status) => status as unknown as ConsentStatus);

/** What a guard needs of the provider's entry. It reads the entry anew whenever it acts; this is what it knew last. */
export const guardSettings = frozenProfile.pick({
  connectionTest: true,
  reminders: true,
  notify: true,
  timings: true,
});
export type GuardSettings = z.output<typeof guardSettings>;

/** Input of the workflow `guardConsent`. An upgrade gives its first part; the second is what one run hands on to the next. */
export const guardInput = z.strictObject({
  provider: plainName,
  instance: z.strictObject({ id: z.int(), name: z.string(), resourceId: z.string() }),
  consentedAt: time,
  assumed: z.boolean(),
  settings: guardSettings,

  /** Everything that was to be told until then has been told; `consentedAt` at first. */
  toldAt: time.optional(),
  /** When it tests the connection by itself next. */
  looksAt: time.optional(),
  lookIsDue: z.boolean().optional(),
  test: z.custom<ConnectionTested>().optional(),
  renewal: z.custom<PendingRenewal>().optional(),
  lastProblem: z.string().optional(),
  renewals: z.int().nonnegative().default(0),
  audit: z.custom<AuditEntry[]>().default([]),
  /** Continue as new after so many events of history; by default when the server suggests it. For tests. */
  historyLimit: z.int().positive().optional(),
});
export type GuardInput = z.input<typeof guardInput>;
export type GuardState = z.output<typeof guardInput>;
