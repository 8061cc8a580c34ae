/**
 * What a release brings for its hosts, and the restart that it may need.
 *
 * @uses powershell
 */
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { FAILURE, type EndpointActivities, type HostScriptParameters } from '../../src/contract/activities';
import { operationId } from '../../src/contract/operation';
import { recordsFolder } from '../../src/systems/endpoint/upgrade-records';
import { patience } from '../kit/deadlines';
import { everything, testInFull } from '../kit/extent';
import { NEXT_RELEASE } from '../kit/releases';
import { installRuntime } from '../kit/releases/18.5/simulation';
import { missingTools } from '../kit/tools.cjs';
import { HostWorld, hostSpec, NEXT, OPERATION, type Engine } from './host-world';

/** A genuine PowerShell takes a minute for all this. */
const ENGINES: Engine[] =
  missingTools().powershell === undefined && everything ? ['stand-in', 'PowerShell'] : ['stand-in'];
/** Long enough for the answer of shutdown.exe to reach a script before its host goes down. */
const RESTART_MS = patience(300);
const TWINS = { '18.5/install-runtime': installRuntime };
const RUNTIME: HostScriptParameters = { feature: 'NET-Framework-48' };

let world: HostWorld;
let activities: EndpointActivities;
afterEach(() => world.end());

/** A host that belongs to {@link OPERATION}. */
async function start(engine: Engine, options: Parameters<typeof HostWorld.start>[0] = {}): Promise<void> {
  world = await HostWorld.start({ releaseTwins: TWINS, hostRestartMs: RESTART_MS, ...options });
  activities = world.activities(engine, { releases: NEXT_RELEASE.folders });
  await world.claim(OPERATION, engine);
}
const install = (parameters = RUNTIME, script = 'install-runtime', release = '18.5') =>
  activities.runHostScript({ host: world.host, operation: OPERATION, release, script, parameters });
const restart = (before: string) => activities.restartHost({ host: world.host, operation: OPERATION, before });
/** Asks, and waits until the host is up again. */
async function restartAsAsked(before: string): Promise<{ bootTime: string }> {
  const up = once(world.hosts.restarts, 'up');
  await expect(restart(before)).rejects.toMatchObject({ type: FAILURE.notYet, retryable: true });
  await up;
  return await restart(before);
}
const count = (call: string) => world.calls().filter((name) => name === call).length;

describe.each(ENGINES)('through %s', (engine) => {
  test('a prerequisite is installed once, works after a restart, and is then found', async () => {
    await start(engine);
    const first = await install();
    expect(first).toEqual({
      done: false,
      restartNeeded: true,
      note: 'NET-Framework-48 is installed and needs a restart.',
      bootTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
    });
    await expect(install()).resolves.toEqual(first);
    const { bootTime } = await restartAsAsked(first.bootTime);
    expect(bootTime > first.bootTime).toBe(true);
    await expect(install()).resolves.toEqual({
      done: true,
      restartNeeded: false,
      note: 'NET-Framework-48 is installed.',
      bootTime,
    });
    expect(world.effects()).toEqual([
      'prerequisiteInstalled NET-Framework-48',
      'registryValueSet HKLM:\\SOFTWARE\\Onward\\Test NET-Framework-48',
      'hostRestarted gw-host-01',
    ]);
    await expect(restart(first.bootTime)).resolves.toEqual({ bootTime });
    expect(count('shutdown.exe')).toBe(1);
  });

  test('a script says by itself why it does not go on, and that it is not what the release promises', async () => {
    await start(engine);
    await expect(install({ ...RUNTIME, refuses: true })).rejects.toMatchObject({
      type: FAILURE.unexpectedState,
      message: expect.stringContaining('NET-Framework-48 cannot be installed on this host') as string,
    });
    if (engine === 'stand-in') return;
    await expect(install(RUNTIME, 'says-nothing')).rejects.toMatchObject({
      type: FAILURE.rejected,
      message: expect.stringMatching(/the script 18\.5\/says-nothing did not say 'done'/) as string,
    });
  });

  test('neither a script nor a restart is for anybody but the operation that has claimed the host', async () => {
    await start(engine);
    const { bootTime } = await install();
    await world.claim(NEXT, engine);
    const belongs = { type: FAILURE.unexpectedState, message: expect.stringContaining(operationId(NEXT)) as string };
    await expect(install()).rejects.toMatchObject(belongs);
    await expect(restart(bootTime)).rejects.toMatchObject(belongs);
    await world.claim(undefined, engine);
    const nobody = { type: FAILURE.unexpectedState, message: expect.stringMatching(/belongs to no upgrade/) as string };
    await expect(install()).rejects.toMatchObject(nobody);
    await expect(restart(bootTime)).rejects.toMatchObject(nobody);
    expect(count('shutdown.exe')).toBe(0);
  });

  test('a restart is asked for once while it may come true, and again when it was called off', async () => {
    await start(engine);
    const { bootTime } = await install();
    world.fault('shutdown.exe', 'restartCalledOff');
    await expect(restart(bootTime)).rejects.toMatchObject({ type: FAILURE.notYet });
    await expect(restart(bootTime)).rejects.toMatchObject({ type: FAILURE.notYet });
    expect(world.calls().filter((call) => call.startsWith('shutdown.exe'))).toHaveLength(1);

    const records = path.join(world.workDirectory, 'records', recordsFolder(OPERATION));
    const [name = ''] = (await readdir(records)).filter((file) => file.endsWith('.restart.json'));
    const record = JSON.parse(await readFile(path.join(records, name), 'utf8')) as object;
    const longAgo = new Date(Date.now() - 3600_000).toISOString();
    await writeFile(path.join(records, name), JSON.stringify({ ...record, at: longAgo }));
    await restartAsAsked(bootTime);
    expect(count('shutdown.exe')).toBe(1);
    expect(world.effects()).toContain('hostRestarted gw-host-01');
  });

  testInFull('a restart that is on its way already is waited for', async () => {
    await start(engine, { hostRestartMs: patience(5_000) });
    const { bootTime } = await install();
    world.fault('shutdown.exe', 'effectThenNoAnswer');
    await expect(restart(bootTime)).rejects.toMatchObject({ type: FAILURE.outcomeUnknown });
    await restartAsAsked(bootTime);
    expect(world.effects().filter((effect) => effect.startsWith('hostRestarted'))).toHaveLength(1);
  });
});

