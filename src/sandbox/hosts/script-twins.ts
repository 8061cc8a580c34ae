/**
 * What each script of `src/systems/endpoint/scripts` does, done by the sandbox itself for the stand-in: same parameters, same
 * facts, same files. The scripts are the original; a test runs both and compares.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { DOMParser } from '@xmldom/xmldom';
import { unzipSync } from 'fflate';
import { FAILURE, type SiteKey } from '../../contract/activities';
import { sameName } from '../../contract/names';
import type { HostIdentity } from '../../contract/facts';
import type {
  Decided,
  ExplicitAccess,
  HashedFile,
  Parameters,
  RESULTS,
  ScriptName,
} from '../../systems/endpoint/scripts';
import type { z } from 'zod';
import { parseList } from './access';
import { block, fileVersion, filesBelow, isBlocked, unblock, writeFile } from './disk';
import { ScriptFailed } from './failures';
import {
  copyApplication,
  hashedFiles,
  isVolatile,
  pause,
  removeEmptyFolders,
  setPoolState,
  sha256Of,
  siteFiles,
  sitePaths,
  switchFiles,
  untilReleased,
  type PoolState,
} from './site-twins';
import { setupCommandLine } from './setup-command';
import type { SimulatedHost } from './simulated-host';
import type { HostDatabase, ReleaseTwins } from '../hosts-port';

/** Where a twin runs. `gone` aborts when the PowerShell that the stand-in plays was ended. */
export interface Run {
  host: SimulatedHost;
  gone: AbortSignal;
  releaseTwins: ReleaseTwins;
}
type Facts<N extends ScriptName> = z.input<(typeof RESULTS)[N]>;
type Twin<N extends ScriptName> = (run: Run, parameters: Parameters[N]) => Facts<N> | Promise<Facts<N>>;

function databasesOf(host: SimulatedHost, database: HostDatabase) {
  const { dataSource, login } = database;
  switch (database.connectionString) {
    case 'missing':
      return [];
    case 'encrypted':
      return [{ dataSource: '(encrypted connection string)', login: '', sysadmin: null }];
    default:
      return [
        { dataSource, login, sysadmin: /^\(localdb\)\\/i.test(dataSource) ? null : host.sysadmin(dataSource, login) },
      ];
  }
}

