import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import type { FrozenHost } from '../../src/contract/facts';
import type { PreflightFacts } from '../engine/preflight-facts';
import { lastingStep, type Heading, type LastingStep, type StepContext } from '../engine/step';
import { settleAll } from '../kit/settle-all';
import { claimHosts } from './claim-hosts';
import type { GatewaySites, HostsHave } from './facts';

const CHANGES = ['claimHost', 'runHostScript', 'restartHost'] as const;
type Context = StepContext<(typeof CHANGES)[number]>;

export interface HostPrerequisite<What extends string> extends Omit<Heading, 'waitsFor'> {
  /** For people, and the name of its fact: `runtime 4.8`. */
  readonly what: What;
  /** Name of a script in the folder of the release, without `.ps1`. */
  readonly script: string;
  readonly parameters?: Readonly<Record<string, string>>;
}

/**
 * Something that a release needs on every endpoint host, installed by a script that the release brings. The script says
 * whether the host has to be restarted; then the step waits until the host's boot time is later, however long its worker is
 * away. What is installed stays, also when the upgrade is undone.
 */
export const hostPrerequisite = <What extends string>({
  what,
  script,
  parameters = {},
  ...heading
}: HostPrerequisite<What>): LastingStep<PreflightFacts & GatewaySites, HostsHave<What>> => {
  const has = () => ({ [`hosts have:${what}`]: true }) as HostsHave<What>;
  return lastingStep<PreflightFacts & GatewaySites, HostsHave<What>, (typeof CHANGES)[number]>({
    changes: CHANGES,
    ...heading,
    waitsFor: 'the endpoint hosts, which may have to be restarted',
    keeps: `${what} on the endpoint hosts`,
    hostScript: script,
    run: async (context, facts) => {
      const hosts = await claimHosts(context, facts);
      await settleAll(hosts.map(({ host }) => prepare(context, host, script, parameters)));
      context.note(`${what} is on ${hosts.map(({ host }) => host.name).join(', ')}`);
      return has();
    },
    again: async (context, facts, known) => {
      const hosts = new Set(known.sites.map(({ host }) => host));
      const added = facts.sites.filter(({ host }) => !hosts.has(host));
      if (added.length === 0) return undefined;
      const claimed = await claimHosts(context, { ...facts, sites: added }, 'fail');
      await settleAll(claimed.map(({ host }) => prepare(context, host, script, parameters)));
      return has();
    },
    verify: async (context, facts) => {
      const hosts = await claimHosts(context, facts);
      await settleAll(hosts.map(({ host }) => expectDone(context, host, script, parameters)));
      return has();
    },
  });
};

async function prepare(
  context: Context,
  host: FrozenHost,
  script: string,
  parameters: Readonly<Record<string, string>>,
): Promise<void> {
  const { activities, operation } = context;
  await context.checkpoint();
  const endpoint = activities.endpoint(host);
  const input = { host, operation, release: context.to, script, parameters };
  const first = await endpoint.runHostScript(`run ${script} on ${host.name}`, input);
  if (!first.restartNeeded) return expectInstalled(host, script, first);
  await context.checkpoint();
  context.note(`${host.name} is restarted`);
  await endpoint.restartHost(`restart ${host.name}, and wait until it has`, {
    host,
    operation,
    before: first.bootTime,
  });
  expectInstalled(host, script, await endpoint.runHostScript(`run ${script} on ${host.name} after its restart`, input));
}

async function expectDone(
  { activities, operation, to }: Context,
  host: FrozenHost,
  script: string,
  parameters: Readonly<Record<string, string>>,
): Promise<void> {
  // The script looks before it acts, so on a host that has what it installs it only looks.
  const input = { host, operation, release: to, script, parameters };
  const found = await activities.endpoint(host).runHostScript(`look by ${script} on ${host.name}`, input);
  expectInstalled(host, script, found);
}

function expectInstalled(
  host: FrozenHost,
  script: string,
  { done, restartNeeded, note }: { done: boolean; restartNeeded: boolean; note: string },
): void {
  if (done && !restartNeeded) return;
  const problem = restartNeeded ? 'the host has to be restarted' : 'it is not installed';
  throw ApplicationFailure.nonRetryable(
    `${host.name}: after ${script} ${problem}. ${note} Install it on the host, then retry.`,
    FAILURE.unexpectedState,
  );
}
