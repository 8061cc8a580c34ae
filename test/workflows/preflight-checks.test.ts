import { packageOf } from '../../src/contract/entry';
import { frozen } from '../../src/inventory/frozen-profile';
import type {
  ApplicationInstance,
  GatewayDatabase,
  HostFacts,
  IisApplication,
  IisSite,
  OperationsFacts,
  ServiceTemplate,
} from '../../src/contract/facts';
import { Catalogue, meantBy } from '../../workflows/engine/catalogue';
import { checkOnlyWhere, type Finding, type Readings } from '../../workflows/engine/check';
import { COMMON_CHECKS, requiredVersions } from '../../workflows/engine/common-checks';
import type { AnyRelease } from '../../workflows/engine/release';
import { above, atLeast, below } from '../../workflows/engine/versions';
import { answered } from '../../workflows/kit/reading';
import { release1841 } from '../../workflows/releases/18.4.1';
import { companion, hostRestart, onPlatform, platform, seenByPerson, sharedHost } from '../../workflows/steps/checks';
import { operationsFacts, profile, stubActivities } from '../kit/stub-world/stub-activities';

const checksOf = ({ requirements, checks }: AnyRelease) => [
  ...COMMON_CHECKS,
  requiredVersions(requirements),
  ...checks,
];
const CHECKS = checksOf(release1841);

/** What is read of a provider. */
type Read = Omit<Readings, 'meant' | 'problem'>;
/** With the release that was meant, and whether the provider runs it already. */
type Surveyed = Readings & { release: AnyRelease; already: boolean };

/** A provider with nothing to complain of. What it runs chooses its upgrade. */
async function surveyed(change: Partial<Read> = {}, release: AnyRelease = release1841): Promise<Surveyed> {
  const entry = frozen(profile('contoso'));
  const { activities } = stubActivities(profile('contoso'));
  const [host] = entry.endpointHosts;
  if (!host) throw new Error('the stub has a host');
  const readings: Read = {
    profile: entry,
    startedBy: undefined,
    operations: { what: 'Operations', value: operationsFacts() },
    billing: { what: 'Billing', value: await activities.readBilling({ entry, plans: entry.plans }) },
    package: { what: 'package', value: { sha256: packageOf(entry, '18.4.1').sha256, bytes: 1000 } },
    hosts: [{ what: host.name, value: await activities.readHost({ host }) }],
    ...change,
  };
  const { operations } = readings;
  if (!answered(operations)) return { ...readings, meant: undefined, problem: undefined, release, already: false };
  const installed = operations.value.instances.map(({ packageVersion }) => packageVersion);
  const choice = new Catalogue([release]).choose(installed);
  return { ...readings, meant: meantBy(choice), problem: choice.problem, release, already: choice.already === true };
}

const withOperations = (change: Partial<OperationsFacts>, release?: AnyRelease): Promise<Surveyed> =>
  surveyed({ operations: { what: 'Operations', value: { ...operationsFacts(), ...change } } }, release);

const instances = (...changes: Partial<ApplicationInstance>[]): ApplicationInstance[] =>
  operationsFacts().instances.map((instance, index) => ({ ...instance, ...changes[index] }));

const templates = (change: Partial<ServiceTemplate>): ServiceTemplate[] =>
  operationsFacts().templates.map((template) => ({ ...template, ...change }));

function findings(name: string, facts: Readings & { release?: AnyRelease }): Finding[] {
  const check = checksOf(facts.release ?? release1841).find((candidate) => candidate.name === name);
  if (!check) throw new Error(`There is no check ${name}; there are ${CHECKS.map((known) => known.name).join(', ')}.`);
  return check.examine(facts);
}

const verdicts = (name: string, facts: Readings): string[] => findings(name, facts).map(({ verdict }) => verdict);

test('a provider with nothing to complain of passes every check', async () => {
  const facts = await surveyed();
  const complaints = CHECKS.flatMap(({ name, examine }) =>
    examine(facts).map((finding) => ({ name, ...finding })),
  ).filter(({ verdict }) => verdict !== 'pass');
  expect(complaints).toEqual([]);
});

