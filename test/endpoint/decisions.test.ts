import type { GatewaySite } from '../../src/contract/facts';
import { parseBinding } from '../../src/systems/endpoint/bindings';
import { differingFiles, digestOf } from '../../src/systems/endpoint/file-lists';
import { productReleases } from '../../src/systems/endpoint/release-scripts';
import { unsafeForCommandLine } from '../../src/contract/command-line';
import { differences } from '../../src/systems/endpoint/planned-site';
import type { InspectedSite, Inspection, ResetDone } from '../../src/systems/endpoint/scripts';
import { siteVersion } from '../../src/systems/endpoint/site-version';
import {
  backupFolder,
  isTouched,
  lastSetup,
  recordsFolder,
  resetNeeded,
  resetProblem,
} from '../../src/systems/endpoint/upgrade-records';
import { OPERATION } from './host-world';
import { parseSetupCommand, setupCommandLine } from '../../src/sandbox/hosts/setup-command';

function site(versions: Record<string, string | null>, webConfigVersion: string | null = null): InspectedSite {
  return {
    site: 'Gateway',
    application: 'App',
    bindings: ['10.1.2.11:443:'],
    physicalPath: 'C:\\inetpub\\App',
    assemblies: Object.entries(versions).map(([file, version]) => ({ file, version })),
    webConfigVersion,
  };
}

describe('the version of a gateway application', () => {
  test.each([
    ['old', '18.3', { 'Office365.Gateway.dll': '18.3.0.9', 'Office365.Data.dll': '18.3.0.9' }, '18.3.0.9'],
    ['old', '18.4', { 'Office365.Gateway.dll': '18.4.0.7' }, '18.4-7'],
    ['new', '18.3', { 'Office365.Gateway.dll': '18.4.1.12' }, null],
    ['new', '18.4', { 'O365.Gateway.dll': '18.4.1.12' }, '18.4.1-12'],
    ['mixed', '18.3', { 'Office365.Gateway.dll': '18.4.1.12', 'Office365.Data.dll': '18.3.0.9' }, null],
    ['mixed', '18.4', { 'Office365.Gateway.dll': '18.4.0.7' }, '18.4.1.12'],
    ['old', '18.3', { 'Office365.Gateway.dll': '18.3.0.9', 'Office365.Hotfix.dll': '18.3.2.1' }, null],
    ['old', '18.3', { 'Office365.Gateway.dll': '18.3.0.9', 'Office365.Shared.dll': '1.0.0.0' }, null],
    ['new', '18.3', { 'Office365.Gateway.dll': '18.4.1.12', 'Office365.Shared.dll': '1.0.0.0' }, null],
    ['mixed', '18.3', { 'Office365.Gateway.dll': '18.4.1.12', 'Office365.Hotfix.dll': '18.3.2.1' }, null],
    ['mixed', '18.3', {}, '18.3.0.9'],
    ['mixed', '18.3', { 'Office365.Gateway.dll': null }, null],
  ])('is %s, coming from %s, for %j and web.config %s', (deployed, from, assemblies, webConfig) => {
    expect(siteVersion(site(assemblies, webConfig), from, '18.4.1', 'gw-host-01').deployed).toBe(deployed);
  });

  test('does not depend on libraries that come with the application', () => {
    const found = site({ 'Newtonsoft.Json.dll': '12.0.1.0', 'Office365.Gateway.dll': '18.3.0.9' });
    expect(siteVersion(found, '18.3', '18.4.1', 'gw-host-01')).toEqual({
      deployed: 'old',
      assemblyVersions: ['18.3.0.9'],
      webConfigVersion: undefined,
    });
  });

  test('that is neither the old nor the new one is for a person to explain', () => {
    expect(() => siteVersion(site({ 'Office365.Gateway.dll': '17.2.0.4' }), '18.3', '18.4.1', 'gw-host-01')).toThrow(
      /Gateway\/App has files of version 17\.2\.0\.4, neither 18\.3 nor 18\.4\.1/,
    );
    expect(() => siteVersion(site({ 'Office365.Gateway.dll': '18.4.0.7' }), '18.3', '18.4.1', 'gw-host-01')).toThrow(
      /18\.4\.0\.7/,
    );
  });
});

