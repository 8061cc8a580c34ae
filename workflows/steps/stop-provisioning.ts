import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import type { ServiceTemplate } from '../../src/contract/facts';
import type { ProvisioningStopped } from './facts';
import { settleAll } from '../kit/settle-all';
import { reversibleStep, type StepContext } from '../engine/step';

/** Deactivates the active Office 365 templates (procedure step 2.1, systems.md 1.5); inactive ones are left alone. */
export const stopProvisioning = reversibleStep<object, ProvisioningStopped, ProvisioningStopped>({
  name: 'stopProvisioning',
  title: 'Stop provisioning',
  procedure: '2. Stop provisioning Office 365 services',
  waitsFor: 'nobody',
  undoes: 'activates exactly the templates that were active before',
  prepare: async (context) => {
    const active = (await readTemplates(context)).filter((template) => template.active);
    return { stopped: active.map(({ id, name }) => ({ id, name })) };
  },
  run: async (context, _, before) => {
    await context.checkpoint();
    context.provisioning('off');
    await settleAll(
      before.stopped.map(({ id, name }) =>
        context.activities.operations.deactivateTemplate(`deactivate "${name}"`, {
          operations: context.profile.operations,
          templateId: id,
        }),
      ),
    );
    context.note(`deactivated: ${before.stopped.map(({ name }) => name).join(', ') || 'none was active'}`);
    return before;
  },
  verify: async (context, _, before) => {
    const active = (await readTemplates(context)).filter((template) => template.active);
    const left = before.stopped.filter(({ id }) => active.some((template) => template.id === id));
    if (left.length > 0)
      throw ApplicationFailure.nonRetryable(
        `Still active: ${left.map(({ name }) => `"${name}"`).join(', ')}.`,
        FAILURE.rejected,
      );
    context.provisioning('off');
    return before;
  },
  undo: async (context, _, { stopped }) => {
    await activate(context, stopped);
  },
});

/** Switches provisioning on again for exactly these templates; used by the undo and by the last step. */
export async function activate(context: StepContext, templates: ProvisioningStopped['stopped']): Promise<void> {
  const { operations } = context.activities;
  await settleAll(
    templates.map(({ id, name }) =>
      operations.activateTemplate(`activate "${name}"`, { operations: context.profile.operations, templateId: id }),
    ),
  );
  context.provisioning('on');
}

const readTemplates = ({ activities, profile }: StepContext): Promise<ServiceTemplate[]> =>
  activities.operations.readTemplates('read Office 365 service templates', {
    operations: profile.operations,
    aps: profile.aps,
  });