describe('what can be known of the endpoint hosts before anything is touched', () => {
  async function withHost(change: Partial<HostFacts>): Promise<Surveyed> {
    const facts = await surveyed();
    return {
      ...facts,
      hosts: facts.hosts.filter(answered).map(({ what, value }) => ({ what, value: { ...value, ...change } })),
    };
  }
  const site = (name: string, change: Partial<IisApplication> = {}): IisSite[] => [
    {
      name,
      state: 'Started',
      bindings: [],
      applications: [
        { name: 'Office365GatewayApplication01', physicalPath: 'C:\\gw', versions: ['18.3.0.9'], ...change },
      ],
    },
  ];

  test('a host that does not allow the package, or another one, is refused, and told where to add it', async () => {
    expect(findings('endpointPackage', await withHost({ packages: {} }))).toMatchObject([
      {
        verdict: 'refusal',
        message: expect.stringMatching(/allows no package of 18\.4\.1: add it.*endpoint\.yaml/) as string,
      },
    ]);
    expect(findings('endpointPackage', await withHost({ packages: { '18.4.1': 'b'.repeat(64) } }))).toMatchObject([
      { verdict: 'refusal', message: expect.stringContaining('with SHA-256 bbbb') as string },
    ]);
  });

  test('folders that others than administrators can reach are refused, each with its reason', async () => {
    const exposed = ['C:\\Onward is open to AU', 'C:\\ProgramData\\Onward belongs to S-1-5-21-7'];
    expect(findings('endpointFolders', await withHost({ exposed })).map(({ message }) => message)).toEqual(
      exposed.map((why) => expect.stringContaining(why) as string),
    );
    expect(verdicts('endpointFolders', await withHost({ exposed }))).toEqual(['refusal', 'refusal']);
  });

  test('a machine that does not tell its hardware is warned of', async () => {
    const smbiosUuid = '00000000-0000-0000-0000-000000000000';
    const identity = { computerName: 'GW01', machineGuid: 'a1', smbiosUuid };
    expect(verdicts('endpointIdentity', await withHost({ identity }))).toEqual(['warning']);
  });

  test.each(['Gate & way', '50 %', 'a ^ b', 'the "new" one'])(
    'the site name %s, which setup.cmd would misread, is refused',
    async (name) => {
      expect(findings('gatewayNames', await withHost({ sites: site(name) }))).toMatchObject([
        {
          verdict: 'refusal',
          message: expect.stringContaining(`setup.cmd cannot be given the site ${JSON.stringify(name)}`) as string,
        },
      ]);
      const isNew = site(name, { versions: ['18.4.1.12'] });
      expect(verdicts('gatewayNames', await withHost({ sites: isNew }))).toEqual([]);
    },
  );

  test('a name in an end-point URI that setup.cmd would misread, and a URI that is none, are refused at once', async () => {
    const urls = ['https://gw&01.test/Office365GatewayApplication01/aps/', 'https://gw01.test/aps'];
    const facts = await withOperations({ instances: instances(...urls.map((endpointUrl) => ({ endpointUrl }))) });
    expect(findings('gatewayNames', facts).map(({ message }) => message)).toEqual([
      expect.stringContaining('have to read https://<hostname>/<application>/aps/'),
      expect.stringContaining('setup.cmd cannot be given the hostname "gw&01.test"'),
    ]);
  });

  test('files of a third version are refused, and files of both are warned of', async () => {
    const third = site('Gateway', { versions: ['17.2.0.4'] });
    expect(verdicts('gatewayVersions', await withHost({ sites: third }))).toEqual(['refusal']);
    const both = site('Gateway', { versions: ['18.3.0.9', '18.4.1.12'] });
    expect(verdicts('gatewayVersions', await withHost({ sites: both }))).toEqual(['warning']);
    expect(verdicts('gatewayVersions', await withHost({ sites: site('Gateway') }))).toEqual([]);
  });

  test('a site whose files do not tell their version is refused before anything is touched', async () => {
    const facts = await withHost({ sites: site('Gateway', { versions: ['18.3.0.9'], noVersion: 'has no folder' }) });
    expect(findings('gatewayVersions', facts)).toEqual([
      { verdict: 'refusal', message: expect.stringContaining('site "Gateway", application') as string },
    ]);
  });

  describe('what the upgrade will need of the disk', () => {
    const MIB = 2 ** 20;
    const disk = { freeBytes: 250 * MIB, packages: { '18.4.1': { bytes: 50 * MIB } } };
    const gateway = (change: Partial<IisApplication> = {}) =>
      site('Gateway', { versions: ['18.3.0.9'], bytes: 100 * MIB, unread: [], ...change });
    test.each<[string, Partial<HostFacts>, string[]]>([
      ['enough of everything', { disk, sites: gateway() }, ['pass']],
      ['nobody has looked', { sites: gateway() }, []],
      ['it could not be looked at', { disk: { problem: 'PowerShell was ended' }, sites: gateway() }, ['warning']],
      [
        'backup, rollback and package do not fit',
        { disk: { ...disk, freeBytes: 250 * MIB - 1 }, sites: gateway() },
        ['refusal'],
      ],
      ['a file that cannot be read', { disk, sites: gateway({ unread: ['bin/a.dll (in use)'] }) }, ['pass', 'refusal']],
      [
        'a package that cannot be unpacked',
        { disk: { ...disk, packages: { '18.4.1': { bytes: 0, problem: 'no' } } }, sites: gateway() },
        ['refusal', 'pass'],
      ],
      [
        'files that are new need no backup',
        { disk: { ...disk, freeBytes: 60 * MIB }, sites: gateway({ versions: ['18.4.1.12'], unread: ['x'] }) },
        ['pass'],
      ],
      [
        'sites of others do not count',
        {
          disk: { ...disk, freeBytes: 60 * MIB },
          sites: [
            {
              ...gateway()[0],
              applications: [{ name: 'Shop', physicalPath: '', versions: [], bytes: 900 * MIB }],
            } as IisSite,
          ],
        },
        ['pass'],
      ],
    ])('%s', async (_, change, expected) => {
      expect(verdicts('endpointDisk', await withHost(change))).toEqual(expected);
    });
  });

  test('a script of the release that a host does not have is refused', async () => {
    const facts = await withHost({ scripts: [] });
    const meant = facts.meant && { ...facts.meant, scripts: ['install-runtime'] };
    expect(verdicts('endpointScripts', { ...facts, meant })).toEqual(['refusal']);
    expect(verdicts('endpointScripts', facts)).toEqual([]);
  });
});