export const TWINS: { [N in ScriptName]: Twin<N> } = {
  protect: alone(({ host }, { settings }) => {
    const exposure = settings === '' ? undefined : exposureOf(host, settings);
    if (exposure === undefined) return {};
    throw new ScriptFailed(FAILURE.unexpectedState, `${exposure}, so the configuration in it is not to be trusted`);
  }),

  discover: ({ host }, { workDirectory, settings }) => ({
    identity: host.spec.identity,
    elevated: host.spec.elevated,
    exposed: [
      ...new Set(
        [dataDirectory(host), workDirectory, settings]
          .filter((folder) => folder !== '' && existsSync(folder))
          .flatMap((folder) => exposureOf(host, folder) ?? []),
      ),
    ],
    sites: host.sites().map(({ name, state, site }) => ({
      name,
      state,
      bindings: bindings(host, name),
      applications: host.applications(site).map(({ name: application, physicalPath, application: { database } }) => ({
        name: application,
        physicalPath,
        ...filesSay(existsSync(physicalPath) ? physicalPath : undefined),
        databases: databasesOf(host, database),
      })),
    })),
  }),

  precheck: async (run, { workDirectory, applications, packages, waitMilliseconds }) => {
    const until = Date.now() + waitMilliseconds;
    const seen: Facts<'precheck'> = { freeBytes: run.host.freeBytes, applications: [], packages: [] };
    for (const key of applications) seen.applications.push(await examineApplication(run, key, until));
    for (const file of packages) seen.packages.push(await examinePackage(run, workDirectory, file));
    return seen;
  },

  inspect: async ({ host, gone }, parameters) => {
    const until = Date.now() + parameters.waitMilliseconds;
    let running = runningSetups(host);
    while (running.length > 0 && Date.now() < until && !gone.aborted) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      running = runningSetups(host);
    }
    const texts = (suffix: string) => {
      const folder = path.join(parameters.workDirectory, 'records', parameters.records);
      if (parameters.records === '' || !existsSync(folder)) return [];
      const names = readdirSync(folder).filter((name) => name.endsWith(suffix));
      return names.sort().map((name) => readFileSync(path.join(folder, name), 'utf8'));
    };
    return {
      sites: parameters.sites.map(({ site: siteName, application: applicationName }) => {
        const site = host.sites().find(({ name }) => sameName(name, siteName))?.site;
        const application = site && host.applications(site).find(({ name }) => sameName(name, applicationName));
        const folder = application && existsSync(application.physicalPath) ? application.physicalPath : undefined;
        return {
          site: siteName,
          application: applicationName,
          bindings: site === undefined ? null : bindings(host, siteName),
          physicalPath: application?.physicalPath ?? null,
          ...filesSay(folder),
        };
      }),
      started: texts('.setup-started.json'),
      ended: texts('.setup-ended.json'),
      restored: texts('.restored.json'),
      reset: texts('.reset.json'),
      running,
      bootTime: host.bootTime,
    };
  },

  claim: alone(async ({ host }, { claim, replaces }) => {
    if (standingClaim(host) === replaces) writeText(claimFile(host), claim);
    return { claim: standingClaim(host) };
  }),

  backup: alone(async ({ host }, parameters) => {
    const folder = path.join(parameters.workDirectory, 'backups', parameters.backup);
    const files = path.join(folder, 'files');
    const list = path.join(folder, 'files.json');
    refuseWhileRunning(host);
    const source = deployed(host, parameters).physicalPath;
    if (parameters.copy === 'always' || (parameters.copy === 'ifMissing' && !existsSync(list))) {
      rmSync(folder, { recursive: true, force: true });
      const made = await copyApplication(host, source, files);
      if (!host.configurationBackups().includes(parameters.backup)) await host.backupConfiguration(parameters.backup);
      const { operation, site, application } = parameters;
      const access = explicitAccess(host, source, made.grew);
      save(list, { operation, site, application, at: now(), source, ...made, access });
    }
    const made = existsSync(list) ? listOf(folder) : undefined;
    const grew = made?.grew ?? [];
    return {
      path: folder,
      copy: made ? { listed: made.files, copied: siteFiles(host, files, grew), unread: made.unread } : null,
      deployed: siteFiles(host, source, grew),
      ownDoing: filesBelow(source).filter((name) => isVolatile(name, grew)),
      others: made ? [] : otherBackups(parameters),
    };
  }),

  stage: alone(async ({ host, gone }, { workDirectory, packageUrl, sha256 }) => {
    const folder = packageFolder(workDirectory, sha256);
    if ('directory' in stagedPackage(folder, sha256)) return { sha256, blocked: [] };
    return receivePackage(host, folder, packageUrl, sha256, gone);
  }),

  setup: alone(async ({ host, gone }, parameters) => {
    refuseWhileRunning(host);
    const staged = stagedPackage(packageFolder(parameters.workDirectory, parameters.sha256), parameters.sha256);
    if ('problem' in staged) throw new ScriptFailed(FAILURE.unexpectedState, staged.problem);
    const { id, operation, site, application, hostname, ip } = parameters;
    const record = path.join(parameters.workDirectory, 'records', parameters.records, id);
    const output = `${record}.setup.log`;
    save(`${record}.setup-started.json`, { id, operation, site, application, hostname, ip, at: now() });
    const process = host.startSetup(staged.directory, setupCommandLine({ site, application, hostname, ip }, output));
    const { exitCode } = await host.waitForSetup(process, 24 * 3600_000, gone);
    const lines = readFileSync(output, 'utf8').trimEnd().split('\r\n');
    const remarkable = new RegExp(parameters.remarkable, 'i');
    const result = {
      id,
      operation,
      exitCode,
      log: lines.slice(-40).join('\n'),
      remarks: lines.filter((line) => remarkable.test(line)).slice(0, 20),
      at: now(),
    };
    save(`${record}.setup-ended.json`, result);
    return result;
  }),

  reset: alone(async (run, parameters) => {
    const { host } = run;
    refuseWhileRunning(host);
    await untilServicesRest(run, parameters.waitMilliseconds);
    const { exitCode, output } = await host.iisReset();
    await untilServicesRest(run, parameters.waitMilliseconds);
    const result = {
      operation: parameters.operation,
      covers: parameters.covers,
      exitCode,
      output: output.filter((line) => line !== ''),
      services: ['WAS', 'W3SVC'].map((name) => ({ name, state: host.serviceState(name) })),
      at: now(),
    };
    save(path.join(parameters.workDirectory, 'records', parameters.records, `${parameters.id}.reset.json`), result);
    return result;
  }),

  answer: async ({ host, gone }, { address, hostname, path: inUrl, waitMilliseconds }) => {
    const until = Date.now() + waitMilliseconds;
    for (;;) {
      const connection = host.connect(address, 443);
      const { status, untrusted } =
        connection === 'made' ? host.answer(address, hostname, inUrl) : { status: 0, untrusted: '' };
      if ((status > 0 && status < 500) || Date.now() >= until || gone.aborted)
        return { connection, status, untrusted, problem: CONNECTIONS[connection] };
      await pause(gone);
    }
  },

  hash: ({ host }, parameters) => {
    const backup = path.join(parameters.workDirectory, 'backups', parameters.backup);
    const files = path.join(backup, 'files');
    if (!existsSync(files)) throw new ScriptFailed(FAILURE.unexpectedState, `the backup ${backup} does not exist`);
    const { physicalPath } = deployed(host, parameters);
    const { grew, access } = listOf(backup);
    return {
      backup: siteFiles(host, files, grew),
      deployed: siteFiles(host, physicalPath, grew),
      access: { listed: access, found: explicitAccess(host, physicalPath, grew) },
      unfinished: existsSync(path.join(backup, 'restoring.json')),
    };
  },

  restore: alone(async (run, parameters) => {
    const { host } = run;
    refuseWhileRunning(host);
    const { id, operation, site, application, replace, waitMilliseconds } = parameters;
    const backup = path.join(parameters.workDirectory, 'backups', parameters.backup);
    const copy = path.join(backup, 'files');
    const { grew, access } = listOf(backup);
    const { physicalPath: folder, pool } = deployed(host, parameters);
    const note = path.join(backup, 'restoring.json');
    const before = existsSync(note)
      ? (readJson(note) as { pool: PoolState; half: boolean })
      : { pool: host.poolState(pool) === 'Started' ? ('Started' as const) : ('Stopped' as const), half: false };
    save(path.join(parameters.workDirectory, 'records', parameters.records, `${id}.restored.json`), {
      id,
      operation,
      site,
      application,
      pool: before.pool,
      at: now(),
    });
    let { half } = before;
    save(note, before);
    const until = () => Date.now() + waitMilliseconds;
    let result: Facts<'restore'> = { deployed: [], access: [] };
    const failures: unknown[] = [];
    try {
      if (replace) {
        await setPoolState(run, pool, 'Stopped', until());
        const present = sitePaths(folder, grew);
        await untilReleased(run, folder, present, until());
        save(note, { ...before, half: true });
        try {
          switchFiles(host, folder, copy, path.join(parameters.workDirectory, 'aside', id), present, grew);
        } catch (error) {
          save(note, before);
          throw error;
        }
        removeEmptyFolders(folder, copy);
        for (const one of access) host.setAccess(path.join(folder, one.path), parseList(one.sddl));
      }
      half = false;
      result = { deployed: siteFiles(host, folder, grew), access: explicitAccess(host, folder, grew) };
      save(note, { ...before, half });
    } catch (error) {
      failures.push(error);
    }
    if (!half) {
      try {
        await setPoolState(run, pool, before.pool, until());
        rmSync(note);
      } catch (error) {
        failures.push(error);
      }
    }
    // What failed first is what is told.
    const [first] = failures;
    if (first instanceof Error) throw first;
    return result;
  }),

  'run-script': alone(async ({ host, releaseTwins }, { release, script, parameters }) => {
    refuseWhileRunning(host);
    const twin = releaseTwins[`${release}/${script}`];
    if (twin === undefined) {
      throw new ScriptFailed(
        FAILURE.rejected,
        `the sandbox has no twin of ${release}/${script}, nor a PowerShell to run it`,
      );
    }
    return { ...(await twin(host, parameters)), bootTime: host.bootTime };
  }),

  restart: alone(async ({ host }, { workDirectory, records, record, operation, bootedUntil, askAgain }) => {
    const { bootTime } = host;
    const file = path.join(workDirectory, 'records', records, `${record}.restart.json`);
    const askedAt = existsSync(file) ? (readJson(file) as { at: string }).at : null;
    if (bootTime >= bootedUntil || (askedAt !== null && askedAt >= askAgain)) return { bootTime, askedAt };
    refuseWhileRunning(host);
    const { exitCode, output } = await host.shutDown(15);
    if (![0, 1115, 1190].includes(exitCode)) {
      throw new ScriptFailed(FAILURE.rejected, `shutdown.exe ended with exit code ${exitCode}: ${output.join(' ')}`);
    }
    const at = now();
    save(file, { operation, bootTime, at });
    return { bootTime, askedAt: at };
  }),
};

