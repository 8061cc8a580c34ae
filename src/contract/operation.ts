/**
 * One upgrade of one provider from one version to another. A provider is upgraded again and again: the workflow id
 * `upgrade/<provider>` is the lock that lets one at a time, and the operation names what each of them leaves behind.
 */
export interface Operation {
  provider: string;
  /** Version that it starts from, `18.3`. */
  from: string;
  /** Version that it leads to, `18.4.1`. */
  to: string;
  /** Run id of the first run of its chain: a reset of the workflow keeps it, an upgrade that is started anew has another. */
  firstRun: string;
  /** Whom Temporal knows it as, and people; the same for every operation on this provider. */
  workflowId: string;
  /** First run of the upgrade that finishes it, where its own has ended before it was done (`onward finish`). */
  finishedBy?: string | undefined;
}

/**
 * `<provider>/<from>-<to>/<firstRun>`: names claims, records and backups on the hosts. What another operation has left there,
 * also one of the same provider to the same version, is never taken for this one's.
 */
export const operationId = ({ provider, from, to, firstRun }: Operation): string =>
  `${provider}/${from}-${to}/${firstRun}`;