describe('requiredVersions', () => {
  test.each(['oa-7.2-100', 'oa-7.3-1', 'oa-7.4-9999', 'oa-8.0-1216'])('%s is supported', async (build) => {
    expect(verdicts('requiredVersions', await withOperations({ build }))).toEqual(['pass']);
  });
  test.each(['oa-7.1-3256', 'oa-8.1-1', 'oa-8.2-1216', 'cb-20.4-1', '8.0', ''])('"%s" is refused', async (build) => {
    expect(verdicts('requiredVersions', await withOperations({ build }))).toEqual(['refusal']);
  });

  const needing = (...requirements: AnyRelease['requirements']): AnyRelease => ({ ...release1841, requirements });
  test('a hotfix that the build does not tell is asked of a person, who is told where to look', async () => {
    const release = needing(platform(atLeast('8.0.0_hf134510'), 'Dependencies'));
    expect(findings('requiredVersions', await withOperations({ build: 'oa-8.0-1216' }, release))).toEqual([
      {
        verdict: 'ask',
        item: 'odin-automation',
        message: 'Odin Automation is 8.0.0_hf134510 or later',
        source: 'Dependencies',
        instructions: expect.stringMatching(/the systems say 8\.0, .*Operations > System > About/) as string,
      },
    ]);
    expect(verdicts('requiredVersions', await withOperations({ build: 'oa-8.1-1' }, release))).toEqual(['pass']);
  });
  test('a component that no system knows is asked of a person', async () => {
    const release = needing(seenByPerson('Panel UI', atLeast('2.1'), 'Look at its foot.', 'Dependencies'));
    expect(findings('requiredVersions', await withOperations({}, release))).toEqual([
      {
        verdict: 'ask',
        item: 'panel-ui',
        message: 'Panel UI is 2.1 or later',
        source: 'Dependencies',
        instructions: expect.stringContaining('Look at its foot.') as string,
      },
    ]);
  });
});