/** common.ps1, Confirm-Identity */
export function confirmIdentity(
  { spec: { identity: found } }: SimulatedHost,
  script: ScriptName,
  { identity: expected }: { identity?: Partial<HostIdentity> },
): void {
  if (script === 'protect' || script === 'discover' || script === 'precheck') return;
  const names = ['computerName', 'machineGuid', 'smbiosUuid'] as const;
  const different = names
    .filter((name) => found[name] !== expected?.[name])
    .map((name) => `${name} is '${found[name]}' and not '${expected?.[name] ?? ''}'`);
  if (different.length === 0) return;
  throw new ScriptFailed(
    FAILURE.anotherHost,
    `${found.computerName} is not the machine that the preflight has seen: ${different.join(', ')}`,
  );
}

/** Of a connection, in the words of Windows. */
const CONNECTIONS = {
  made: '',
  refused: 'No connection could be made because the target machine actively refused it.',
  none: 'no connection within 15 s',
};
export const DISK_IS_FULL = 'There is not enough space on the disk.';

/** reset.ps1, Wait-Services */
async function untilServicesRest({ host, gone }: Run, ms: number): Promise<void> {
  const until = Date.now() + ms;
  while (host.serviceState('W3SVC').endsWith('Pending') && Date.now() < until) await pause(gone);
}

