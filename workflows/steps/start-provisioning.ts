import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import { startGuards, type Guarded } from '../consent/start-guards';
import type { ProvisioningStarted, ProvisioningStopped } from './facts';
import { settleAll } from '../kit/settle-all';
import { forwardStep } from '../engine/step';
import { activate } from './stop-provisioning';

/**
 * Activates exactly the templates that were active before (procedure step 9, systems.md 1.5). Here the procedure ends, and
 * from here on its warning counts: every refresh token gets a guard.
 */
export const startProvisioning = forwardStep<ProvisioningStopped & Guarded, ProvisioningStarted>({
  name: 'startProvisioning',
  title: 'Start provisioning',
  procedure: '9. Start provisioning Office 365 services',
  waitsFor: 'nobody',
  run: async (context, facts) => {
    const { stopped } = facts;
    await settleAll([activate(context, stopped), startGuards(context, facts)]);
    context.note(`activated: ${stopped.map(({ name }) => name).join(', ') || 'none was active before'}`);
    return { provisioningStarted: true };
  },
  verify: async (context, facts) => {
    const { operations, aps } = context.profile;
    const { stopped } = facts;
    const templates = await context.activities.operations.readTemplates('read Office 365 service templates', {
      operations,
      aps,
    });
    const off = stopped.filter(({ id }) => !templates.some((template) => template.id === id && template.active));
    if (off.length > 0)
      throw ApplicationFailure.nonRetryable(
        `Not active: ${off.map(({ name }) => `"${name}"`).join(', ')}.`,
        FAILURE.rejected,
      );
    context.provisioning('on');
    await startGuards(context, facts);
    return { provisioningStarted: true };
  },
});
