/** What a fleet asks of the world before it starts anybody, and of Temporal while it runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { FAILURE, type EndedWorkflow, type FleetActivities, type Surveyed } from '../src/contract/activities';
import type { Selector } from '../src/contract/fleet';
import { upgradeWorkflowId, type ProviderProfile } from '../src/contract/provider';
import type { Entry } from '../src/inventory/entry';
import { describeProblem, duplicates, type Problem } from '../src/inventory/inventory';
import { digestsOf } from '../src/inventory/frozen-profile';
import { KnownInventory } from '../src/inventory/known-inventory';
import { nearMiss } from '../src/inventory/near-miss';
import type { KnownAdapters } from '../src/inventory/schema';
import { SecretUnavailable } from '../src/inventory/secrets';
import { ApsClient } from '../src/systems/aps';
import { Office365Application } from '../src/systems/office365-application';
import { OperationsClient } from '../src/systems/operations';
import { untilEnd } from '../src/systems/patience';
import { SystemError } from '../src/systems/system-error';
import type { ResolveSecret } from '../src/systems/xmlrpc-endpoint';
import { askingTemporal } from './asking-temporal';
import { heartbeating } from './polling';

export interface FleetDependencies {
  /** The inventory's folder on this worker. */
  directory: string;
  /** Those of this worker: an entry that names another one is not usable. */
  adapters: KnownAdapters;
  resolveSecret: ResolveSecret;
}

/** Ids of one selection: far below 512 KiB. */
const SELECTED_AT_ONCE = 4_000;
/** Operations of so many providers are asked at the same time. */
const SURVEYED_AT_ONCE = 8;
/** Whoever does not answer within this time, in two attempts, cannot be reached. */
const SURVEY_MS = 30_000;
const SECOND_LOOK_MS = 2_000;
const DESCRIBED_AT_ONCE = 8;

export function createFleetActivities({ directory, adapters, resolveSecret }: FleetDependencies): FleetActivities {
  const inventory = new KnownInventory(directory, adapters);
  return {
    selectProviders: ({ selector, after }) =>
      heartbeating(async () => select(await inventory.entries(), selector, after)),

    surveyProviders: ({ providers }) =>
      heartbeating(async (report) => {
        const usable = profiles(await inventory.entries());
        let seen = 0;
        return await eachOf(providers, SURVEYED_AT_ONCE, async (provider): Promise<Surveyed> => {
          const found = usable.get(provider) ?? gone(provider);
          const surveyed: Surveyed =
            'invalid' in found ? { provider, ...found } : await surveyTwice(found.profile, resolveSecret);
          report({ seen: ++seen, of: providers.length });
          return surveyed;
        });
      }),

    freezeEntries: ({ providers }) =>
      heartbeating(async () => {
        const usable = profiles(await inventory.entries());
        return providers.map((provider) => {
          const found = usable.get(provider) ?? gone(provider);
          if ('invalid' in found) return { provider, ...found };
          return { provider, digests: digestsOf(found.profile) };
        });
      }),

    findEnded: async ({ workflows }) => {
      const ended = await eachOf(workflows, DESCRIBED_AT_ONCE, async ({ workflowId, firstRun }) => {
        const how = await howEnded(workflowId, firstRun);
        return how === undefined ? [] : [{ workflowId, how }];
      });
      return ended.flat() satisfies EndedWorkflow[];
    },

    explainRefusedStart: async ({ provider }) => {
      const workflowId = upgradeWorkflowId(provider);
      const handle = Context.current().client.workflow.getHandle(workflowId);
      try {
        const { status, runId } = await askingTemporal('reading the state', workflowId, () => handle.describe());
        return status.name === 'RUNNING'
          ? `Another upgrade of it is running: ${workflowId}, run ${runId}.`
          : `Another upgrade of it was running, and is ${status.name} now: ${workflowId}, run ${runId}.`;
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
        return `Another upgrade of it was running, and is gone now: ${workflowId}.`;
      }
    },
  };
}

function select(
  entries: Entry[],
  { ids, labels = {} }: Selector,
  after: string | undefined,
): Awaited<ReturnType<FleetActivities['selectProviders']>> {
  const usable = profiles(entries);
  if (ids) refuseUnknown(ids, entries);
  const wanted = ids ? [...new Set(ids)] : [...usable.keys()].sort();
  const chosen = wanted.filter((provider) => {
    const found = usable.get(provider);
    return found && 'profile' in found && hasLabels(found.profile, labels);
  });
  const from = after === undefined ? 0 : chosen.indexOf(after) + 1;
  return {
    providers: chosen.slice(from, from + SELECTED_AT_ONCE),
    more: chosen.length > from + SELECTED_AT_ONCE,
    invalid:
      after === undefined ? unusable(entries, usable).filter(({ provider }) => !ids || ids.includes(provider)) : [],
  };
}