describe('a binding of IIS', () => {
  test.each([
    ['10.0.0.5:443:gateway.local', { address: '10.0.0.5', port: 443, hostHeader: 'gateway.local' }],
    ['*:443:', { address: '*', port: 443, hostHeader: '' }],
    [':8443:', { address: '*', port: 8443, hostHeader: '' }],
    ['[::1]:443:', { address: '[::1]', port: 443, hostHeader: '' }],
  ])('%s is read as %j', (information, binding) => {
    expect(parseBinding(information)).toEqual(binding);
  });
});

describe('a planned site', () => {
  const planned: GatewaySite = {
    host: 'h',
    site: 'Gateway',
    application: 'App',
    hostname: 'gateway.local',
    ip: '10.1.2.11',
    instances: [1],
  };

  test('agrees with a site that has its address, or all addresses', () => {
    expect(differences(planned, site({}))).toEqual([]);
    expect(differences(planned, { ...site({}), bindings: ['*:443:gateway.local'] })).toEqual([]);
  });

  test('differs by everything that is not as planned, all at once', () => {
    expect(differences(planned, { ...site({}), bindings: [], physicalPath: null })).toEqual([
      "the site 'Gateway' has no https binding to 10.1.2.11 and port 443 for gateway.local, it has none",
      "the site 'Gateway' has no application 'App'",
    ]);
    expect(differences(planned, { ...site({}), bindings: null })).toHaveLength(1);
    expect(differences(planned, { ...site({}), bindings: ['10.1.2.11:8443:', '10.1.2.11:443:old.local'] })).toEqual([
      "the site 'Gateway' has no https binding to 10.1.2.11 and port 443 for gateway.local, it has 10.1.2.11:8443:, 10.1.2.11:443:old.local",
    ]);
    expect(differences(planned, { ...site({}), bindings: ['*:443:GATEWAY.local'] })).toEqual([]);
  });

  test.each(['a & b', 'a | b', 'a < b', 'a > b', 'a ^ b', '50 %', 'a "b"', 'hey!', 'two\nlines', 'ends with \\', ''])(
    'named %j is not for a batch file',
    (name) => {
      expect(unsafeForCommandLine({ site: name, application: 'App' })).toEqual([`site ${JSON.stringify(name)}`]);
    },
  );

  test("named like people name sites is given to setup.cmd with exactly the release notes' arguments", () => {
    const setup = {
      site: "Bob's Office365 Gateway (new), 01",
      application: 'Büro',
      ip: '10.1.2.11',
      hostname: 'g.local',
    };
    expect(unsafeForCommandLine(setup)).toEqual([]);
    const line = setupCommandLine(setup, 'C:\\Onward\\records\\x.setup.log');
    expect(line).toContain(
      `.\\setup.cmd -GatewaySiteName "${setup.site}" -GatewayAppName "Büro" -GatewayIPAddress "10.1.2.11" -GatewaySiteCertSubject "g.local" -Force`,
    );
    expect(parseSetupCommand(line)).toEqual({ setup, output: 'C:\\Onward\\records\\x.setup.log' });
  });
});

