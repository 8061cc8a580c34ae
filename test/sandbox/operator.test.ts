import { type Gate, type Hold, type UpgradeStatus } from '../../src/contract/status';
import { runOperator, type UpgradeHandle } from '../../src/sandbox/operator';
import { startSandbox, type Sandbox } from '../../src/sandbox/server';
import { importPackage } from '../../src/sandbox/world/packages';
import { sim } from './clients';
import { standInHosts } from './stand-in-hosts';
import { SIMULATED_RELEASES } from '../../workflows/releases';

const hosts = standInHosts();
let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox({
    releases: SIMULATED_RELEASES,
    hosts: hosts.register,
    providers: [{ id: 'contoso', instances: 1 }],
  });
});
afterEach(() => sandbox.close());

function gate(step: string, item: string, more: Partial<Gate> = {}): Gate {
  return {
    id: `${step}/${item}`,
    step,
    item,
    asked: 'operator',
    title: 'Do it',
    instructions: 'Do it',
    evidence: 'That it was done',
    answer: { name: 'confirmStep', payload: { step, item, by: '<who>', evidence: '<what shows it>' } },
    openedAt: '2019-01-15T10:00:00.000Z',
    ...more,
  };
}

/** An upgrade that does nothing but wait at its gates; it is over when nothing is open. */
class WaitingUpgrade implements UpgradeHandle {
  readonly answers: { name: string; payload: Record<string, string> }[] = [];
  constructor(
    private gates: Gate[],
    private holds: Hold[] = [],
    private readonly judge: (open: Gate) => string | undefined = () => undefined,
  ) {}

  async query(): Promise<unknown> {
    const state = this.gates.length + this.holds.length === 0 ? 'completed' : 'waiting';
    return { state, gates: this.gates, holds: this.holds, steps: [] } satisfies Partial<UpgradeStatus>;
  }

  async signal(name: string, payload: Record<string, string>): Promise<void> {
    this.answers.push({ name, payload });
    if (name === 'resolveHold') this.holds = this.holds.filter((hold) => hold.step !== payload.step);
    this.gates = this.gates.flatMap((open) => {
      const meant = open.item === (payload.item ?? payload.instance);
      const problem = meant ? this.judge(open) : undefined;
      if (!meant) return [open];
      return problem === undefined ? [] : [{ ...open, lastProblem: problem }];
    });
  }
}

const META = { apsId: 'http://www.parallels.com/Office365', name: 'Office 365', version: '18.4.1', release: '12' };
const run = (upgrade: UpgradeHandle, more: Partial<Parameters<typeof runOperator>[0]> = {}) =>
  runOperator({ upgrade, controlUrl: sandbox.urls.control('contoso'), everyMs: 1, ...more });
/** What people have done; not what Operations does by itself. */
const effects = () =>
  sandbox.journal
    .entries({ kind: 'effect' })
    .filter(({ system }) => system !== 'operations')
    .map(({ name, object }) => `${name} ${object}`);

test('does the work of every gate once, and only then says that it is done', async () => {
  const [instance] = sandbox.world.provider('contoso').instances;
  Object.assign(instance ?? {}, { packageVersion: '18.4.1-12', storedUser: false });
  importPackage(sandbox.world, sandbox.world.provider('contoso'), META, { enabled: true, fate: 'stuck' });
  const id = String(instance?.instanceId);
  const template = sandbox.world.provider('contoso').billingTemplates[0]?.serviceTemplateId;
  const upgrade = new WaitingUpgrade([
    gate('acquireRefreshTokens', id, {
      asked: 'partnerAdministrator',
      answer: { name: 'consentCompleted', payload: { instance: id, by: '<who>' } },
    }),
    gate('removeEmailParameter', 'parameter', { title: 'Remove o365_based_on_email from 1 billing service templates' }),
    gate('removeEmailParameter', 'store-main', { title: 'Synchronise online store "Main store"' }),
    gate('updateCustomizations', 'controlPanel'),
    gate('updateCustomizations', 'store-main'),
    gate('validate', `connection-${id}`),
  ]);
  await run(upgrade, { names: { partnerAdministrator: 'ana@csp.example' } });
  expect(effects()).toEqual([
    `consentGiven ${id}`,
    `parameterRemoved ${template}/o365_based_on_email`,
    'storeSynchronised main',
    'customizationUpdated controlPanel',
    'customizationUpdated main',
  ]);
  expect(upgrade.answers[0]).toEqual({ name: 'consentCompleted', payload: { instance: id, by: 'ana@csp.example' } });
  expect(JSON.stringify(upgrade.answers)).not.toContain('<');

  // Another operator finds everything done.
  await run(
    new WaitingUpgrade([
      gate('updateCustomizations', 'controlPanel'),
      gate('removeEmailParameter', 'store-main', { title: 'Synchronise online store "Main store"' }),
    ]),
  );
  expect(effects()).toHaveLength(5);
});

