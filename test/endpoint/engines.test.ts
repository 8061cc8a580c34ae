/** @uses powershell */
import { FAILURE, type EndpointActivities, type SiteKey } from '../../src/contract/activities';
import type { SiteBackup } from '../../src/contract/facts';
import { operationId } from '../../src/contract/operation';
import { backupFolder, recordsFolder } from '../../src/systems/endpoint/upgrade-records';
import { everything } from '../kit/extent';
import { missingTools } from '../kit/tools.cjs';
import { FROM, HostWorld, NEXT, OPERATION, TO, type Engine } from './host-world';
import { patience } from '../kit/deadlines';

/** One upgrade of both sites, then a rollback of one: everything that the workflow asks of a host. */
async function upgradeAndRollBack(world: HostWorld, engine: Engine) {
  const activities: EndpointActivities = world.activities(engine);
  const host = world.host;
  const sites = [world.planned(0), world.planned(1)];
  const facts = await activities.readHost({ host });
  const before = await activities.detectSites({ host, sites, from: FROM, to: TO });
  await world.claim(OPERATION, engine);
  const source = world.packageOf(OPERATION);
  await activities.stagePackage({ host, ...source });
  const backups: (SiteBackup | undefined)[] = [];
  for (const site of sites) {
    backups.push(await activities.backupSite({ host, site, operation: OPERATION }));
    await activities.runSetup({ host, site, ...source });
  }
  await activities.resetIis({ host, operation: OPERATION, purpose: 'upgrade' });
  const after = await activities.detectSites({ host, sites, from: FROM, to: TO });
  const served = [await world.served(0), await world.served(1)];
  await activities.restoreSite({
    host,
    site: sites[1] as SiteKey,
    backup: backups[1] as SiteBackup,
    operation: OPERATION,
  });
  await activities.resetIis({ host, operation: OPERATION, purpose: 'rollback' });
  return { facts, before, backups, after, served, atLast: [await world.state(0), await world.state(1)] };
}

/** Without the folder that the host's disk happens to be in. */
function anywhere(world: HostWorld, value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll(JSON.stringify(world.directory).slice(1, -1), '<disk>'));
}

/** A genuine PowerShell takes a minute for all this. */
const COMPARES = missingTools().powershell === undefined && everything;
const ENGINES: Engine[] = COMPARES ? ['stand-in', 'PowerShell'] : ['stand-in'];
const comparison = COMPARES ? describe : describe.skip;