test('companionVersion: an application beside it that is too old refuses the upgrade, and one that is not there does not', async () => {
  const { examine } = companion('Usage Collector', above('2.0'), 'Dependencies');
  const installed = (...versions: string[]) => ({
    companions: versions.map((version) => ({ application: 'Usage Collector', version })),
  });
  expect(examine(await withOperations(installed()))).toMatchObject([{ verdict: 'pass' }]);
  expect(examine(await withOperations(installed('1.9-3', '2.1-4')))).toMatchObject([{ verdict: 'pass' }]);
  expect(examine(await withOperations(installed('2.0-1')))).toEqual([
    { verdict: 'refusal', message: expect.stringContaining('any version above 2.0') as string },
  ]);
});

test('onlineStores: what the inventory says of them is a fact of the report, and a warning where it says that there is none', async () => {
  const facts = await surveyed();
  const stores = (listed: { id: string; name: string }[]): Readings => ({
    ...facts,
    profile: { ...facts.profile, stores: listed },
  });
  expect(findings('onlineStores', stores([{ id: 'main', name: 'Main store' }]))).toEqual([
    { verdict: 'pass', message: expect.stringContaining('"Main store"') as string },
  ]);
  expect(findings('onlineStores', stores([]))).toEqual([
    { verdict: 'warning', message: expect.stringContaining('none is synchronised') as string },
  ]);
});

describe('sourceVersion', () => {
  test.each(['18.3-9', '18.4-1'])('%s has a path', async (packageVersion) => {
    const facts = instances({ packageVersion }, { packageVersion });
    expect(verdicts('sourceVersion', await withOperations({ instances: facts }))).toEqual(['pass']);
  });
  test.each(['18.2-4', '18.3.1-1', '18.4.0.1-2', '19.1-1', '17.2-1'])('%s is refused', async (packageVersion) => {
    const facts = instances({ packageVersion }, { packageVersion });
    expect(verdicts('sourceVersion', await withOperations({ instances: facts }))).toEqual(['refusal']);
  });
  test('instances of 18.3 and 18.4 side by side are refused, naming both versions', async () => {
    const facts = await withOperations({ instances: instances({}, { packageVersion: '18.4-2' }) });
    expect(findings('sourceVersion', facts)).toEqual([
      { verdict: 'refusal', message: expect.stringContaining('18.3, 18.4') as string },
    ]);
  });
  test('instances that run 18.4.1 already do not matter for the path, and are explained', async () => {
    const facts = await withOperations({ instances: instances({}, { packageVersion: '18.4.1-12' }) });
    expect(findings('sourceVersion', facts)).toEqual([
      { verdict: 'pass', message: 'Instances run 18.3; they can be upgraded to 18.4.1.' },
      { verdict: 'warning', message: expect.stringContaining('1 of 2 instances run 18.4.1 already') as string },
    ]);
  });
  test('a provider that runs 18.4.1 throughout has nothing to upgrade', async () => {
    const done = { packageVersion: '18.4.1-12' };
    const facts = await withOperations({ instances: instances(done, done) });
    expect(facts.already).toBe(true);
    expect(findings('sourceVersion', facts)).toEqual([
      { verdict: 'refusal', message: 'All instances run 18.4.1 already; there is nothing to upgrade.' },
    ]);
  });
  test('a provider without Office 365 is refused', async () => {
    expect(verdicts('sourceVersion', await withOperations({ applicationId: undefined, instances: [] }))).toEqual([
      'refusal',
    ]);
  });
});

test('instancesReady: an instance that is being changed refuses the upgrade', async () => {
  const facts = await withOperations({ instances: instances({ status: 'Upgrading' }) });
  expect(findings('instancesReady', facts)).toEqual([
    { verdict: 'refusal', message: expect.stringContaining('"CSP EMEA" is Upgrading') as string },
  ]);
});

