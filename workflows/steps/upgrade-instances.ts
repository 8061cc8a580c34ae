import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import { entryOf } from '../../src/contract/entry';
import type { ApplicationInstance } from '../../src/contract/facts';
import { withoutRelease } from '../../src/contract/versions';
import type { CrossingFacts } from '../engine/path';
import type { PreflightFacts } from '../engine/preflight-facts';
import type { InstancesUpgraded } from './facts';
import { listed } from '../kit/listed';
import { AT_ONCE, settleEach } from '../kit/settle-all';
import { forwardStep, type StepContext } from '../engine/step';

/** Upgrades one instance as a pilot, then the rest (systems.md 1.4.2). */
export const upgradeInstances = forwardStep<PreflightFacts & CrossingFacts, InstancesUpgraded>({
  name: 'upgradeInstances',
  title: 'Upgrade the application instances',
  waitsFor: 'the upgrade tasks of Operations',
  run: async (context, { operations }) => {
    const [pilot, ...rest] = operations.instances.filter(
      ({ packageVersion }) => withoutRelease(packageVersion) !== context.to,
    );
    if (pilot) await upgradeInstance(context, pilot, 'pilot');
    await context.checkpoint();
    await settleEach(rest, AT_ONCE, (instance) => upgradeInstance(context, instance, 'after the pilot'));
    context.note(`${operations.instances.length} instances run ${context.to}`);
    return { instancesUpgraded: true };
  },
  verify: async ({ activities, profile, to }) => {
    const entry = entryOf(profile, 'operations', 'aps');
    const instances = await activities.operations.readInstances('read the instances', { entry });
    const left = instances.filter(
      ({ packageVersion, status }) => withoutRelease(packageVersion) !== to || status !== 'Ready',
    );
    if (left.length > 0)
      throw ApplicationFailure.nonRetryable(
        `Not Ready on ${to}: ${listed(left.map(({ name, packageVersion, status }) => `"${name}" is ${status} on ${packageVersion}`))}.`,
        FAILURE.rejected,
      );
    return { instancesUpgraded: true };
  },
});

async function upgradeInstance(context: StepContext, { id, name }: ApplicationInstance, role: string): Promise<void> {
  await context.activities.operations.upgradeInstance(`upgrade instance "${name}" (${role})`, {
    entry: entryOf(context.profile, 'operations', 'aps'),
    instanceId: id,
    version: context.to,
  });
}
