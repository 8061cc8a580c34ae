/** A whole base of providers that do at once whatever they are told, and people who answer at once. */
import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { createFleetActivities } from '../../activities/fleet';
import { createMaintenanceActivities } from '../../activities/maintenance';
import { FAILURE, type FleetActivities, type MaintenanceActivities } from '../../src/contract/activities';
import type { ProviderProfile } from '../../src/contract/provider';
import { QUERY, type Gate, type UpgradeStatus } from '../../src/contract/status';
import { digestsOf } from '../../src/inventory/frozen-profile';
import { resolveSecret } from '../../src/inventory/secrets';
import { Adapters } from '../../src/systems/adapters';
import type { StubActivities } from '../../test/kit/stub-world/stub-activities';
import { stubProfile, stubsOf } from './stub-provider';

export interface StubFleet {
  providers: number;
  /** Application instances of each. */
  instances: number;
  /** How long the Office 365 tasks of each provider take to drain, in milliseconds. */
  drainMs: number;
  /** The preflight of every so manieth provider fails; 0 for none. */
  failsEvery: number;
}

const VERSION = '18.4';
const SELECTED_AT_ONCE = 4_000;

/** @param number counted from 1 */
export const stubProviderId = (number: number): string => `bench-${String(number).padStart(5, '0')}`;
const fails = (provider: string, { failsEvery }: StubFleet): boolean =>
  failsEvery > 0 && Number(provider.replace('bench-', '')) % failsEvery === 0;

const profileOf = (provider: string, { instances }: StubFleet): ProviderProfile => stubProfile(provider, instances);

export function stubFleetControlPlane(fleet: StubFleet): StubActivities & FleetActivities & MaintenanceActivities {
  const stubs = stubsOf(fleet.instances, { version: VERSION });
  const ids = Array.from({ length: fleet.providers }, (_, index) => stubProviderId(index + 1));
  // Whoever asks Temporal itself is not simulated.
  const ofTemporal = createFleetActivities({ directory: '', adapters: new Adapters({ resolveSecret }), resolveSecret });
  return {
    ...stubs,
    ...createMaintenanceActivities(),
    findEnded: (input) => ofTemporal.findEnded(input),
    explainRefusedStart: (input) => ofTemporal.explainRefusedStart(input),
    selectProviders: async ({ selector, after }) => {
      const wanted = selector.ids ?? ids;
      const from = after === undefined ? 0 : wanted.indexOf(after) + 1;
      const providers = wanted.slice(from, from + SELECTED_AT_ONCE);
      return { providers, more: from + providers.length < wanted.length, invalid: [] };
    },
    surveyProviders: async ({ providers }) =>
      providers.map((provider) => ({
        provider,
        bytes: Buffer.byteLength(JSON.stringify(digestsOf(profileOf(provider, fleet)))),
        build: 'oa-8.0-1216',
        packageVersions: [`${VERSION}-9`],
        clouds: ['global'],
      })),
    freezeEntries: async ({ providers }) =>
      providers.map((provider) => ({ provider, digests: digestsOf(profileOf(provider, fleet)) })),
    readOperations: async (input) => {
      const { provider } = input.entry;
      if (fails(provider, fleet)) throw ApplicationFailure.nonRetryable(`${provider} refuses`, FAILURE.rejected);
      return await stubs.readOperations(input);
    },
    awaitTasksProcessed: async () => {
      await delay(fleet.drainMs);
    },
    notify: async ({ notice }) => {
      // Not awaited: the workflow answers no question in the task that waits for this notice.
      if (notice.kind === 'gatesOpened') answerGates(Context.current().client, notice.workflowId).catch(console.error);
    },
  };
}

async function answerGates(client: Client, workflowId: string): Promise<void> {
  const upgrade = client.workflow.getHandle(workflowId);
  const { gates } = await upgrade.query<UpgradeStatus>(QUERY.status);
  for (const { answer } of gates) await upgrade.signal(answer.name, filled(answer));
}

function filled({ payload }: Gate['answer']): Record<string, string> {
  const said: Record<string, string> = { by: 'olga@operations.example', evidence: 'Done.', reason: 'Done.' };
  return Object.fromEntries(Object.entries(payload).map(([name, value]) => [name, said[name] ?? value]));
}