describe('microsoftCloudGermany', () => {
  test('one German instance refuses the whole provider', async () => {
    expect(
      verdicts('microsoftCloudGermany', await withOperations({ instances: instances({}, { cloud: 'germany' }) })),
    ).toEqual(['refusal']);
  });
  test.each(['global', 'china', 'usGovernment'] as const)('%s passes', async (cloud) => {
    expect(verdicts('microsoftCloudGermany', await withOperations({ instances: instances({ cloud }) }))).toEqual([
      'pass',
    ]);
  });
  test('an instance whose cloud no setting names is asked about', async () => {
    expect(
      findings('microsoftCloudGermany', await withOperations({ instances: instances({ cloud: 'unknown' }) })),
    ).toEqual([expect.objectContaining({ verdict: 'ask', item: 'cloud-1' }) as Finding]);
  });
});

describe('known limitations are warnings', () => {
  test.each([
    ['separateAzureCsp', { azureCsp: true }],
    ['trialOnCcpV1', { trialOnCcpV1: true }],
    ['dnsHosting', { dnsHosting: true }],
    ['activeTemplates', { active: false }],
  ] as const)('%s', async (name, change) => {
    expect(verdicts(name, await withOperations({ templates: templates(change) }))).toEqual(['warning']);
  });
  test('usersScreen, on Odin Automation 7.2', async () => {
    expect(verdicts('usersScreen', await withOperations({ build: 'oa-7.2-1' }))).toEqual(['warning']);
  });
});

describe('sqlSysadmin', () => {
  const withDatabase = (database: object | undefined) =>
    withDatabases(database === undefined ? [] : [database as GatewayDatabase]);
  const withDatabases = async (databases: GatewayDatabase[]): Promise<Readings> => {
    const facts = await surveyed();
    const [reading] = facts.hosts;
    const host = structuredClone(reading && 'value' in reading ? reading.value : undefined);
    const application = host?.sites[0]?.applications[0];
    if (!host || !application) throw new Error('the stub has an application');
    application.databases = databases;
    return { ...facts, hosts: [{ what: host.host, value: host }] };
  };
  const login = { dataSource: 'sql01', localDb: false, login: 'gateway' };
  test.each([
    ['LocalDB is not asked', { ...login, localDb: true, sysadmin: null }, 'pass'],
    ['a sysadmin passes', { ...login, sysadmin: true }, 'pass'],
    ['any other login is refused', { ...login, sysadmin: false }, 'refusal'],
    [
      'an account of Windows may have the role through a group: a person is asked',
      { ...login, login: 'CONTOSO\\GW01$', sysadmin: false },
      'ask',
    ],
    ['where the login cannot be told a person is asked', { ...login, login: '', sysadmin: null }, 'ask'],
    ['of a server that does not say a person is asked', { ...login, sysadmin: null }, 'ask'],
    ['where no connection was found a person is asked', undefined, 'ask'],
  ])('%s', async (_, database, verdict) => {
    expect(verdicts('sqlSysadmin', await withDatabase(database))).toEqual([verdict]);
  });

  test('each of several connections counts', async () => {
    const localDb = { dataSource: '(LocalDB)\\MSSQLLocalDB', localDb: true, login: 'gateway', sysadmin: null };
    const all = async (...databases: GatewayDatabase[]) => verdicts('sqlSysadmin', await withDatabases(databases));
    expect(await all(localDb, { ...login, sysadmin: true })).toEqual(['pass']);
    expect(await all(localDb, { ...login, sysadmin: null })).toEqual(['ask']);
    expect(await all({ ...login, sysadmin: null }, { ...login, dataSource: 'sql02', sysadmin: false })).toEqual([
      'refusal',
    ]);
    expect(await all()).toEqual(['ask']);
  });
});

