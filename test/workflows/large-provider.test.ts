/**
 * @needs temporal
 *
 * A provider larger than most. What an upgrade costs grows with it, and what one call, one answer and one look carry does not.
 * `npm run bench -- large` does the same with the largest provider that is taken.
 */
import type { WorkflowHandle } from '@temporalio/client';
import type { GuardInput } from '../../src/contract/consent';
import { LIMITS } from '../../src/contract/limits';
import { bytesOf, inPages, QUERY, type Gate } from '../../src/contract/status';
import { aMoment } from '../kit/deadlines';
import { Guard } from '../kit/handles/guard';
import { profile, stubActivities, operationsFacts, type StubActivities } from '../kit/stub-world/stub-activities';
import {
  WorkflowEnvironment,
  answerEverything,
  auditOf,
  statusOf,
  statusWhen,
  tell,
} from '../kit/stub-world/workflow-environment';
import { testInFull } from '../kit/extent';

const SIZE = { instances: 60, sites: 1, plans: 1 };
const TEMPLATES = 300;
/** How many active templates its system tells at once. */
const ACTIVE_PAGE = 200;
const BY_HAND = { connectionTest: { adapter: 'gate' } };
/** Of one workflow, as Temporal's server takes it. */
const MOST_EVENTS = 51_200;
/** Longer than what Temporal takes for a summary. */
const LONG = '合同'.repeat(150);

let environment: WorkflowEnvironment;
beforeAll(async () => {
  environment = await WorkflowEnvironment.start();
});
afterAll(async () => {
  await environment?.close();
});

/** Its activities keep what they were asked together, and how much of it at once. */
function largeProvider(provider: string, change: object = {}) {
  const facts = operationsFacts('18.3', SIZE);
  for (const instance of facts.instances) instance.name = `${instance.name} ${LONG}`;
  const templates = Array.from({ length: TEMPLATES }, (_, index) => ({
    ...facts.templates[0]!,
    id: 1000 + index,
    name: `Office 365 offer ${index}`,
  }));
  const ids = templates.map(({ id }) => id);
  const active = new Set(ids);
  const batches: number[] = [];
  const guards: number[] = [];
  let [upgrading, most] = [0, 0];
  const now = (wanted: readonly number[]) =>
    templates.filter(({ id }) => wanted.includes(id)).map((each) => ({ ...each, active: active.has(each.id) }));
  const { readOperations, readTemplates, upgradeInstance } = {
    readOperations: async () => ({ ...facts, templates: now(ids.slice(0, 250)), left: left(ids.slice(250)) }),
    readTemplates: async ({ candidates }) =>
      candidates
        ? { templates: now(candidates.ids) }
        : { templates: now(ids.slice(0, 250)), left: left(ids.slice(250)) },
    upgradeInstance: async () => {
      most = Math.max(most, ++upgrading);
      await new Promise((resolve) => setImmediate(resolve));
      upgrading -= 1;
    },
  } satisfies Partial<StubActivities>;
  const switchTo =
    (on: boolean) =>
    async ({ templateIds }: { templateIds: number[] }) => {
      batches.push(templateIds.length);
      for (const id of templateIds) {
        if (on) active.add(id);
        else active.delete(id);
      }
    };
  const stub = stubActivities(profile(provider, change), { size: SIZE });
  const activities: StubActivities = {
    ...stub.activities,
    readOperations,
    readTemplates,
    upgradeInstance,
    activateTemplates: switchTo(true),
    deactivateTemplates: switchTo(false),
    readActiveTemplates: async ({ candidates }) => {
      const all = candidates?.ids ?? ids.filter((id) => active.has(id));
      const page = now(all.slice(0, ACTIVE_PAGE)).filter((each) => each.active);
      return all.length > ACTIVE_PAGE ? { templates: page, left: left(all.slice(ACTIVE_PAGE)) } : page;
    },
    startGuards: async (input) => {
      guards.push(input.guards.length);
    },
  };
  return { ...stub, activities, active, batches, guards, mostAtOnce: () => most };
}

const left = (ids: number[]) => ({ ids, listedByApplication: true });

/** A provider whose consents Microsoft tests, with accounts for its instances, and maybe for others. */
function atMicrosoft(provider: string, { instances, accounts }: { instances: number; accounts: number }) {
  const size = { ...SIZE, instances };
  const entry = profile(
    provider,
    {
      connectionTest: {
        adapter: 'microsoft',
        clientId: 'client',
        clientSecret: 'env:CLIENT_SECRET',
        accounts: Object.fromEntries(
          Array.from({ length: accounts }, (_, index) => [
            `CSP ${index + 1}`,
            { tenant: `csp${index + 1}.onmicrosoft.example`, refreshToken: `env:TOKEN_${index + 1}` },
          ]),
        ),
      },
    },
    size,
  );
  const guards: GuardInput[] = [];
  const startGuards: StubActivities['startGuards'] = async (input) => void guards.push(...input.guards);
  const { activities } = stubActivities(entry, { size, change: { startGuards } });
  return {
    entry,
    guards,
    upgrade: async () => {
      const handle = await environment.upgrade(activities, { provider });
      await answerEverything(handle);
      expect(await handle.result()).toMatchObject({ instances });
      return await historyOf(handle);
    },
  };
}

