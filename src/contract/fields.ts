/** What the messages of every workflow are made of. */
import { z } from 'zod';

/** Longest text that is kept; longer answers are refused, and the audit trail keeps their beginning. */
export const MAX_TEXT = 4000;

export const text = (what: string, max = MAX_TEXT) =>
  z
    .string({ error: `${what} must be a text` })
    .trim()
    .min(1, `${what} must not be empty`)
    .max(max, `${what} is longer than ${max} characters`);

/** Summaries in Temporal's UI may have 400 bytes, and names of systems and people are long. */
const LONGEST_SUMMARY = 120;
export const shortened = (summary: string): string =>
  summary.length > LONGEST_SUMMARY ? `${summary.slice(0, LONGEST_SUMMARY)}…` : summary;

/** Who says so. */
export const by = text('by', 200);

/**
 * Names one message. The audit trail keeps it, and the query `answer` tells by it what became of the message. One whose id
 * has been seen before changes nothing and has the verdict of the first, so it is safe to send a message again.
 */
export const messageId = text('id', 100).optional();

/**
 * An id that counts in one run only: a copy of the message that somebody sends to a later upgrade of the same provider is refused.
 *
 * @param firstRun id of the run that the workflow began with.
 */
export const idWithin = (firstRun: string, id: string): string => `run/${firstRun}/${id}`;

/** The run that such an id counts in; undefined for any other. */
export const runOf = (id: string | undefined): string | undefined => /^run\/([^/]+)\//.exec(id ?? '')?.[1];
