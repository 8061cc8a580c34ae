import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import { entryOf } from '../../src/contract/entry';
import type { ServiceTemplate } from '../../src/contract/facts';
import type { StepContext } from '../engine/step';
import { settleAll } from '../kit/settle-all';
import { switchSteps } from './switch';

type Stopped = Pick<ServiceTemplate, 'id' | 'name'>[];

/**
 * Deactivates the active Office 365 templates and, at the end, activates exactly these ("stop provisioning", "start
 * provisioning", systems.md 1.5); inactive ones are left alone.
 */
export const { off: stopProvisioning, on: startProvisioning } = switchSteps<'provisioning', Stopped>({
  what: 'provisioning',
  offHeading: { name: 'stopProvisioning', title: 'Stop provisioning', waitsFor: 'nobody' },
  onHeading: { name: 'startProvisioning', title: 'Start provisioning', waitsFor: 'nobody' },
  undoes: 'activates exactly the templates that were active before',
  look: async (context) => (await activeTemplates(context)).map(({ id, name }) => ({ id, name })),
  off: async (context, stopped) => {
    const { operations } = context.activities;
    const entry = entryOf(context.profile, 'operations');
    await settleAll(
      stopped.map(({ id, name }) => operations.deactivateTemplate(`deactivate "${name}"`, { entry, templateId: id })),
    );
    context.note(`deactivated: ${namesOf(stopped) || 'none was active'}`);
  },
  on: async (context, stopped) => {
    const { operations } = context.activities;
    const entry = entryOf(context.profile, 'operations');
    await settleAll(
      stopped.map(({ id, name }) => operations.activateTemplate(`activate "${name}"`, { entry, templateId: id })),
    );
    context.note(`activated: ${namesOf(stopped) || 'none was active before'}`);
  },
  expectOff: async (context, stopped) => {
    const active = await activeTemplates(context);
    const left = stopped.filter(({ id }) => active.some((template) => template.id === id));
    if (left.length > 0) throw rejected(`Still active: ${namesOf(left)}.`);
  },
  expectOn: async (context, stopped) => {
    const active = await activeTemplates(context);
    const off = stopped.filter(({ id }) => !active.some((template) => template.id === id));
    if (off.length > 0) throw rejected(`Not active: ${namesOf(off)}.`);
  },
});

async function activeTemplates({ activities, profile }: StepContext): Promise<ServiceTemplate[]> {
  const entry = entryOf(profile, 'operations', 'aps');
  const templates = await activities.operations.readTemplates('read Office 365 service templates', { entry });
  return templates.filter(({ active }) => active);
}

const namesOf = (templates: Stopped): string => templates.map(({ name }) => `"${name}"`).join(', ');

const rejected = (message: string): ApplicationFailure => ApplicationFailure.nonRetryable(message, FAILURE.rejected);
