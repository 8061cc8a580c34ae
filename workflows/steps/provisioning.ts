import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import { entryOf } from '../../src/contract/entry';
import type { ServiceTemplate } from '../../src/contract/facts';
import type { StepContext } from '../engine/step';
import { listed } from '../kit/listed';
import { inBatches, settleEach } from '../kit/settle-all';
import { allTemplates } from '../kit/template-pages';
import { switchSteps } from './switch';

/** How many templates one activity switches. A provider may have thousands. */
const BATCH = 50;

/**
 * Deactivates the active Office 365 templates and, at the end, activates exactly these ("stop provisioning", "start
 * provisioning", systems.md 1.5), by their ids; inactive ones are left alone.
 */
export const { off: stopProvisioning, on: startProvisioning } = switchSteps<'provisioning', number[]>({
  what: 'provisioning',
  offHeading: { name: 'stopProvisioning', title: 'Stop provisioning', waitsFor: 'nobody' },
  onHeading: { name: 'startProvisioning', title: 'Start provisioning', waitsFor: 'nobody' },
  undoes: 'activates exactly the templates that were active before',
  look: async (context) => (await templatesNow(context)).filter(({ active }) => active).map(({ id }) => id),
  off: async (context, stopped) => {
    const { operations } = context.activities;
    const entry = entryOf(context.profile, 'operations');
    await settleEach(inBatches(stopped, BATCH), 1, (templateIds) =>
      operations.deactivateTemplates(`deactivate templates ${listed(templateIds)}`, { entry, templateIds }),
    );
    context.note(`deactivated: ${said(stopped) || 'none was active'}`);
  },
  on: async (context, stopped) => {
    const { operations } = context.activities;
    const entry = entryOf(context.profile, 'operations');
    await settleEach(inBatches(stopped, BATCH), 1, (templateIds) =>
      operations.activateTemplates(`activate templates ${listed(templateIds)}`, { entry, templateIds }),
    );
    context.note(`activated: ${said(stopped) || 'none was active before'}`);
  },
  expectOff: async (context, stopped) => {
    const ours = new Set(stopped);
    const left = (await templatesNow(context)).filter(({ id, active }) => active && ours.has(id));
    if (left.length > 0) throw rejected(`Still active: ${namesOf(left)}.`);
  },
  expectOn: async (context, stopped) => {
    const found = new Map((await templatesNow(context)).map((template) => [template.id, template]));
    const off = stopped.flatMap((id) => {
      const template = found.get(id);
      return template?.active === true ? [] : [template ?? { id, name: `template ${id}` }];
    });
    if (off.length > 0) throw rejected(`Not active: ${namesOf(off)}.`);
  },
});

const templatesNow = ({ activities, profile }: StepContext): Promise<ServiceTemplate[]> =>
  allTemplates(activities.operations, { entry: entryOf(profile, 'operations', 'aps') });

const said = (ids: number[]): string => (ids.length === 0 ? '' : `${ids.length} templates, ${listed(ids)}`);
const namesOf = (templates: Pick<ServiceTemplate, 'name'>[]): string =>
  listed(templates.map(({ name }) => `"${name}"`));

const rejected = (message: string): ApplicationFailure => ApplicationFailure.nonRetryable(message, FAILURE.rejected);