/** The scripts that change the host take its mutex (common.ps1, Use-Host). */
function alone<N extends ScriptName>(twin: Twin<N>): Twin<N> {
  return (run, parameters) =>
    run.host.exclusive(async () => {
      protectFolder(run.host, dataDirectory(run.host));
      protectFolder(run.host, parameters.workDirectory);
      if ('operation' in parameters) refuseForeignClaim(run.host, parameters.operation);
      if (isDecided(parameters)) refuseUnseenChanges(run.host, parameters);
      return twin(run, parameters);
    });
}

const dataDirectory = (host: SimulatedHost) => path.join(host.programData, 'Onward');
const claimFile = (host: SimulatedHost) => path.join(dataDirectory(host), 'claim.json');
const standingClaim = (host: SimulatedHost) =>
  existsSync(claimFile(host)) ? readFileSync(claimFile(host), 'utf8') : '';

function refuseForeignClaim(host: SimulatedHost, operation: string): void {
  const owner = host.claimedBy;
  if (owner === operation) return;
  const computer = host.spec.identity.computerName;
  throw new ScriptFailed(
    FAILURE.unexpectedState,
    owner === ''
      ? `${computer} belongs to no upgrade: there is no claim in ${claimFile(host)}`
      : `${computer} now belongs to ${owner} (${claimFile(host)})`,
  );
}

