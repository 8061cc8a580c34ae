/**
 * The identity of one upgrade. The workflow id `upgrade/<provider>` is only the lock that keeps two upgrades of one provider
 * apart: whatever an upgrade leaves outside of Temporal (records, backups, claims, guards, evidence) carries its operation id.
 */
export interface Operation {
  provider: string;
  /** Version that it starts from, `18.3`. */
  from: string;
  /** Version that it leads to, `18.4.1`. */
  to: string;
  /** First run of its chain of workflow runs: a reset keeps it, an upgrade that is started anew has another. */
  firstRun: string;
  workflowId: string;
}

/** `contoso/18.3-18.4.1/<first run>`: one name for one upgrade. */
export const operationId = ({ provider, from, to, firstRun }: Operation): string =>
  `${provider}/${from}-${to}/${firstRun}`;
