import { entryOf } from '../../src/contract/entry';
import type { BillingFacts, BillingTemplate } from '../../src/contract/facts';
import type { PreflightFacts } from '../engine/preflight-facts';
import { forwardStep, type ForwardStep, type StepContext } from '../engine/step';
import { listed } from '../kit/listed';
import { settleAll } from '../kit/settle-all';
import type { InstancesUpgraded, ParameterGone } from './facts';
import { asksForEach } from './test-connection';

/** A service parameter of billing templates that a release does away with. */
export interface ServiceParameter<Name extends string> {
  readonly name: Name;
  /** Of the step. */
  readonly step: string;
  /** Another parameter that must stay, where a person might delete the wrong one. */
  readonly stays?: { readonly name: string; readonly why: string };
}

/**
 * The service parameter goes from every billing template, then every store is synchronised. No vendor API does either
 * (systems.md 3.3, 3.4); whether the parameter is gone is read.
 */
export const removeServiceParameter = <Name extends string>(
  parameter: ServiceParameter<Name>,
): ForwardStep<PreflightFacts & InstancesUpgraded, ParameterGone<Name>> =>
  forwardStep<PreflightFacts & InstancesUpgraded, ParameterGone<Name>>({
    name: parameter.step,
    title: `Remove ${parameter.name}`,
    waitsFor: 'an operator who removes it in Billing and synchronises every store',
    asks: ({ profile, facts }) => {
      const affected = facts.billing.templates.filter(has(parameter.name)).length;
      return [
        ...(affected === 0
          ? []
          : [
              {
                asked: 'operator' as const,
                what: `Remove ${parameter.name} from ${affected} billing service templates`,
                times: 1,
              },
            ]),
        ...asksForEach(profile.stores, 'operator', 'Synchronise the online store'),
      ];
    },
    run: async (context, { billing }) => {
      // Somebody may have put it on a template since the preflight, or have removed it already.
      const { templates } = await readParameters(context);
      const before = [...billing.templates, ...templates];
      const affected = templates.filter(has(parameter.name));
      if (affected.length > 0) await askForRemoval(context, parameter, affected, before);
      await settleAll(context.profile.stores.map((store) => askForSynchronisation(context, store)));
      return { [`gone:${parameter.name}`]: true } as ParameterGone<Name>;
    },
  });

/** Whether a billing template has the parameter. */
export const has =
  (parameter: string) =>
  ({ parameters }: BillingTemplate): boolean =>
    parameters.includes(parameter);

async function askForRemoval(
  context: StepContext,
  parameter: ServiceParameter<string>,
  affected: BillingTemplate[],
  before: BillingTemplate[],
): Promise<void> {
  const { name, stays } = parameter;
  const list = affected
    .map(({ serviceTemplateId, planName }) => `${serviceTemplateId} (plan "${planName}")`)
    .join(', ');
  await context.ask({
    item: 'parameter',
    asked: 'operator',
    title: `Remove ${name} from ${affected.length} billing service templates`,
    instructions: `In Billing open Products > Service Plans > Service Templates and, for each of the templates ${list}: Service Parameters, select ${name}, delete it.${stays ? ` Leave ${stays.name} alone: ${stays.why}.` : ''}`,
    evidence: 'When it was done; Onward reads the parameters afterwards.',
    verify: () => removalProblem(context, parameter, before),
  });
}

const readParameters = ({ activities, profile }: StepContext): Promise<BillingFacts> =>
  activities.billing.readBilling('read the service parameters again', {
    entry: entryOf(profile, 'billing'),
    plans: profile.plans,
  });

async function removalProblem(
  context: StepContext,
  { name, stays }: ServiceParameter<string>,
  before: BillingTemplate[],
): Promise<string | undefined> {
  const { templates } = await readParameters(context);
  const left = templates.filter(has(name));
  const lost = stays
    ? templates.filter(
        (template) =>
          !has(stays.name)(template) &&
          before.some((each) => each.serviceTemplateId === template.serviceTemplateId && has(stays.name)(each)),
      )
    : [];
  const ids = (some: BillingTemplate[]): string => listed(some.map(({ serviceTemplateId }) => serviceTemplateId));
  if (left.length > 0) return `${name} is still on billing service templates ${ids(left)}.`;
  if (stays && lost.length > 0)
    return `${stays.name} is gone from billing service templates ${ids(lost)}; add it again: ${stays.why}.`;
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
