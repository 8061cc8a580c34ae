import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import type { ProvisioningStarted, ProvisioningStopped, Validated } from '../facts';
import { forwardStep } from '../pipeline/step';
import { activate } from './stop-provisioning';

/** Activates exactly the templates that were active before (procedure step 9, systems.md 1.5). */
export const startProvisioning = forwardStep<ProvisioningStopped & Validated, ProvisioningStarted>({
  name: 'startProvisioning',
  title: 'Start provisioning',
  procedure: '9. Start provisioning Office 365 services',
  waitsFor: 'nobody',
  run: async (context, { stopped }) => {
    await activate(context, stopped);
    context.note(`activated: ${stopped.map(({ name }) => name).join(', ') || 'none was active before'}`);
    return { provisioningStarted: true };
  },
  verify: async ({ activities, profile, provisioning }, { stopped }) => {
    const { operations, aps } = profile;
    const templates = await activities.operations.readTemplates('read Office 365 service templates', {
      operations,
      aps,
    });
    const off = stopped.filter(({ id }) => !templates.some((template) => template.id === id && template.active));
    if (off.length > 0)
      throw ApplicationFailure.nonRetryable(
        `Not active: ${off.map(({ name }) => `"${name}"`).join(', ')}.`,
        FAILURE.rejected,
      );
    provisioning('on');
    return { provisioningStarted: true };
  },
});
