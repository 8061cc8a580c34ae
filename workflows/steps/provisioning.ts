import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import { entryOf } from '../../src/contract/entry';
import type { ServiceTemplate } from '../../src/contract/facts';
import type { StepContext } from '../engine/step';
import { listed } from '../kit/listed';
import { HOW_TO_NAME_IDS, namedIds } from '../kit/named-ids';
import { failureType } from '../kit/problem';
import { inBatches, settleEach } from '../kit/settle-all';
import { activeTemplates, allTemplates } from '../kit/template-pages';
import { switchSteps } from './switch';

/** How many templates one activity switches. A provider may have thousands. */
const BATCH = 50;

/**
 * Deactivates the active Office 365 templates and, at the end, activates exactly these ("stop provisioning", "start
 * provisioning", systems.md 1.5), by their ids; inactive ones are left alone.
 */
export const { off: stopProvisioning, on: startProvisioning } = switchSteps<
  'provisioning',
  number[],
  'activateTemplates' | 'deactivateTemplates'
>({
  changes: { off: ['deactivateTemplates'], on: ['activateTemplates'] },
  what: 'provisioning',
  offHeading: { name: 'stopProvisioning', title: 'Stop provisioning', waitsFor: 'nobody' },
  onHeading: { name: 'startProvisioning', title: 'Start provisioning', waitsFor: 'nobody' },
  undoes: 'activates exactly the templates that were active before',
  look: async (context) => (await templatesNow(context)).filter(({ active }) => active).map(({ id }) => id),
  off: async (context, stopped) => {
    await deactivate(context, stopped);
    context.note(`deactivated: ${said(stopped) || 'none was active'}`);
  },
  on: async (context, stopped) => {
    const gone = await activate(context, stopped);
    if (gone.length > 0)
      context.warn(
        `Service templates that were active before are no longer there, so they are not activated: ${said(gone)}.`,
      );
    const activated = stopped.filter((id) => !gone.includes(id));
    context.note(`activated: ${said(activated) || (gone.length > 0 ? 'none is left' : 'none was active before')}`);
  },
  merge: (looks) => [...new Set(looks.flat())],
  askWhatWasOn,
  offAgain: async (context, stopped, takesIn) => {
    const active = (await activeNow(context)).map(({ id }) => id);
    if (active.length === 0) return false;
    const added = active.filter((id) => !stopped.includes(id));
    if (added.length > 0) await takesIn(added);
    stopped.push(...added);
    await deactivate(context, active);
    context.note(`deactivated what somebody had activated: ${said(active)}`);
    return true;
  },
  expectOff: async (context, stopped) => {
    const left = (await activeNow(context)).filter(({ id }) => stopped.includes(id));
    if (left.length > 0) throw rejected(`Still active: ${namesOf(left)}.`);
  },
  expectOn: async (context, stopped) => {
    const active = new Set((await activeNow(context)).map(({ id }) => id));
    const left = new Set(stopped.filter((id) => !active.has(id)));
    if (left.size === 0) return;
    // One that somebody has removed meanwhile is missed by nobody.
    const off = (await templatesNow(context)).filter((template) => left.has(template.id) && !template.active);
    if (off.length > 0) throw rejected(`Not active: ${namesOf(off)}.`);
  },
});

async function deactivate(
  { activities, profile }: StepContext<'deactivateTemplates'>,
  templates: number[],
): Promise<void> {
  const entry = entryOf(profile, 'operations');
  await settleEach(inBatches(templates, BATCH), 1, (templateIds) =>
    activities.operations.deactivateTemplates(`deactivate templates ${listed(templateIds)}`, { entry, templateIds }),
  );
}

/** @returns those that somebody has removed meanwhile: nobody misses them. */
async function activate(context: StepContext<'activateTemplates'>, templates: number[]): Promise<number[]> {
  const { operations } = context.activities;
  const entry = entryOf(context.profile, 'operations');
  const each = (ids: number[]) =>
    settleEach(inBatches(ids, BATCH), 1, (templateIds) =>
      operations.activateTemplates(`activate templates ${listed(templateIds)}`, { entry, templateIds }),
    );
  try {
    await each(templates);
    return [];
  } catch (error) {
    if (failureType(error) !== FAILURE.rejected) throw error;
    const there = new Set((await templatesNow(context)).map(({ id }) => id));
    const gone = templates.filter((id) => !there.has(id));
    if (gone.length === 0) throw error;
    // Something may be against one that is there as well.
    await each(templates.filter((id) => there.has(id)));
    return gone;
  }
}

const activeNow = ({ activities, profile }: StepContext): Promise<{ id: number; name: string }[]> =>
  activeTemplates(activities.operations, { entry: entryOf(profile, 'operations', 'aps') });

const templatesNow = ({ activities, profile }: StepContext): Promise<ServiceTemplate[]> =>
  allTemplates(activities.operations, { entry: entryOf(profile, 'operations', 'aps') });

async function askWhatWasOn(context: StepContext): Promise<number[]> {
  const inactive = (await templatesNow(context)).filter(({ active }) => !active);
  if (inactive.length === 0) return [];
  const ids = inactive.map(({ id }) => id);
  const { evidence } = await context.ask({
    item: 'templates',
    asked: 'operator',
    title: 'Say which Office 365 service templates have to be active again',
    instructions: `Nothing tells any more which templates the unfinished upgrade has deactivated. Inactive now, ${inactive.length}: ${listed(inactive.map(({ id, name }) => `${id} ("${name}")`))}. Name those that were active before it; the others are left alone.`,
    evidence: HOW_TO_NAME_IDS,
    verify: async (answer) => {
      const { unknown } = namedIds(answer.evidence, ids);
      return unknown.length === 0 ? undefined : `These name no inactive template: ${listed(unknown)}.`;
    },
  });
  return namedIds(evidence, ids).ids;
}

const said = (ids: number[]): string => (ids.length === 0 ? '' : `${ids.length} templates, ${listed(ids)}`);
const namesOf = (templates: Pick<ServiceTemplate, 'name'>[]): string =>
  listed(templates.map(({ name }) => `"${name}"`));

const rejected = (message: string): ApplicationFailure => ApplicationFailure.nonRetryable(message, FAILURE.rejected);