test('sqlSysadmin: the application of IIS is found however its name is written in the end-point URI', async () => {
  const shouting = operationsFacts().instances.map((instance) => ({
    ...instance,
    endpointUrl: instance.endpointUrl.replace(/(?<=local\/)[^/]+/, (name) => name.toUpperCase()),
  }));
  expect(verdicts('sqlSysadmin', await withOperations({ instances: shouting }))).toEqual(
    verdicts('sqlSysadmin', await surveyed()),
  );
  expect(verdicts('sqlSysadmin', await surveyed())).not.toEqual([]);
});

test('packageHash: a provider whose inventory has no package of the release is refused', async () => {
  const packages = { '18.5': { url: 'http://packages.test/18.5.zip', sha256: 'c'.repeat(64) } };
  const facts = await surveyed();
  const entry = frozen(profile('contoso', { packages }));
  expect(findings('packageHash', { ...facts, profile: entry, package: undefined })).toEqual([
    { verdict: 'refusal', message: expect.stringContaining('has no package of 18.4.1') as string },
  ]);
});

test('emailParameter: where no step of the path removes it, a person is told to', async () => {
  expect(findings('emailParameter', await surveyed())).toEqual([
    { verdict: 'pass', message: expect.stringContaining('the step removeEmailParameter waits for it') as string },
  ]);
  const from184 = { packageVersion: '18.4-7' };
  expect(findings('emailParameter', await withOperations({ instances: instances(from184, from184) }))).toEqual([
    { verdict: 'warning', message: expect.stringContaining('remove it by hand') as string },
  ]);
});

test('packageHash: a package that is not the expected one is refused, naming both hashes', async () => {
  const facts = await surveyed({ package: { what: 'package', value: { sha256: 'b'.repeat(64), bytes: 1 } } });
  expect(findings('packageHash', facts)).toEqual([
    { verdict: 'refusal', message: expect.stringMatching(/b{64}.*a{64}/) as string },
  ]);
});

test('endpointWorker: a host where no worker listens is refused, with the command that starts one', async () => {
  const facts = await surveyed({ hosts: [{ what: 'gw-host-01', problem: 'no worker', nobodyListens: true }] });
  expect(findings('endpointWorker', facts)).toEqual([
    { verdict: 'refusal', message: expect.stringContaining('onward worker --host gw-host-01') as string },
  ]);
});

test('elevatedSession: a worker without administrator rights is refused', async () => {
  const facts = await surveyed();
  const hosts = facts.hosts.map((host) =>
    'value' in host ? { ...host, value: { ...host.value, elevated: false } } : host,
  );
  expect(verdicts('elevatedSession', { ...facts, hosts })).toEqual(['refusal']);
});

test('sharedHost: sites of others on the host are named, because iisreset stops them too', async () => {
  const facts = await surveyed();
  const other = { name: 'Webmail', state: 'Started', bindings: [], applications: [] };
  const hosts = facts.hosts.map((host) =>
    'value' in host ? { ...host, value: { ...host.value, sites: [...host.value.sites, other] } } : host,
  );
  expect(findings('sharedHost', { ...facts, hosts })).toEqual([
    { verdict: 'warning', message: expect.stringContaining('"Webmail"') as string },
  ]);
});

test('hostRestart: each host that may be restarted is named with all that it serves', async () => {
  const { hosts, ...facts } = await surveyed();
  const [host] = hosts.filter(answered).map(({ value }) => value);
  expect(hostRestart('3. Install the runtime').examine({ ...facts, hosts })).toEqual([
    { verdict: 'warning', message: expect.stringContaining(`${host?.host} may be restarted`) as string },
  ]);
  expect(hostRestart('3. Install the runtime').examine({ ...facts, hosts })[0]?.message).toContain(
    `"${host?.sites[0]?.name}"`,
  );
});

test('a check of a step that some platforms do without refuses nobody there', async () => {
  const always = { ...sharedHost, examine: () => [{ verdict: 'refusal' as const, message: 'no' }] };
  const check = checkOnlyWhere(onPlatform(below('8.1')), always);
  const verdictOn = async (build: string) =>
    check.examine(await withOperations({ build })).map(({ verdict }) => verdict);
  expect(await verdictOn('oa-8.0-1216')).toEqual(['refusal']);
  expect(await verdictOn('oa-8.3-1216')).toEqual(['pass']);
  // Where nobody can tell, the step may come.
  const undecided = checkOnlyWhere({ because: 'a reason', holds: () => undefined }, always);
  expect(undecided.examine(await surveyed()).map(({ verdict }) => verdict)).toEqual(['refusal']);
});