const hasLabels = (profile: ProviderProfile, labels: Record<string, string>): boolean =>
  Object.entries(labels).every(([name, value]) => profile.labels[name] === value);

function refuseUnknown(ids: string[], entries: Entry[]): void {
  const known = new Set(entries.flatMap(({ provider }) => provider ?? []));
  const unknown = ids.filter((id) => !known.has(id));
  if (unknown.length === 0) return;
  const named = unknown.map((id) => {
    const meant = nearMiss(id, known);
    return meant === undefined ? id : `${id} (did you mean ${meant}?)`;
  });
  throw ApplicationFailure.nonRetryable(
    `The inventory has no provider ${named.join(', ')}. Correct the ids of the fleet, or add the providers.`,
    FAILURE.unknownProvider,
  );
}

type Found = { profile: ProviderProfile } | { invalid: string };
const gone = (provider: string): Found => ({ invalid: `the inventory has no entry ${provider} any more` });
const told = (problems: Problem[]): string => problems.map(describeProblem).join('; ');

/** Every entry that says its id; of those that share one none can be used. */
function profiles(entries: Entry[]): Map<string, Found> {
  const doubled = duplicates(entries);
  const found = new Map<string, Found>();
  for (const { provider, profile, problems } of entries) {
    if (provider === undefined) continue;
    const clash = found.has(provider)
      ? doubled.filter(({ message }) => message.startsWith(`${provider} is already`))
      : [];
    found.set(
      provider,
      profile && clash.length === 0 ? { profile } : { invalid: told([...problems, ...clash]).slice(0, 500) },
    );
  }
  return found;
}

function unusable(entries: Entry[], usable: Map<string, Found>): { provider: string; problem: string }[] {
  const named = [...usable].flatMap(([provider, found]) =>
    'invalid' in found ? [{ provider, problem: found.invalid }] : [],
  );
  const nameless = entries
    .filter(({ provider }) => provider === undefined)
    .map(({ file, problems }) => ({ provider: file, problem: told(problems).slice(0, 500) }));
  return [...named, ...nameless];
}

async function surveyTwice(profile: ProviderProfile, resolveSecret: ResolveSecret): Promise<Surveyed> {
  const first = await survey(profile, resolveSecret);
  if (!('unreachable' in first)) return first;
  await sleep(SECOND_LOOK_MS);
  return await survey(profile, resolveSecret);
}

async function survey(profile: ProviderProfile, resolveSecret: ResolveSecret): Promise<Surveyed> {
  const { provider, name } = profile;
  try {
    const { build, instances } = await untilEnd(Date.now() + SURVEY_MS / 2, async () => {
      const operations = new OperationsClient(profile.operations, resolveSecret);
      const application = new Office365Application(operations, new ApsClient(profile.aps, operations));
      return { build: await operations.platformBuild(), instances: await application.instances() };
    });
    return {
      provider,
      ...(name === undefined ? {} : { name }),
      bytes: Buffer.byteLength(JSON.stringify(digestsOf(profile))),
      build,
      packageVersions: [...new Set(instances.map(({ packageVersion }) => packageVersion))],
      clouds: [...new Set(instances.map(({ cloud }) => cloud))],
    };
  } catch (error) {
    if (!(error instanceof SystemError) && !(error instanceof SecretUnavailable)) throw error;
    return { provider, unreachable: error.message };
  }
}

/** Undefined while the chain of runs that began with `firstRun` goes on. */
async function howEnded(workflowId: string, firstRun: string): Promise<string | undefined> {
  const { workflow } = Context.current().client;
  try {
    const handle = workflow.getHandle(workflowId);
    const { status, raw } = await askingTemporal('reading the state', workflowId, () => handle.describe());
    if (raw.workflowExecutionInfo?.firstRunId !== firstRun) return 'REPLACED';
    return status.name === 'RUNNING' ? undefined : status.name;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'GONE';
    throw error;
  }
}

/** Results in the order of the items, so many at once. */
async function eachOf<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}
