import type { BillingActivities } from '../src/contract/activities';
import type { BillingTemplate } from '../src/contract/facts';
import { BillingClient } from '../src/systems/billing';
import type { ResolveSecret } from '../src/systems/xmlrpc-endpoint';
import type { Entries } from './entries';
import { heartbeating } from './polling';

export interface BillingDependencies {
  entries: Entries;
  resolveSecret: ResolveSecret;
}

export function createBillingActivities({ entries, resolveSecret }: BillingDependencies): BillingActivities {
  return {
    readBilling: ({ entry, plans }) =>
      heartbeating(async () => {
        const { billing } = await entries.resolve(entry, 'billing');
        const client = new BillingClient(billing, resolveSecret);
        const templates = new Map<number, BillingTemplate>();
        for (const planId of plans) {
          const plan = await client.plan(planId);
          // Plans share service templates; the parameters belong to the template.
          if (templates.has(plan.serviceTemplateId)) continue;
          templates.set(plan.serviceTemplateId, {
            planId,
            planName: plan.name,
            serviceTemplateId: plan.serviceTemplateId,
            parameters: await client.serviceParameters(plan),
          });
        }
        return { templates: [...templates.values()] };
      }),
  };
}