describe('an endpoint host', () => {
  const runs = new Map<
    Engine,
    { world: HostWorld; pristine: unknown; told: Awaited<ReturnType<typeof upgradeAndRollBack>> }
  >();
  beforeAll(async () => {
    for (const engine of ENGINES) {
      const world = await HostWorld.start();
      runs.set(engine, { world, pristine: await world.state(1), told: await upgradeAndRollBack(world, engine) });
    }
  });
  afterAll(async () => {
    for (const { world } of runs.values()) await world.end();
  });
  const run = (engine: Engine) => {
    const found = runs.get(engine);
    if (found === undefined) throw new Error(`There was no run with ${engine}`);
    return found;
  };

  describe.each(ENGINES)('with %s', (engine) => {
    test('tells its sites, their databases and whether it may be changed', () => {
      expect(run(engine).told.facts).toMatchObject({
        host: 'gw-host-01',
        identity: run(engine).world.host.identity,
        elevated: true,
        sites: [
          {
            bindings: [{ address: '10.1.2.11', port: 443, hostHeader: '' }],
            applications: [{ databases: [{ localDb: true, sysadmin: null }] }],
          },
          {
            applications: [
              {
                databases: [
                  { dataSource: 'sql01.hosting.local', localDb: false, login: 'o365gateway', sysadmin: true },
                ],
              },
            ],
          },
          { name: 'Intranet', bindings: [{ address: '*' }], applications: [] },
        ],
      });
    });

    test('is upgraded site by site and serves the new version after one iisreset', () => {
      const { world, told } = run(engine);
      expect(told.before.map(({ deployed }) => deployed)).toEqual(['old', 'old']);
      expect(told.after.map(({ deployed }) => deployed)).toEqual(['new', 'new']);
      expect(told.served).toEqual(['18.4.1', '18.4.1']);
      expect(world.effects()).toEqual([
        'setupRan Office365 Gateway 01/Office365GatewayApplication01',
        'setupRan Office365 Gateway 02/Office365GatewayApplication02',
        'iisReset gw-host-01',
        'siteRestored Office365 Gateway 02/Office365GatewayApplication02',
        'iisReset gw-host-01',
      ]);
    });

    test('is after a rollback exactly what it was before', () => {
      const { told, pristine } = run(engine);
      expect(told.atLast[1]).toEqual(pristine);
    });
  });

  comparison('compared', () => {
    test('gives through the stand-in the same facts, files and journal as through the scripts in PowerShell', () => {
      const standIn = run('stand-in');
      const powershell = run('PowerShell');
      expect(anywhere(standIn.world, standIn.told)).toEqual(anywhere(powershell.world, powershell.told));
      expect(standIn.world.story()).toEqual(powershell.world.story());
    });
  });

  describe.each(ENGINES)('through %s', (engine) => {
    // Security: host-reads-no-code
    test('gets every text unchanged and never as code', async () => {
      const texts = [
        'it\'s "$(Write-Error x)" `n ; exit 3',
        'two\nlines\r\n',
        'smile \u{1F600} žluťoučký',
        '__proto__',
        '%PATH% $env:PATH',
        '',
      ];
      const { world } = run(engine);
      const result = await world.run(engine, 'inspect', {
        sites: texts.map((site) => ({ site, application: site })),
        records: '',
        waitMilliseconds: 0,
      });
      expect(result.sites.map(({ site, application }) => [site, application])).toEqual(
        texts.map((text) => [text, text]),
      );
    });

    test('refuses a script that was decided before this operation did what it has done since', async () => {
      const { world } = run(engine);
      const before = world.effects();
      const late = world.run(engine, 'reset', {
        operation: operationId(OPERATION),
        records: recordsFolder(OPERATION),
        // Two sites were set up, one was restored, and the services were restarted twice.
        seen: 4,
        id: 'late',
        covers: [],
        waitMilliseconds: 0,
      });
      await expect(late).rejects.toMatchObject({ type: FAILURE.notYet });
      expect(world.effects()).toEqual(before);
    });

    test('refuses to change a host that belongs to another operation, or to none', async () => {
      const { world } = run(engine);
      const stage = () => world.activities(engine).stagePackage({ host: world.host, ...world.packageOf(OPERATION) });
      await world.claim(NEXT, engine);
      await expect(stage()).rejects.toMatchObject({
        type: FAILURE.unexpectedState,
        message: expect.stringContaining(`GW-HOST-01 now belongs to ${operationId(NEXT)}`) as string,
      });
      await world.claim(undefined, engine);
      await expect(stage()).rejects.toMatchObject({
        type: FAILURE.unexpectedState,
        message: expect.stringMatching(
          /GW-HOST-01 belongs to no upgrade: there is no claim in .*claim\.json/,
        ) as string,
      });
    });

    test('names the copies of another operation, and takes none of them for its own', async () => {
      const { world, told } = run(engine);
      const { site, application } = world.planned(0);
      await world.claim(NEXT, engine);
      const result = await world.run(engine, 'backup', {
        operation: operationId(NEXT),
        site,
        application,
        records: recordsFolder(NEXT),
        seen: 0,
        backup: backupFolder(NEXT, { site, application }),
        copy: 'never',
      });
      expect(result.copy).toBeNull();
      const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string;
      expect(result.others).toEqual([{ path: told.backups[0]?.path, operation: operationId(OPERATION), at }]);
    });

    test('waits for a setup.cmd that outlives its PowerShell, and finds that it has done its work', async () => {
      const { world } = run(engine);
      const activities = world.activities(engine);
      await world.claim(NEXT, engine);
      world.fault('setup.cmd', 'setupOutlives', { delayMs: patience(2_000) });
      await activities.runSetup({ host: world.host, site: world.planned(1), ...world.packageOf(NEXT) });
      expect(world.effects().slice(-1)).toEqual(['setupRan Office365 Gateway 02/Office365GatewayApplication02']);
      expect(world.calls().filter((call) => call.startsWith('setup.cmd'))).toHaveLength(3);
    });

    test.each([
      ['wrongEncoding', 'an answer'],
      ['stderrNoise', 'an answer'],
      ['floodsOutput', 'an answer'],
      ['effectThenNoAnswer', 'OutcomeUnknown'],
      ['diesBySignal', 'OutcomeUnknown'],
      ['exitsSilently', 'OutcomeUnknown'],
      ['fault', 'Rejected'],
    ])('is judged by the envelope alone: %s is %s', async (fault, verdict) => {
      const { world } = run(engine);
      world.fault('discover', fault);
      const outcome = world.run(engine, 'discover', { settings: '' });
      await expect(
        outcome.then(
          () => 'an answer',
          (error: { type: string }) => error.type,
        ),
      ).resolves.toBe(verdict);
    });
  });
});