const TRUSTED = ['SY', 'BA'];

/** common.ps1, Get-Exposure */
function exposureOf(host: SimulatedHost, folder: string): string | undefined {
  for (let at = folder; at !== path.dirname(at); at = path.dirname(at)) {
    if (lstatSync(at).isSymbolicLink()) return `${at} is a link to another folder`;
  }
  const sddl = host.accessTo(folder);
  const owner = /^O:(.+?)G:/.exec(sddl)?.[1] ?? '';
  const { isProtected, entries } = parseList(sddl);
  if (!TRUSTED.includes(owner)) return `${folder} belongs to ${owner}`;
  if (!isProtected) return `${folder} inherits its access from the folder that it is in`;
  if (entries.length === 0) return `${folder} has no list of access`;
  const open = entries
    .map((entry) => entry.split(';'))
    .find(([type, , , , , who = '']) => type !== 'D' && !TRUSTED.includes(who));
  return open && `${folder} is open to ${open[5] ?? ''}`;
}

/** common.ps1, Protect-Folder */
function protectFolder(host: SimulatedHost, folder: string): void {
  if (!existsSync(folder)) {
    mkdirSync(folder, { recursive: true });
    host.setAccess(folder, { owner: 'BA', isProtected: true, entries: ['A;OICI;FA;;;SY', 'A;OICI;FA;;;BA'] });
  }
  const exposure = exposureOf(host, folder);
  if (exposure === undefined) return;
  throw new ScriptFailed(
    FAILURE.unexpectedState,
    `${exposure}, so what lies in it is not to be trusted: move it away, and Onward makes it anew for administrators alone`,
  );
}

/** common.ps1, Get-ExplicitAccess */
function explicitAccess(host: SimulatedHost, folder: string, grew: string[]): ExplicitAccess[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .flatMap((name) => {
      if (isVolatile(name.split(path.sep).join('/'), grew)) return [];
      const { isProtected, entries } = parseList(host.accessTo(path.join(folder, name)));
      if (!isProtected && entries.length === 0) return [];
      const list = entries.map((entry) => `(${entry})`).join('');
      return [{ path: name.split(path.sep).join('/'), sddl: `D:${isProtected ? 'P' : ''}${list}` }];
    });
}

const packageFolder = (workDirectory: string, sha256: string) =>
  path.join(workDirectory, 'packages', sha256.slice(0, 16));

/** common.ps1, Receive-Package */
async function receivePackage(
  host: SimulatedHost,
  folder: string,
  url: string,
  wanted: string,
  gone: AbortSignal,
): Promise<Facts<'stage'>> {
  rmSync(folder, { recursive: true, force: true });
  const file = path.join(folder, 'package.zip');
  writeFile(folder, 'package.zip', await download(url, gone));
  block(file);
  const sha256 = sha256Of(readFileSync(file));
  if (sha256 !== wanted) return { sha256, blocked: [] };
  expand(host, file, path.join(folder, 'package'));
  const archive = findOne(path.join(folder, 'package'), 'O365-Web.zip');
  unblock(archive);
  const web = path.join(folder, 'web');
  expand(host, archive, web);
  const blocked = [archive, ...filesBelow(web).map((name) => path.join(web, name))].filter(isBlocked);
  const staged = blocked.length > 0 ? undefined : stagedPackage(folder, wanted);
  if (staged && 'problem' in staged) throw new ScriptFailed(FAILURE.unexpectedState, staged.problem);
  return { sha256, blocked };
}

const sizeOf = (folder: string): number =>
  filesBelow(folder).reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0);