test('fourEyes: a provider that wants an approval is refused when nobody says who starts', async () => {
  const entry = frozen(profile('contoso', { approval: { beforeCrossing: true } }));
  expect(verdicts('fourEyes', await surveyed({ profile: entry }))).toEqual(['refusal']);
  expect(verdicts('fourEyes', await surveyed({ profile: entry, startedBy: 'ana' }))).toEqual([]);
});

test('systemsAnswer: each system that does not answer is named with its reason', async () => {
  const facts = await surveyed({ billing: { what: 'Billing', problem: 'connection refused', nobodyListens: false } });
  expect(findings('systemsAnswer', facts)).toContainEqual({
    verdict: 'refusal',
    message: 'Billing cannot be read: connection refused',
  });
});

test('size: a provider larger than one upgrade takes is refused, naming what there is too much of', async () => {
  const [instance] = operationsFacts().instances;
  const [template] = operationsFacts().templates;
  if (!instance || !template) throw new Error('the stub has both');
  const many = (count: number, active: boolean) =>
    Array.from({ length: count }, (_, id) => ({ ...template, id, active }));
  const largest = {
    instances: Array.from({ length: 1_000 }, (_, id) => ({ ...instance, id })),
    templates: [...many(10_000, true), ...many(10_000, false)],
  };
  expect(verdicts('size', await withOperations(largest))).toEqual([]);
  const larger = {
    instances: Array.from({ length: 1_001 }, (_, id) => ({
      ...instance,
      id,
      endpointUrl: `https://gw${id}.test/a/aps/`,
    })),
    templates: many(20_001, true),
  };
  const entry = {
    ...frozen(profile('contoso')),
    plans: Array.from({ length: 1_001 }, (_, id) => id + 1),
    stores: Array.from({ length: 101 }, (_, id) => ({ id: `s${id}`, name: `Store ${id}` })),
    endpointHosts: Array.from({ length: 51 }, (_, id) => ({ name: `h${id}` })),
  };
  const operations = { what: 'Operations', value: { ...operationsFacts(), ...larger } };
  const readings = await surveyed({ profile: entry, operations });
  expect(findings('size', readings).map(({ message }) => message)).toEqual(
    [
      '1001 application instances, and one upgrade takes 1000',
      '20001 active Office 365 templates, and one upgrade takes 10000',
      '20001 Office 365 templates, and one upgrade takes 20000',
      '1001 gateway applications, and one upgrade takes 200',
      '1001 plans in its inventory entry, and one upgrade takes 1000',
      '101 stores in its inventory entry, and one upgrade takes 100',
      '51 endpoint hosts in its inventory entry, and one upgrade takes 50',
    ].map((said) => expect.stringContaining(said) as string),
  );
});

describe('the target in the package list before the upgrade', () => {
  const listed = (enabledVersions: string[], disabledVersions: string[] = []) =>
    withOperations({ enabledVersions: ['18.3-9', ...enabledVersions], disabledVersions });

  test('is not there as a rule', async () => {
    expect(verdicts('packageListed', await listed([]))).toEqual(['pass']);
  });

  test('is named with its release: the upgrade would not import its own over it', async () => {
    expect(findings('packageListed', await listed(['18.4.1-3']))).toMatchObject([
      {
        verdict: 'warning',
        message: expect.stringMatching(
          /^18\.4\.1-3 is in the package list already.* cannot be aborted.* once it has begun/,
        ) as string,
      },
    ]);
  });

  test('stands against the upgrade where it is not enabled: no instance would get it', async () => {
    expect(findings('packageListed', await listed([], ['18.4.1-12']))).toMatchObject([
      { verdict: 'refusal', message: expect.stringMatching(/^18\.4\.1-12 .* not enabled/) as string },
    ]);
  });
});
