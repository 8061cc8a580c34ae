import { entryOf, type EntryRef } from '../../src/contract/entry';
import type { ApplicationInstance } from '../../src/contract/facts';
import type { Activities } from '../kit/activities';
import type { GateAnswer } from '../people/gate';
import type { StepContext } from '../engine/step';

/**
 * *Test Connection* of one instance, by the provider's adapter.
 * @returns what is wrong, or undefined. Only for providers whose adapter is not `gate`.
 */
export async function connectionProblem(
  { microsoft }: Pick<Activities, 'microsoft'>,
  entry: EntryRef,
  instance: Pick<ApplicationInstance, 'id' | 'name' | 'resourceId'>,
): Promise<string | undefined> {
  const { ok, checks } = await microsoft.testConnection(`test the connection of "${instance.name}"`, {
    entry,
    instance: { id: instance.id, name: instance.name, resourceId: instance.resourceId },
  });
  if (ok) return undefined;
  const failed = checks
    .filter((check) => !check.ok)
    .map(({ name, message }) => `${name}: ${message ?? 'no reason given'}`);
  return `Test Connection of "${instance.name}" fails. ${failed.join('; ') || 'It gives no reason.'}`;
}

/** The same, as a step of an upgrade asks it. */
export const problemOfConnection = (
  { activities, profile }: Pick<StepContext, 'activities' | 'profile'>,
  instance: ApplicationInstance,
): Promise<string | undefined> => connectionProblem(activities, entryOf(profile, 'connectionTest'), instance);

/** Whether a person has to press the button. */
export const testsByHand = ({ profile }: StepContext): boolean => profile.connectionTest.adapter === 'gate';

export const CONNECTION_TEST_INSTRUCTIONS =
  'In the Provider Control Panel open Services > Applications > Office 365 > Instances, select the instance, and on its Office 365 tab, Settings, click Test Connection. Both Partner Center and Graph have to answer.';

/** Asks an operator to press *Test Connection* (procedure step 5.4.2). */
export async function askForConnectionTest(context: StepContext, instance: ApplicationInstance): Promise<GateAnswer> {
  return await context.ask({
    item: `connection-${instance.id}`,
    alias: instance.name,
    asked: 'operator',
    title: `Test Connection of instance "${instance.name}" succeeds`,
    instructions: CONNECTION_TEST_INSTRUCTIONS,
    evidence: 'The message that was shown, and when.',
  });
}