/** precheck.ps1, Test-Application */
async function examineApplication({ host, gone }: Run, key: SiteKey, until: number) {
  const folder = deployed(host, key).physicalPath;
  for (;;) {
    const unread = sitePaths(folder, []).flatMap((name) => {
      const refusal = host.openFiles.refusal(path.join(folder, name), 'read');
      return refusal === undefined ? [] : [{ path: name, problem: `${path.join(folder, name)} is in use: ${refusal}` }];
    });
    if (unread.length === 0 || Date.now() >= until) return { ...key, bytes: sizeOf(folder), unread };
    await pause(gone);
  }
}

/** precheck.ps1, Test-Package */
async function examinePackage(
  { host, gone }: Run,
  workDirectory: string,
  { version, url, sha256 }: Parameters['precheck']['packages'][number],
): Promise<Facts<'precheck'>['packages'][number]> {
  const seen = { version, bytes: 0, sha256, blocked: [], problem: '', kind: '' };
  if ('directory' in stagedPackage(packageFolder(workDirectory, sha256), sha256)) return seen;
  protectFolder(host, workDirectory);
  const packages = path.join(workDirectory, 'packages');
  mkdirSync(packages, { recursive: true });
  const folder = mkdtempSync(path.join(packages, 'look-'));
  try {
    const received = await receivePackage(host, folder, url, sha256, gone);
    return { ...seen, ...received, bytes: sizeOf(folder) };
  } catch (error) {
    if (!(error instanceof ScriptFailed)) throw error;
    return { ...seen, problem: error.message, kind: error.kind === FAILURE.rejected ? '' : error.kind };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** common.ps1, Get-StagedPackage */
function stagedPackage(folder: string, wanted: string): { directory: string } | { problem: string } {
  const file = path.join(folder, 'package.zip');
  const web = path.join(folder, 'web');
  if (!existsSync(file) || !existsSync(web)) return { problem: `there is no package in ${folder}` };
  const content = readFileSync(file);
  if (sha256Of(content) !== wanted) return { problem: `${file} is another file than was downloaded` };
  const packaged = Object.entries(unzipSync(content)).filter(([name]) => path.posix.basename(name) === 'O365-Web.zip');
  const files = Object.entries(unzipSync(packaged[0]?.[1] ?? new Uint8Array())).filter(([name]) => !name.endsWith('/'));
  const lines = new Set(files.map(([name, inner]) => `${sha256Of(inner)} ${name}`));
  const found = new Set(hashedFiles(web).map(({ path: name, sha256 }) => `${sha256} ${name}`));
  const [different] = [...lines, ...found].filter((line) => !lines.has(line) || !found.has(line));
  if (different !== undefined)
    return { problem: `what was unpacked in ${web} is not what the package holds: ${different.slice(65)}` };
  return { directory: path.dirname(findOne(web, 'setup.cmd')) };
}

const isDecided = (parameters: object): parameters is Decided => 'seen' in parameters;

/** common.ps1, Confirm-Seen */
function refuseUnseenChanges(host: SimulatedHost, { workDirectory, records, seen }: Decided): void {
  const folder = path.join(workDirectory, 'records', records);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  if (names.filter((name) => /\.(setup-started|restored|reset)\.json$/.test(name)).length === seen) return;
  const { computerName: computer } = host.spec.identity;
  throw new ScriptFailed(FAILURE.notYet, `another script of Onward has changed ${computer} since it was looked at`);
}

const now = () => new Date().toISOString();

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

function save(file: string, content: object): void {
  writeText(file, JSON.stringify(content));
}

function writeText(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

export function bindings(host: SimulatedHost, site: string): string[] {
  return host.findSite(site).bindings.map(({ address, port, hostHeader }) => `${address}:${port}:${hostHeader}`);
}

function deployed(host: SimulatedHost, key: { site: string; application: string }) {
  const site = host.sites().find(({ name }) => sameName(name, key.site))?.site;
  const found = site && host.applications(site).find(({ name }) => sameName(name, key.application));
  if (found === undefined) {
    throw new ScriptFailed(
      FAILURE.unexpectedState,
      `IIS has no application '${key.application}' in a site '${key.site}': was it renamed?`,
    );
  }
  if (!existsSync(found.physicalPath)) {
    throw new ScriptFailed(
      FAILURE.unexpectedState,
      `the folder ${found.physicalPath} of the application '${key.application}' does not exist`,
    );
  }
  return found;
}

const listOf = (backup: string) => readJson(path.join(backup, 'files.json')) as BackupList;

interface BackupList {
  operation: string;
  site: string;
  application: string;
  at: string;
  files: HashedFile[];
  grew: string[];
  unread: string[];
  access: ExplicitAccess[];
}

/** backup.ps1, Get-OtherBackups */
function otherBackups({ workDirectory, site, application }: Parameters['backup']) {
  const folder = path.join(workDirectory, 'backups');
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names
    .filter((name) => existsSync(path.join(folder, name, 'files.json')))
    .map((name) => ({ name, made: readJson(path.join(folder, name, 'files.json')) as BackupList }))
    .filter(({ made }) => sameName(made.site, site) && sameName(made.application, application))
    .map(({ name, made: { operation, at } }) => ({ path: path.join(folder, name), operation, at }));
}

/** common.ps1, Get-Deployed */
const filesSay = (folder: string | undefined) => ({
  assemblies: folder === undefined ? null : assemblies(folder),
  webConfigVersion: folder === undefined ? null : webConfigVersion(folder),
});

function assemblies(folder: string): { file: string; version: string | null }[] {
  const bin = path.join(folder, 'bin');
  if (!existsSync(bin)) return [];
  const files = readdirSync(bin).filter((name) => name.toLowerCase().endsWith('.dll'));
  return files.sort().map((file) => ({ file, version: fileVersion(path.join(bin, file)) }));
}

function webConfigVersion(folder: string): string | null {
  const file = readdirSync(folder).find((name) => name.toLowerCase() === 'web.config');
  if (file === undefined) return null;
  const document = new DOMParser().parseFromString(readFileSync(path.join(folder, file), 'utf8'), 'text/xml');
  const settings = Array.from(document.getElementsByTagName('add'));
  return settings.find((entry) => entry.getAttribute('key') === 'ApplicationVersion')?.getAttribute('value') ?? null;
}

/** common.ps1, Get-RunningSetups */
function runningSetups(host: SimulatedHost): { site: string; application: string }[] {
  return host.runningSetups().flatMap((line) => {
    const [, site, application] = /-GatewaySiteName\s+"([^"]*)"\s+-GatewayAppName\s+"([^"]*)"/.exec(line) ?? [];
    return site === undefined || application === undefined ? [] : [{ site, application }];
  });
}

function refuseWhileRunning(host: SimulatedHost): void {
  const [running] = runningSetups(host);
  if (running) throw new ScriptFailed(FAILURE.notYet, `setup.cmd still runs for the site '${running.site}'`);
}

function findOne(folder: string, name: string): string {
  const found = filesBelow(folder).filter((file) => path.posix.basename(file).toLowerCase() === name.toLowerCase());
  if (found.length !== 1 || found[0] === undefined) {
    throw new ScriptFailed(
      FAILURE.unexpectedState,
      `the package must hold exactly one ${name}, and holds ${found.length}`,
    );
  }
  return path.join(folder, found[0]);
}

/** What unpacks a blocked archive hands its mark on, as Windows Explorer does. */
function expand(host: SimulatedHost, archive: string, folder: string): void {
  const all = Object.entries(unzipSync(readFileSync(archive))).filter(([name]) => !name.endsWith('/'));
  const isHalf = host.unpacksHalf();
  for (const [name, content] of isHalf ? all.slice(0, all.length / 2) : all) {
    writeFile(folder, name, content);
    if (isBlocked(archive)) block(path.join(folder, name));
  }
  if (isHalf) throw new ScriptFailed(FAILURE.rejected, DISK_IS_FULL);
}

async function download(url: string, gone: AbortSignal): Promise<Uint8Array> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([gone, AbortSignal.timeout(60_000)]) });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new ScriptFailed(
      FAILURE.unreachable,
      `the package cannot be downloaded from ${url.split('?')[0]}: ${problem}`,
    );
  }
}
