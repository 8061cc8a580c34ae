/** One host, claimed and brought what a release needs there. */
import { workflowInfo } from '@temporalio/workflow';
import type { Operation } from '../../src/contract/operation';
import type { EndpointHost, Timings } from '../../src/contract/provider';
import { activitiesFor } from '../../workflows/kit/activities';
import { bringToHost } from '../../workflows/steps/bring-to-host';
import { claimHosts } from '../../workflows/steps/claim-hosts';

export interface BringInput {
  host: EndpointHost;
  feature: string;
  timings: Timings;
  /** For the restart alone, which does not obey it: in seconds. */
  hostAnswer: number;
}

/** @returns what it showed on its way. */
export async function bring({ host, feature, timings, hostAnswer }: BringInput): Promise<string[]> {
  const { workflowId, firstExecutionRunId: firstRun } = workflowInfo();
  const operation: Operation = { provider: 'contoso', from: '18.4.1', to: '18.5', firstRun, workflowId };
  const patient = activitiesFor(timings);
  const impatient = activitiesFor({ ...timings, hostAnswer });
  const notes: string[] = [];
  const context = {
    operation,
    activities: {
      ...patient,
      endpoint: (on: EndpointHost) => ({
        ...patient.endpoint(on),
        restartHost: impatient.endpoint(on).restartHost,
      }),
    },
    note: (text: string) => void notes.push(text),
    checkpoint: () => Promise.resolve(),
    awaitsHost: () => undefined,
  };
  await claimHosts(context, [{ host, sites: [] }]);
  await bringToHost(context, host, { release: '18.5', script: 'install-runtime', parameters: { feature } });
  return notes;
}
