import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
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
    const { operations: connection } = context.profile;
    await settleAll(
      stopped.map(({ id, name }) =>
        operations.deactivateTemplate(`deactivate "${name}"`, { operations: connection, templateId: id }),
      ),
    );
    context.note(`deactivated: ${namesOf(stopped) || 'none was active'}`);
  },
  on: async (context, stopped) => {
    const { operations } = context.activities;
    const { operations: connection } = context.profile;
    await settleAll(
      stopped.map(({ id, name }) =>
        operations.activateTemplate(`activate "${name}"`, { operations: connection, templateId: id }),
      ),
    );
    context.note(`activated: ${namesOf(stopped) || 'none was active before'}`);
  },
  merge: (looks) => [...new Map(looks.flat().map((template) => [template.id, template])).values()],
  askWhatWasOn,
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
  const { operations, aps } = profile;
  const templates = await activities.operations.readTemplates('read Office 365 service templates', { operations, aps });
  return templates.filter(({ active }) => active);
}

async function askWhatWasOn(context: StepContext): Promise<Stopped> {
  const { operations, aps } = context.profile;
  const templates = await context.activities.operations.readTemplates('read Office 365 service templates', {
    operations,
    aps,
  });
  const inactive = templates.filter(({ active }) => !active).map(({ id, name }) => ({ id, name }));
  if (inactive.length === 0) return [];
  const { evidence } = await context.ask({
    item: 'templates',
    asked: 'operator',
    title: 'Say which Office 365 service templates have to be active again',
    instructions: `Nothing tells any more which templates the unfinished upgrade has deactivated. Inactive now: ${inactive.map(({ id, name }) => `${id} ("${name}")`).join(', ')}. Name those that were active before it, by their ids; the others are left alone.`,
    evidence: 'The ids with commas between them, such as "16, 17"; or "none".',
    verify: async (answer) => {
      const problem = unknownIn(answer.evidence, inactive);
      return problem === undefined ? undefined : `${problem} Inactive are ${inactive.map(({ id }) => id).join(', ')}.`;
    },
  });
  return inactive.filter(({ id }) => idsIn(evidence).includes(String(id)));
}

const idsIn = (evidence: string): string[] =>
  evidence.trim() === 'none' ? [] : evidence.split(/[\s,;]+/).filter((id) => id !== '');

function unknownIn(evidence: string, inactive: Stopped): string | undefined {
  const unknown = idsIn(evidence).filter((id) => !inactive.some((template) => String(template.id) === id));
  return unknown.length === 0 ? undefined : `No inactive template has the id ${unknown.join(', ')}.`;
}

const namesOf = (templates: Stopped): string => templates.map(({ name }) => `"${name}"`).join(', ');

const rejected = (message: string): ApplicationFailure => ApplicationFailure.nonRetryable(message, FAILURE.rejected);
