import { TemporalFailure, isCancellation } from '@temporalio/workflow';
import { entryOf, type EntryRef } from '../../src/contract/entry';
import type { ApplicationInstance } from '../../src/contract/facts';
import { provesConnection } from '../../src/contract/provider';
import type { Activities } from '../kit/activities';
import { now } from '../kit/now';
import { problemOf } from '../kit/problem';
import { AT_ONCE, settleAll, settleEach } from '../kit/settle-all';
import { listed } from '../kit/listed';
import type { Question } from '../../src/contract/status';
import type { Foreseen } from '../engine/effects';
import type { StepContext } from '../engine/step';

type Tested = Pick<ApplicationInstance, 'id' | 'name' | 'resourceId'>;

/**
 * What the provider's adapter says of the connection of one instance.
 * @returns what is wrong, or undefined. Only for providers whose adapter is not `gate`.
 */
export async function connectionProblem(
  { microsoft }: Pick<Activities, 'microsoft'>,
  entry: EntryRef,
  instance: Tested,
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

/**
 * What an adapter that proves nothing says against the connection: evidence for whoever presses the button, and no more than that. It
 * has a token of its own, and that may fail where the application's works.
 */
export async function contradiction(
  activities: Pick<Activities, 'microsoft'>,
  entry: EntryRef,
  adapter: string,
  instance: Tested,
): Promise<string | undefined> {
  if (adapter === 'gate') return undefined;
  const found = await connectionProblem(activities, entry, instance).catch((error: unknown) => {
    if (isCancellation(error) || !(error instanceof TemporalFailure)) throw error;
    return `It could not be tested: ${problemOf(error)}`;
  });
  return found === undefined
    ? undefined
    : `The adapter ${adapter}, with the token of the inventory, contradicts. ${found}`;
}

const evidenceAgainst = (
  { activities, profile }: StepContext,
  instance: ApplicationInstance,
): Promise<string | undefined> =>
  contradiction(activities, entryOf(profile, 'connectionTest'), profile.connectionTest.adapter, instance);

export const CONNECTION_TEST_INSTRUCTIONS =
  'In the Provider Control Panel open Services > Applications > Office 365 > Instances, select the instance, and on its Office 365 tab, Settings, click Test Connection. Both Partner Center and Graph have to answer.';

/** A person presses it for each instance, where no adapter does. */
export function asksForConnections({ profile, facts }: Foreseen): Question[] {
  if (provesConnection(profile.connectionTest)) return [];
  return asksForEach(facts.operations.instances, 'operator', 'See Test Connection succeed');
}

/** The same of each instance. */
export const asksForEach = (
  instances: readonly Pick<ApplicationInstance, 'name'>[],
  asked: Question['asked'],
  what: string,
): Question[] =>
  instances.length === 0
    ? []
    : [{ asked, what: `${what}: ${listed(instances.map(({ name }) => `"${name}"`))}`, times: instances.length }];

export type Confirmed = { readonly at: string; readonly problem?: never } | { readonly problem: string };

/**
 * *Test Connection* of the application, of each instance (procedure step 5.4.2): by an adapter that presses it, else by a person.
 * @returns when each was seen to succeed, or what is wrong.
 */
export async function confirmConnections(
  context: StepContext,
  instances: readonly ApplicationInstance[],
): Promise<Confirmed[]> {
  if (provesConnection(context.profile.connectionTest))
    return await settleEach(instances, AT_ONCE, async (instance): Promise<Confirmed> => {
      const problem = await problemOfConnection(context, instance);
      return problem === undefined ? { at: now() } : { problem };
    });
  const against = await settleEach(instances, AT_ONCE, (instance) => evidenceAgainst(context, instance));
  return await settleAll(instances.map((instance, index) => askForConnectionTest(context, instance, against[index])));
}

/** A contradiction is told before the answer, or once against it; whoever answers again has read it. */
async function askForConnectionTest(
  context: StepContext,
  instance: ApplicationInstance,
  before: string | undefined,
): Promise<{ at: string }> {
  let told = before !== undefined;
  return await context.ask({
    item: `connection-${instance.id}`,
    alias: instance.name,
    asked: 'operator',
    title: `Test Connection of instance "${instance.name}" succeeds`,
    instructions: [CONNECTION_TEST_INSTRUCTIONS, ...(before === undefined ? [] : [before])].join('\n\n'),
    evidence: 'The message that was shown, and when.',
    verify: async () => {
      const against = told ? undefined : await evidenceAgainst(context, instance);
      if (against === undefined) return undefined;
      told = true;
      return `${against} If Test Connection of the application succeeds all the same, answer again.`;
    },
  });
}