test('a host that somebody has restarted meanwhile is not restarted again', async () => {
  await start('stand-in');
  const { bootTime } = await install();
  const up = once(world.hosts.restarts, 'up');
  await world.post('restart', {});
  await up;
  await expect(restart(bootTime)).resolves.not.toEqual({ bootTime });
  expect(count('shutdown.exe')).toBe(0);
});

test('a host that is down runs nothing and serves nothing, and a setup.cmd goes down with it', async () => {
  await start('stand-in', { setupMs: patience(60_000), hostRestartMs: patience(3_000) });
  const source = world.packageOf(OPERATION);
  await activities.stagePackage({ host: world.host, ...source });
  const died = activities.runSetup({ host: world.host, site: world.planned(0), ...source }).then(
    () => 'it lives',
    (error: { type: string }) => error.type,
  );
  await world.journalled('setup.cmd');
  const down = once(world.hosts.restarts, 'down');
  const up = once(world.hosts.restarts, 'up');
  await world.post('restart', {});
  await down;
  await expect(activities.readHost({ host: world.host })).rejects.toMatchObject({ type: FAILURE.outcomeUnknown });
  await expect(world.served(0)).rejects.toThrow(/the host is down/);
  await up;
  await expect(died).resolves.toBe(FAILURE.outcomeUnknown);
  await expect(world.served(0)).resolves.toBe('18.3');
  await expect(activities.readHost({ host: world.host })).resolves.toMatchObject({ elevated: true });
});

test('a restart needs an elevated session', async () => {
  await start('stand-in', { spec: hostSpec({ elevated: false }) });
  await expect(restart(new Date().toISOString())).rejects.toMatchObject({
    type: FAILURE.rejected,
    message: expect.stringMatching(/shutdown\.exe ended with exit code 5: Access is denied/) as string,
  });
});

describe('a script that the worker of the host does not have', () => {
  test.each([
    [
      'of another release',
      '18.6',
      'install-runtime',
      /a release that the worker of this host does not know \(it knows 18\.5\)/,
    ],
    [
      'of a known release',
      '18.5',
      'install-moon',
      /none of those that the worker of this host has \(install-runtime\.ps1, says-nothing\.ps1\)/,
    ],
    ['with a path for a name', '18.5', '../18.5/install-runtime', /has no plain name/],
    ['with a path for a release', '..', 'install-runtime', /has no plain name/],
  ])('%s is refused for good, and nothing is run', async (_, release, script, message) => {
    await start('stand-in');
    const calls = world.calls();
    await expect(install(RUNTIME, script, release)).rejects.toMatchObject({
      type: FAILURE.rejected,
      retryable: false,
      message: expect.stringMatching(message) as string,
    });
    expect(world.calls()).toEqual(calls);
  });

  test('leads to the worker that has to be updated', async () => {
    await start('stand-in');
    await expect(install(RUNTIME, 'install-moon')).rejects.toThrow(/Update the worker of this host/);
  });
});
