import { settleAll } from '../kit/settle-all';
import { platformOfBuild } from '../../src/contract/versions';
import type { CustomizationsUpdated, InstancesUpgraded, PreflightFacts } from './facts';
import { forwardStep, type StepContext } from '../engine/step';

/** Control panel and online store customizations, by the platform's version (procedure step 7, systems.md 6). */
export const updateCustomizations = forwardStep<PreflightFacts & InstancesUpgraded, CustomizationsUpdated>({
  name: 'updateCustomizations',
  title: 'Update the customizations',
  procedure: '7. Update the control panel and online store customizations',
  waitsFor: 'an operator who installs them: control panel, and every store',
  run: async (context, { operations }) => {
    const platform = platformOfBuild(operations.build) ?? operations.build;
    const places = [
      { item: 'controlPanel', name: 'the Billing control panel' },
      ...context.profile.stores.map(({ id, name }) => ({ item: `store-${id}`, name: `online store "${name}"` })),
    ];
    await settleAll(places.map((place) => askForUpdate(context, place, platform)));
    return { customizationsUpdated: true };
  },
});

async function askForUpdate(
  context: StepContext,
  { item, name }: { item: string; name: string },
  platform: string,
): Promise<void> {
  await context.ask({
    item,
    asked: 'operator',
    title: `Update the customizations of ${name}`,
    instructions: `Find in KB 130232 the customizations for Odin Automation ${platform} and application ${context.to}, and install them in ${name}. Check that every installed customization belongs to Odin Automation ${platform}.`,
    evidence: 'The installed files with their hashes, or the ticket.',
  });
}
