import { listed } from '../kit/listed';
import { settleAll } from '../kit/settle-all';
import { platformOfBuild } from '../../src/contract/versions';
import type { PreflightFacts } from '../engine/preflight-facts';
import type { CustomizationsUpdated, InstancesUpgraded } from './facts';
import { forwardStep, type StepContext } from '../engine/step';

/**
 * Control panel and online store customizations, by the platform's version (systems.md 6).
 * @param article of the vendor that names them, `KB 130232`.
 */
export const updateCustomizations = (article: string) =>
  forwardStep<PreflightFacts & InstancesUpgraded, CustomizationsUpdated>({
    name: 'updateCustomizations',
    title: 'Update the customizations',
    waitsFor: 'an operator who installs them: control panel, and every store',
    asks: ({ profile }) => [
      {
        asked: 'operator',
        what: `Update the customizations of ${listed(placesOf(profile).map(({ name }) => name))}`,
        times: placesOf(profile).length,
      },
    ],
    run: async (context, { operations }) => {
      const platform = platformOfBuild(operations.build) ?? operations.build;
      await settleAll(placesOf(context.profile).map((place) => askForUpdate(context, place, article, platform)));
      return { customizationsUpdated: true };
    },
  });

const placesOf = ({ stores }: StepContext['profile']): { item: string; name: string }[] => [
  { item: 'controlPanel', name: 'the Billing control panel' },
  ...stores.map(({ id, name }) => ({ item: `store-${id}`, name: `online store "${name}"` })),
];

async function askForUpdate(
  context: StepContext,
  { item, name }: { item: string; name: string },
  article: string,
  platform: string,
): Promise<void> {
  await context.ask({
    item,
    asked: 'operator',
    title: `Update the customizations of ${name}`,
    instructions: `Find in ${article} the customizations for Odin Automation ${platform} and application ${context.to}, and install them in ${name}. Check that every installed customization belongs to Odin Automation ${platform}.`,
    evidence: 'The installed files with their hashes, or the ticket.',
  });
}
