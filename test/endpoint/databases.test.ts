/**
 * Which databases a gateway application is connected to, and as whom: read by the script itself, as configurations differ.
 *
 * @uses powershell
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { everything } from '../kit/extent';
import { missingTools } from '../kit/tools.cjs';
import { hostSpec, HostWorld } from './host-world';

/** A genuine PowerShell takes seconds for each. */
const inPowerShell = missingTools().powershell === undefined && everything ? describe : describe.skip;

let world: HostWorld;
afterEach(() => world?.end());

const SERVER = 'sql01.hosting.local';
const STRING = `Data Source=${SERVER};Initial Catalog=Gateway;User ID=o365gateway;Password=canary`;
const add = (name: string, text: string) =>
  `<add name="${name}" connectionString="${text.replaceAll('"', '&quot;')}" />`;
const section = (...entries: string[]) => `<connectionStrings>${entries.join('')}</connectionStrings>`;
const LOCAL = add('LocalSqlServer', 'data source=.\\SQLEXPRESS;Integrated Security=SSPI;User Instance=true');

/** What is said of the second gateway, whose configuration these files are. */
async function databasesOf(files: Record<string, string>, spec = hostSpec()) {
  world = await HostWorld.start({ spec });
  const folder = world.folder(1);
  const webConfig = (await readdir(folder)).find((name) => name.toLowerCase() === 'web.config') ?? 'Web.config';
  const before = await readFile(path.join(folder, webConfig), 'utf8');
  const { 'web.config': sections = '', ...others } = files;
  await writeFile(
    path.join(folder, webConfig),
    before.replace(/<connectionStrings>.*<\/connectionStrings>/s, sections),
  );
  for (const [name, text] of Object.entries(others)) await writeFile(path.join(folder, name), text);
  const { sites } = await world.activities('PowerShell').readHost({ host: world.host });
  const application = sites[1]?.applications[0];
  expect(JSON.stringify(application)).not.toContain('canary');
  expect(application?.versions).toContain('18.3.0.9');
  return application?.databases;
}
const FOUND = { dataSource: SERVER, localDb: false, login: 'o365gateway', sysadmin: true };
const unread = (problem: string) => ({
  dataSource: expect.stringContaining(problem) as string,
  localDb: false,
  login: '',
  sysadmin: null,
});

inPowerShell('a connection string', () => {
  test.each<[string, Record<string, string>, unknown[]]>([
    [
      'in a file of its own',
      {
        'web.config': '<connectionStrings configSource="connections.config" />',
        'connections.config': section(add('Gateway', STRING)),
      },
      [FOUND],
    ],
    ['for one location', { 'web.config': `<location path=".">${section(add('Gateway', STRING))}</location>` }, [FOUND]],
    [
      'in another namespace',
      {
        'web.config': section(add('Gateway', STRING)).replace(
          '<connectionStrings',
          '<connectionStrings xmlns="http://schemas.microsoft.com/.NetConfiguration/v2.0"',
        ),
      },
      [FOUND],
    ],
    [
      'of Entity Framework',
      {
        'web.config': section(
          add(
            'Model',
            `metadata=res://*/M.csdl|res://*/M.ssdl;provider=System.Data.SqlClient;provider connection string="${STRING}"`,
          ),
        ),
      },
      [FOUND],
    ],
    [
      'of older versions',
      { 'settings.config': `<appSettings><add key="Db" value="${STRING}" /></appSettings>` },
      [FOUND],
    ],
    [
      'after another one',
      { 'web.config': section(LOCAL, add('Gateway', STRING)) },
      [expect.objectContaining({ dataSource: '.\\SQLEXPRESS', sysadmin: null }), FOUND],
    ],
    [
      'that is encrypted',
      {
        'web.config':
          '<connectionStrings configProtectionProvider="RsaProtectedConfigurationProvider"><EncryptedData /></connectionStrings>',
      },
      [unread('encrypted connection string')],
    ],
    [
      'in a file that is not there',
      { 'web.config': '<connectionStrings configSource="gone.config" />' },
      [unread('FileNotFoundException')],
    ],
    [
      'that is none',
      { 'web.config': section(add('Gateway', 'canary')) },
      [unread('connection string that cannot be read')],
    ],
    ['nowhere', {}, []],
  ])('%s', async (_, files, expected) => {
    await expect(databasesOf(files)).resolves.toEqual(expected);
  });
});

inPowerShell('the login of an application with integrated security', () => {
  const INTEGRATED = 'Integrated Security=SSPI;User ID=nobody';
  test.each([
    ['of the computer, by its domain', SERVER, 'NetworkService', 'CONTOSO\\GW-HOST-01$'],
    ["of the computer, for the pool's own account", SERVER, 'ApplicationPoolIdentity', 'CONTOSO\\GW-HOST-01$'],
    ['well known, in the language of Windows', '.', 'NetworkService', 'NT-AUTORITÄT\\Netzwerkdienst'],
    ['well known, that Windows cannot name', '.', 'LocalService', ''],
    ["nobody's beyond the computer", SERVER, 'LocalService', ''],
  ])('is %s', async (_, dataSource, poolIdentity, login) => {
    const spec = hostSpec();
    const accounts = {
      'contoso.local\\GW-HOST-01$': 'CONTOSO\\GW-HOST-01$',
      'CONTOSO\\GW-HOST-01$': 'CONTOSO\\GW-HOST-01$',
      'S-1-5-20': 'NT-AUTORITÄT\\Netzwerkdienst',
      'NT-AUTORITÄT\\Netzwerkdienst': 'NT-AUTORITÄT\\Netzwerkdienst',
    };
    const sites = spec.sites.map((site) => ({
      ...site,
      applications: site.applications.map((one) => ({
        ...one,
        poolIdentity,
        database: { dataSource, name: 'Gateway', login: login || 'unknown\\', sysadmin: 1 as const },
      })),
    }));
    const files = { 'web.config': section(add('Gateway', `Data Source=${dataSource};${INTEGRATED}`)) };
    const found = await databasesOf(files, { ...spec, domain: 'contoso.local', accounts, sites });
    expect(found).toEqual([{ dataSource, localDb: false, login, sysadmin: login === '' ? null : true }]);
  });
});

inPowerShell('the stand-in of the sandbox says the same as the script', () => {
  test.each(['plain', 'encrypted', 'missing'] as const)(
    'of a connection string that is %s',
    async (connectionString) => {
      const spec = hostSpec();
      const sites = spec.sites.map((site) => ({
        ...site,
        applications: site.applications.map((one) => ({ ...one, database: { ...one.database, connectionString } })),
      }));
      world = await HostWorld.start({ spec: { ...spec, sites } });
      const databases = async (engine: 'stand-in' | 'PowerShell') => {
        const read = await world.activities(engine).readHost({ host: world.host });
        return read.sites.flatMap(({ applications }) => applications.map((each) => each.databases));
      };
      expect(await databases('stand-in')).toEqual(await databases('PowerShell'));
    },
  );
});
