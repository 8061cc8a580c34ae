import type { BillingActivities } from '../src/contract/activities';
import type { BillingTemplate } from '../src/contract/facts';
import { BillingClient } from '../src/systems/billing';
import type { ResolveSecret } from '../src/systems/xmlrpc-endpoint';
import { heartbeating } from './polling';

/** Service parameters that matter (systems.md 3.3): the first has to go, the second must stay. */
const BASED_ON_EMAIL = 'o365_based_on_email';
const SUBDOMAIN_FORM = 'aps_defaults_o365';

export function createBillingActivities({ resolveSecret }: { resolveSecret: ResolveSecret }): BillingActivities {
  return {
    readBilling: ({ billing, plans }) =>
      heartbeating(async () => {
        const client = new BillingClient(billing, resolveSecret);
        const templates = new Map<number, BillingTemplate>();
        for (const planId of plans) {
          const plan = await client.plan(planId);
          // Plans share service templates; the parameters belong to the template.
          if (templates.has(plan.serviceTemplateId)) continue;
          const parameters = await client.serviceParameters(plan);
          templates.set(plan.serviceTemplateId, {
            planId,
            planName: plan.name,
            serviceTemplateId: plan.serviceTemplateId,
            basedOnEmail: parameters.includes(BASED_ON_EMAIL),
            subdomainForm: parameters.includes(SUBDOMAIN_FORM),
          });
        }
        return { templates: [...templates.values()] };
      }),
  };
}