/** Bytes of the largest input or result of the workflow or of an activity, and the number of events. */
async function historyOf(handle: WorkflowHandle): Promise<{ events: number; largest: number }> {
  const { events } = await handle.fetchHistory();
  const sizes = (events ?? []).flatMap((event) =>
    [
      event.workflowExecutionStartedEventAttributes?.input,
      event.activityTaskScheduledEventAttributes?.input,
      event.activityTaskCompletedEventAttributes?.result,
    ].flatMap((payloads) => payloads?.payloads?.map(({ data }) => data?.length ?? 0) ?? []),
  );
  return { events: events?.length ?? 0, largest: Math.max(...sizes) };
}

test('templates, instances and guards go in bounded batches, and no call carries all of them', async () => {
  const world = largeProvider('large');
  const handle = await environment.upgrade(world.activities, { provider: 'large' });
  await answerEverything(handle);
  expect(await handle.result()).toMatchObject({ instances: 60 });
  expect(world.batches).toEqual([50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50]);
  expect(world.active.size).toBe(TEMPLATES);
  expect(world.guards).toEqual([50, 10]);
  expect(world.mostAtOnce()).toBeLessThanOrEqual(25);
  const { events, largest } = await historyOf(handle);
  expect(events).toBeLessThan(60 * 22 + 500);
  expect(largest).toBeLessThan(120_000);
  const notes = (await statusOf(handle)).steps.map(({ note = '' }) => note.length);
  expect(Math.max(...notes)).toBeLessThan(1_000);
});

test('where Microsoft tests many accounts, no payload of an upgrade grows with them, each guard has its own, and 1,000 instances fit into a history', async () => {
  const few = atMicrosoft('few-at-microsoft', { instances: 2, accounts: 2 });
  const many = atMicrosoft('many-at-microsoft', { instances: 8, accounts: LIMITS.instances });
  const [ofFew, ofMany] = await Promise.all([few.upgrade(), many.upgrade()]);
  expect(ofMany.largest).toBeLessThan(10_000);
  const ofEachInstance = (ofMany.events - ofFew.events) / (8 - 2);
  expect(ofFew.events + LIMITS.instances * ofEachInstance).toBeLessThan(MOST_EVENTS);
  expect(many.guards.map(({ instance }) => instance.id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  const [ofOne] = few.guards;
  for (const { settings } of many.guards) expect(settings).toEqual(ofOne?.settings);

  // What a guard reads by itself does not grow with them either, nor what one run hands on to the next.
  const { entry } = many;
  const guard = await Guard.start(environment.client, 'test/many-at-microsoft', entry, {
    consentedAt: new Date().toISOString(),
    historyLimit: 12,
  });
  const { runId } = await guard.handle.describe();
  await guard.renew();
  await guard.handle.signal('confirmRenewal', { by: 'bo', evidence: 'both green' });
  while ((await guard.handle.describe()).runId === runId) await aMoment();
  for (const run of [runId, undefined]) {
    const { largest } = await historyOf(environment.client.workflow.getHandle(guard.handle.workflowId, run));
    expect(largest).toBeLessThan(5_000);
  }
});

test('an abort in the midst of a batch stops after it, and what was switched off is on again', async () => {
  const world = largeProvider('aborted-large');
  let asked: () => void = () => undefined;
  const first = new Promise<void>((resolve) => (asked = resolve));
  let go: () => void = () => undefined;
  const gone = new Promise<void>((resolve) => (go = resolve));
  const { deactivateTemplates } = world.activities;
  const handle = await environment.upgrade(
    {
      ...world.activities,
      deactivateTemplates: async (input) => {
        asked();
        await gone;
        await deactivateTemplates(input);
      },
    },
    { provider: 'aborted-large' },
  );
  await first;
  await tell(handle, 'abort', { by: 'ana', reason: 'not today' });
  go();
  await expect(handle.result()).rejects.toThrow();
  expect((await statusOf(handle)).state).toBe('rolledBack');
  expect(world.active.size).toBe(TEMPLATES);
  // One batch off, and all of them on again.
  expect(world.batches).toHaveLength(1 + TEMPLATES / 50);
});

testInFull(
  'gates of all instances are told in pages, shown a few at a time and reminded of in one bounded notice',
  async () => {
    const world = largeProvider('gates-large', BY_HAND);
    const handle = await environment.upgrade(world.activities, { provider: 'gates-large' });
    await statusWhen(handle, ({ gates, moreGates = 0 }) => gates.length + moreGates === 60);
    const status = await statusOf(handle);
    const gates = await inPages((skip) => handle.query<Gate[], [number]>(QUERY.gates, skip));
    expect(gates.map(({ item }) => item)).toEqual(operationsFacts('18.3', SIZE).instances.map(({ id }) => String(id)));
    expect(gates.slice(0, status.gates.length)).toEqual(status.gates);
    const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(currentDetails).toContain('40 more gates are open');
    expect(currentDetails.length).toBeLessThan(60_000);
    const [notice] = world.notices.filter(({ kind }) => kind === 'gatesOpened');
    expect(notice?.body).toContain('And 50 more');
    expect(bytesOf(notice)).toBeLessThan(40_000);
    await answerEverything(handle);
    await handle.result();
    expect(
      (await auditOf(handle)).filter(({ what, verdict }) => what === 'gate' && verdict === 'done').length,
    ).toBeGreaterThan(3 * 60);
  },
);