test('waits until the task list is empty, and processes what has failed', async () => {
  await sim(sandbox, 'POST', 'clock', { advanceMs: 1 });
  for (const { id, name, periodic } of sandbox.world.provider('contoso').tasks) {
    if (/office/i.test(name) && !periodic) await sim(sandbox, 'POST', `providers/contoso/tasks/${id}/process`);
  }
  await sim(sandbox, 'POST', 'providers/contoso/tasks', { name: 'Office 365: late', status: 'Failed' });
  const upgrade = new WaitingUpgrade([gate('drainTasks', 'tasks')]);
  await run(upgrade);
  expect(upgrade.answers).toHaveLength(1);
  const { body } = await sim<{ name: string }[]>(sandbox, 'GET', 'providers/contoso/tasks');
  expect(body.map(({ name }) => name)).not.toContain('Office 365: late');
});

describe('switching the synchronisation', () => {
  const switchedBy = async (step: string, more: object = {}) => {
    const upgrade = new WaitingUpgrade([gate(step, 'console')]);
    const query = async () => ({ ...((await upgrade.query()) as object), ...more });
    const home = new AbortController();
    await run(
      { query, signal: (...answer) => upgrade.signal(...answer) },
      { signal: home.signal, onEvent: () => home.abort() },
    );
    return upgrade.answers.map(({ payload }) => payload.evidence);
  };
  const now = () => sandbox.world.provider('contoso').synchronisation;

  test('is done before it is confirmed, and only where it is not done', async () => {
    expect(await switchedBy('stopSynchronisation')).toEqual([expect.stringContaining('off')]);
    await switchedBy('stopSynchronisation');
    expect(effects()).toEqual(['synchronisationStopped undefined']);
    await switchedBy('startSynchronisation');
    expect(now()).toBe('on');
  });

  test('is undone when the step is being undone', async () => {
    await switchedBy('stopSynchronisation');
    await switchedBy('stopSynchronisation', { steps: [{ name: 'stopSynchronisation', state: 'undoing' }] });
    expect(now()).toBe('on');
    await switchedBy('stopSynchronisation');
    await switchedBy('stopSynchronisation', { state: 'rollingBack' });
    expect(now()).toBe('on');
  });
});

test('decides for an optional step unless it is told otherwise, and does none of its work at that', async () => {
  const decision = { step: 'stopSynchronisation', action: '<run or decline>', by: '<who>', reason: '<why>' };
  const asks = () =>
    new WaitingUpgrade([
      gate('stopSynchronisation', 'decision', {
        answer: { name: 'decideStep' as Gate['answer']['name'], payload: { ...decision, item: 'decision' } },
      }),
    ]);
  const usual = asks();
  await run(usual);
  expect(usual.answers).toMatchObject([{ name: 'decideStep', payload: { step: decision.step, action: 'run' } }]);
  expect(usual.answers[0]?.payload.reason).not.toContain('<');
  const against = asks();
  await run(against, { decides: () => 'decline' });
  expect(against.answers).toMatchObject([{ payload: { action: 'decline' } }]);
  expect(effects()).toEqual([]);
});

test('confirms what it has no screen for with a plain word', async () => {
  const upgrade = new WaitingUpgrade([gate('installRuntime', 'gw-host-01')]);
  await run(upgrade);
  expect(upgrade.answers).toMatchObject([
    { name: 'confirmStep', payload: { evidence: expect.stringContaining('Looked') } },
  ]);
});

test('leaves alone what it is told to leave, until it is sent home', async () => {
  const upgrade = new WaitingUpgrade([gate('updateCustomizations', 'controlPanel'), gate('preflight', 'other')]);
  const home = new AbortController();
  await run(upgrade, {
    leaves: ({ step }) => step === 'updateCustomizations',
    signal: home.signal,
    onEvent: () => home.abort(),
  });
  expect(upgrade.answers.map(({ payload }) => payload.item)).toEqual(['other']);
  expect(effects()).toEqual([]);
});

test('answers again when its answer was not enough, but not for ever', async () => {
  const home = new AbortController();
  let looks = 0;
  const upgrade = new WaitingUpgrade([gate('updateCustomizations', 'controlPanel')], [], () => {
    looks += 1;
    if (looks === 3) setTimeout(() => home.abort(), 30);
    return 'not enough';
  });
  await run(upgrade, { signal: home.signal });
  expect(upgrade.answers).toHaveLength(3);
});

test('runs failed tasks again before it retries a held step', async () => {
  const provider = sandbox.world.provider('contoso');
  importPackage(sandbox.world, provider, META, { enabled: true, fate: 'failed' });
  await sim(sandbox, 'POST', 'clock', { advanceMs: 60_000 });
  expect(provider.tasks.some(({ status }) => status === 'Failed')).toBe(true);
  const hold: Hold = { step: 'importPackage', since: 'now', problem: 'failed', actions: ['retry'] };
  const upgrade = new WaitingUpgrade([], [hold]);
  await run(upgrade, { resolves: () => 'retry' });
  expect(upgrade.answers).toMatchObject([{ name: 'resolveHold', payload: { step: 'importPackage', action: 'retry' } }]);
  expect(provider.tasks.some(({ status }) => status === 'Failed')).toBe(false);
});

test('survives that nobody answers for a while', async () => {
  const upgrade = new WaitingUpgrade([gate('preflight', 'other')]);
  let failures = 0;
  const events = await run({
    signal: (name, payload) => upgrade.signal(name, payload),
    query: async () => {
      failures += 1;
      if (failures < 3) throw new Error('no worker polls the task queue');
      return upgrade.query();
    },
  });
  expect(events.map(({ kind }) => kind)).toEqual(['failed', 'failed', 'answered']);
});