describe('the records of an upgrade', () => {
  const key = { site: 'Gateway', application: 'App' };
  const done = (covers: string[], changed: Partial<ResetDone> = {}): ResetDone => ({
    covers,
    exitCode: 0,
    output: ['Attempting stop...', 'Internet services successfully restarted'],
    services: [
      { name: 'WAS', state: 'Running' },
      { name: 'W3SVC', state: 'Running' },
    ],
    ...changed,
  });
  const started = (id: string, at: string) => ({ ...key, id, at, hostname: 'gateway.local', ip: '10.1.2.11' });
  const records = (some: Partial<Inspection>): Inspection => ({
    sites: [],
    started: [],
    ended: [],
    restored: [],
    reset: [],
    running: [],
    bootTime: '2026-01-01T09:00:00.000Z',
    ...some,
  });
  const setUp = [started('s1', '2026-01-01T10:00')];

  test.each([
    ['nothing was restarted', records({ started: setUp }), true],
    ['a restart came after the setup', records({ started: setUp, reset: [done(['s1'])] }), false],
    ['a restart came before the setup', records({ started: setUp, reset: [done([])] }), true],
    ['the restart failed', records({ started: setUp, reset: [done(['s1'], { exitCode: 1 })] }), true],
    [
      'a site was restored after the restart',
      records({
        started: setUp,
        reset: [done(['s1'])],
        restored: [{ ...key, id: 'r1', pool: 'Started', at: '2026-01-01T11:00' }],
      }),
      true,
    ],
  ])('ask for iisreset when %s: %#', (_, seen, needed) => {
    expect(resetNeeded(seen, 'upgrade')).toBe(needed);
  });

  test('ask for no iisreset after a rollback that had nothing to undo', () => {
    expect(resetNeeded(records({}), 'rollback')).toBe(false);
    expect(resetNeeded(records({}), 'upgrade')).toBe(true);
  });

  test.each([
    [{ exitCode: 5, output: ['Access denied.'] }, /exit code 5: Access denied/],
    [{ output: ['Attempting stop...'] }, /last line is "Attempting stop\.\.\."/],
    [{ output: [] }, /last line is ""/],
    [{ services: [{ name: 'W3SVC', state: 'StopPending' }] }, /W3SVC is StopPending/],
  ])('hold against a restart: %j', (changed, problem) => {
    expect(resetProblem(done([], changed))).toMatch(problem);
  });

  test('tell how the latest setup.cmd of a site ended, if anybody saw its end', () => {
    const twice = [started('s1', '2026-01-01T10:00'), started('s2', '2026-01-01T11:00')];
    const ended = [{ id: 's1', exitCode: 1603, log: '', remarks: [], at: '2026-01-01T10:01' }];
    expect(lastSetup(records({ started: twice, ended }), key)).toBeUndefined();
    expect(lastSetup(records({ started: setUp, ended }), key)).toMatchObject({ exitCode: 1603 });
  });

  test('tell whether a site was set up and not restored since', () => {
    const restored = [{ ...key, id: 'r1', pool: 'Started' as const, at: '2026-01-01T11:00' }];
    expect(isTouched(records({ started: setUp }), key)).toBe(true);
    expect(isTouched(records({ started: setUp, restored }), key)).toBe(false);
    expect(isTouched(records({ started: [...setUp, started('s2', '2026-01-01T12:00')], restored }), key)).toBe(true);
    expect(isTouched(records({}), key)).toBe(false);
  });

  test('lie in folders that no name can lead astray', () => {
    const strange = { ...OPERATION, provider: '../..\\x:y' };
    expect(recordsFolder(strange)).not.toMatch(/[\\/:]/);
    expect(backupFolder(strange, { site: '../x', application: 'con:' })).not.toMatch(/[\\/:]/);
  });

  test('lie in folders that are readable, short, and different for each operation and application', () => {
    expect(recordsFolder(OPERATION)).toMatch(/^contoso\.18\.3-18\.4\.1-[0-9a-f]{8}$/);
    expect(backupFolder(OPERATION, { site: 'GATEWAY', application: 'app' }).slice(-8)).toBe(
      backupFolder(OPERATION, key).slice(-8),
    );
    expect(backupFolder(OPERATION, key)).toMatch(/^contoso\.18\.3-18\.4\.1\.Gateway\.App-[0-9a-f]{8}$/);
    // What lies below it may have a long path of its own, and paths on Windows end at 260 characters.
    expect(backupFolder({ ...OPERATION, provider: 'p'.repeat(63) }, key).length).toBeLessThan(42);
    const others = [
      { ...OPERATION, firstRun: 'another' },
      { ...OPERATION, to: '18.5' },
      { ...OPERATION, provider: 'fabrikam' },
    ];
    expect(new Set([OPERATION, ...others].map(recordsFolder)).size).toBe(4);
    const keys = [key, { site: 'Gateway.App', application: '' }, { site: 'G', application: 'ateway.App' }];
    expect(new Set(keys.map((one) => backupFolder(OPERATION, one))).size).toBe(3);
    // A reset of its workflow keeps the first run, and leads back to what it has left.
    expect(recordsFolder({ ...OPERATION, workflowId: 'upgrade/renamed' })).toBe(recordsFolder(OPERATION));
  });
});

test('the releases of the product, which may bring scripts, are known by their folders', () => {
  expect(productReleases().map(({ version }) => version)).toContain('18.4.1');
});

describe('lists of files', () => {
  const file = (path: string, sha256: string) => ({ path, bytes: 1, sha256 });

  test('have a digest that does not depend on their order', () => {
    const [a, b] = [file('a', '1'), file('b', '2')];
    expect(digestOf([a, b])).toBe(digestOf([b, a]));
    expect(digestOf([a, b])).not.toBe(digestOf([file('a', '2'), file('b', '1')]));
  });

  test('differ by what was added, removed or changed', () => {
    const before = [file('same', '1'), file('changed', '2'), file('removed', '3')];
    const after = [file('same', '1'), file('changed', '9'), file('added', '4')];
    expect(differingFiles(before, after)).toEqual(['added', 'changed', 'removed']);
  });
});
