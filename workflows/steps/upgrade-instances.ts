import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import { entryOf } from '../../src/contract/entry';
import type { ApplicationInstance } from '../../src/contract/facts';
import { withoutRelease } from '../../src/contract/versions';
import type { CrossingFacts } from '../engine/path';
import type { PreflightFacts } from '../engine/preflight-facts';
import { claimHosts } from './claim-hosts';
import type { GatewaySites, InstancesUpgraded } from './facts';
import { listed } from '../kit/listed';
import { AT_ONCE, settleEach } from '../kit/settle-all';
import { forwardStep, type StepContext } from '../engine/step';

const CHANGES = ['claimHost', 'upgradeInstance'] as const;
/** Assumption: what the upgrade of one instance takes, about; for plans. */
const INSTANCE_SECONDS = 10 * 60;

type Needs = PreflightFacts & GatewaySites & CrossingFacts & Partial<InstancesUpgraded>;

/**
 * Upgrades one instance as a pilot, then the rest (systems.md 1.4.2). While it does, the endpoint hosts are still this upgrade's: another
 * one's iisreset would end what the controller asks of the endpoint (release notes, APSA-20808).
 */
export const upgradeInstances = forwardStep<Needs, InstancesUpgraded, (typeof CHANGES)[number]>({
  changes: CHANGES,
  takes: ({ facts, to }) => {
    const left = facts.operations.instances.filter(
      ({ packageVersion }) => withoutRelease(packageVersion) !== to,
    ).length;
    return left === 0 ? 0 : (1 + Math.ceil((left - 1) / AT_ONCE)) * INSTANCE_SECONDS;
  },
  name: 'upgradeInstances',
  title: 'Upgrade the application instances',
  waitsFor: 'the upgrade tasks of Operations',
  ofInstances: true,
  run: async (context, facts) => {
    const { operations, imported, instancesUpgraded = [] } = facts;
    const [pilot, ...rest] = operations.instances.filter(
      ({ id, packageVersion }) => withoutRelease(packageVersion) !== context.to && !instancesUpgraded.includes(id),
    );
    if (pilot && context.hosts.areFree()) {
      context.hosts.say('held');
      await claimHosts(context, facts);
    }
    if (pilot) await upgradeInstance(context, pilot, imported, 'pilot');
    await context.checkpoint();
    await settleEach(rest, AT_ONCE, (instance) => upgradeInstance(context, instance, imported, 'after the pilot'));
    return upgraded(context, operations);
  },
  verify: async (context, { operations }) => {
    const { activities, profile, to } = context;
    const { changed, added } = await activities.operations.lookAgain('look at the instances again', {
      entry: entryOf(profile, 'operations', 'aps'),
      known: operations.instances.map(({ resourceId }) => resourceId),
      versions: [to],
      endpoints: [...new Set(operations.instances.map(({ endpointUrl }) => endpointUrl))],
    });
    const left = [...changed, ...added].filter(
      ({ packageVersion, status }) => withoutRelease(packageVersion) !== to || status !== 'Ready',
    );
    if (left.length > 0)
      throw ApplicationFailure.nonRetryable(
        `Not Ready on ${to}: ${listed(left.map(({ name, packageVersion, status }) => `"${name}" is ${status} on ${packageVersion}`))}.`,
        FAILURE.rejected,
      );
    return upgraded(context, operations);
  },
});

function upgraded(context: StepContext, { instances }: PreflightFacts['operations']): InstancesUpgraded {
  context.hosts.say('free');
  context.note(`${instances.length} instances run ${context.to}`);
  return { instancesUpgraded: instances.map(({ id }) => id) };
}

async function upgradeInstance(
  context: StepContext<'upgradeInstance'>,
  { id, name }: ApplicationInstance,
  { packageVersion: version }: CrossingFacts['imported'],
  role: string,
): Promise<void> {
  await context.activities.operations.upgradeInstance(`upgrade instance "${name}" (${role})`, {
    entry: entryOf(context.profile, 'operations', 'aps'),
    instanceId: id,
    version,
  });
}
