import type { BillingTemplate } from '../../src/contract/facts';
import type { InstancesUpgraded, ParameterRemoved, PreflightFacts } from './facts';
import { settleAll } from '../kit/settle-all';
import { forwardStep, type StepContext } from '../engine/step';

/**
 * The service parameter `o365_based_on_email` goes from every billing template, then every store is synchronised
 * (procedure step 6). No vendor API does either (systems.md 3.3, 3.4); whether the parameter is gone is read.
 */
export const removeEmailParameter = forwardStep<PreflightFacts & InstancesUpgraded, ParameterRemoved>({
  name: 'removeEmailParameter',
  title: 'Remove o365_based_on_email',
  procedure: '6. Remove the o365_based_on_email service parameter',
  waitsFor: 'an operator who removes it in Billing and synchronises every store',
  run: async (context, { billing }) => {
    const affected = billing.templates.filter(({ basedOnEmail }) => basedOnEmail);
    if (affected.length > 0) await askForRemoval(context, affected);
    await settleAll(context.profile.stores.map((store) => askForSynchronisation(context, store)));
    return { parameterRemoved: true };
  },
});

async function askForRemoval(context: StepContext, affected: BillingTemplate[]): Promise<void> {
  const list = affected
    .map(({ serviceTemplateId, planName }) => `${serviceTemplateId} (plan "${planName}")`)
    .join(', ');
  await context.ask({
    item: 'parameter',
    asked: 'operator',
    title: `Remove o365_based_on_email from ${affected.length} billing service templates`,
    instructions: `In Billing open Products > Service Plans > Service Templates and, for each of the templates ${list}: Service Parameters, select o365_based_on_email, delete it. Leave aps_defaults_o365 alone: the subdomain form needs it.`,
    evidence: 'When it was done; Onward reads the parameters afterwards.',
    verify: () => removalProblem(context, affected),
  });
}

async function removalProblem(
  { activities, profile }: StepContext,
  before: BillingTemplate[],
): Promise<string | undefined> {
  const { templates } = await activities.billing.readBilling('read the service parameters again', {
    billing: profile.billing,
    plans: profile.plans,
  });
  const left = templates.filter(({ basedOnEmail }) => basedOnEmail);
  const lost = templates.filter(
    ({ serviceTemplateId, subdomainForm }) =>
      !subdomainForm &&
      before.some((template) => template.serviceTemplateId === serviceTemplateId && template.subdomainForm),
  );
  const ids = (some: BillingTemplate[]): string => some.map(({ serviceTemplateId }) => serviceTemplateId).join(', ');
  if (left.length > 0) return `o365_based_on_email is still on billing service templates ${ids(left)}.`;
  if (lost.length > 0)
    return `aps_defaults_o365 is gone from billing service templates ${ids(lost)}; add it again: ordering needs it.`;
  return undefined;
}

async function askForSynchronisation(context: StepContext, store: { id: string; name: string }): Promise<void> {
  await context.ask({
    item: `store-${store.id}`,
    alias: store.name,
    asked: 'operator',
    title: `Synchronise online store "${store.name}"`,
    instructions: `In Billing open Products > Online Store, switch to "${store.name}", and synchronise it, so that its order form no longer asks for the removed parameter.`,
    evidence: 'When the synchronisation ended.',
  });
}
