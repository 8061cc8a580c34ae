/**
 * What each script of `src/systems/endpoint/scripts` does, done by the sandbox itself for the stand-in: same parameters, same
 * facts, same files. The scripts are the original; a test runs both and compares.
 */
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
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
import { FAILURE } from '../../contract/activities';
import type { Decided, HashedFile, Parameters, RESULTS, ScriptName } from '../../systems/endpoint/scripts';
import type { z } from 'zod';
import { block, fileVersion, filesBelow, isBlocked, unblock, writeFile } from './disk';
import { ScriptFailed } from './failures';
import { setupCommandLine } from './setup-command';
import type { SimulatedHost } from './simulated-host';
import type { ReleaseTwins } from '../hosts-port';

/** Where a twin runs. `gone` aborts when the PowerShell that the stand-in plays was ended. */
export interface Run {
  host: SimulatedHost;
  gone: AbortSignal;
  releaseTwins: ReleaseTwins;
}
type Facts<N extends ScriptName> = z.input<(typeof RESULTS)[N]>;
type Twin<N extends ScriptName> = (run: Run, parameters: Parameters[N]) => Facts<N> | Promise<Facts<N>>;

export const TWINS: { [N in ScriptName]: Twin<N> } = {
  discover: ({ host }) => ({
    computerName: host.spec.computerName,
    elevated: host.spec.elevated,
    sites: host.sites().map(({ name, state, site }) => ({
      name,
      state,
      bindings: bindings(host, name),
      applications: host.applications(site).map(({ name: application, physicalPath, application: { database } }) => ({
        name: application,
        physicalPath,
        database: {
          dataSource: database.dataSource,
          login: database.login,
          sysadmin: /^\(localdb\)\\/i.test(database.dataSource)
            ? null
            : host.sysadmin(database.dataSource, database.login),
        },
      })),
    })),
  }),

  inspect: async ({ host, gone }, parameters) => {
    const until = Date.now() + parameters.waitMilliseconds;
    let running = runningSetups(host, parameters.workDirectory);
    while (running.length > 0 && Date.now() < until && !gone.aborted) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      running = runningSetups(host, parameters.workDirectory);
    }
    const texts = (suffix: string) => {
      const folder = path.join(parameters.workDirectory, 'records', parameters.records);
      if (parameters.records === '' || !existsSync(folder)) return [];
      const names = readdirSync(folder).filter((name) => name.endsWith(suffix));
      return names.sort().map((name) => readFileSync(path.join(folder, name), 'utf8'));
    };
    return {
      sites: parameters.sites.map(({ site: siteName, application: applicationName }) => {
        const site = host.sites().find(({ name }) => name === siteName)?.site;
        const application = site && host.applications(site).find(({ name }) => name === applicationName);
        const folder = application && existsSync(application.physicalPath) ? application.physicalPath : undefined;
        return {
          site: siteName,
          application: applicationName,
          bindings: site === undefined ? null : bindings(host, siteName),
          physicalPath: application?.physicalPath ?? null,
          assemblies: folder === undefined ? null : assemblies(folder),
          webConfigVersion: folder === undefined ? null : webConfigVersion(folder),
        };
      }),
      started: texts('.setup-started.json'),
      ended: texts('.setup-ended.json'),
      restored: texts('.restored.json'),
      reset: texts('.reset.json'),
      running,
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
    refuseWhileRunning(host, parameters.workDirectory);
    const source = deployed(host, parameters).physicalPath;
    if (parameters.copy === 'always' || (parameters.copy === 'ifMissing' && !existsSync(list))) {
      rmSync(folder, { recursive: true, force: true });
      cpSync(source, files, { recursive: true });
      if (!host.configurationBackups().includes(parameters.backup)) await host.backupConfiguration(parameters.backup);
      const { operation, site, application } = parameters;
      save(list, { operation, site, application, at: now(), source, files: hashedFiles(source) });
    }
    const complete = existsSync(list);
    return {
      path: folder,
      copy: complete ? { listed: (readJson(list) as BackupList).files, copied: hashedFiles(files) } : null,
      deployed: hashedFiles(source),
      others: complete ? [] : otherBackups(parameters),
    };
  }),

  stage: alone(async ({ gone }, { workDirectory, packageUrl, sha256: wanted }) => {
    const folder = path.join(workDirectory, 'packages', wanted);
    const staged = path.join(folder, 'staged.json');
    if (existsSync(staged)) {
      const { directory } = readJson(staged) as { directory: string };
      if (existsSync(path.join(directory, 'setup.cmd'))) return { directory, sha256: wanted, blocked: [] };
    }
    rmSync(folder, { recursive: true, force: true });
    const file = path.join(folder, 'package.zip');
    writeFile(folder, 'package.zip', await download(packageUrl, gone));
    block(file);
    const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
    if (sha256 !== wanted) return { directory: '', sha256, blocked: [] };
    expand(file, path.join(folder, 'package'));
    const archive = findOne(path.join(folder, 'package'), 'O365-Web.zip');
    unblock(archive);
    const web = path.join(folder, 'web');
    expand(archive, web);
    const directory = path.dirname(findOne(web, 'setup.cmd'));
    const blocked = [archive, ...filesBelow(web).map((name) => path.join(web, name))].filter(isBlocked);
    if (blocked.length === 0) save(staged, { directory, at: now() });
    return { directory, sha256, blocked };
  }),

  setup: alone(async ({ host, gone }, parameters) => {
    refuseWhileRunning(host, parameters.workDirectory);
    const { id, operation, site, application, hostname, ip } = parameters;
    const record = path.join(parameters.workDirectory, 'records', parameters.records, id);
    const output = `${record}.setup.log`;
    save(`${record}.setup-started.json`, { id, operation, site, application, hostname, ip, at: now() });
    const process = host.startSetup(
      parameters.directory,
      setupCommandLine({ site, application, hostname, ip }, output),
    );
    const { exitCode } = await host.waitForSetup(process, 24 * 3600_000, gone);
    const log = readFileSync(output, 'utf8').trimEnd().split('\r\n').slice(-40).join('\n');
    const result = { id, operation, exitCode, log, at: now() };
    save(`${record}.setup-ended.json`, result);
    return result;
  }),

  reset: alone(async ({ host }, parameters) => {
    refuseWhileRunning(host, parameters.workDirectory);
    const { exitCode, output } = await host.iisReset();
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

  answer: ({ host }, { url }) => {
    const status = host.answer(url);
    return { status, untrusted: false, problem: `Response status code does not indicate success: ${status}.` };
  },

  hash: ({ host }, parameters) => {
    const files = path.join(parameters.backup, 'files');
    if (!existsSync(files))
      throw new ScriptFailed(FAILURE.unexpectedState, `the backup ${parameters.backup} does not exist`);
    return { backup: hashedFiles(files), deployed: hashedFiles(deployed(host, parameters).physicalPath) };
  },

  restore: alone(async ({ host }, parameters) => {
    refuseWhileRunning(host, parameters.workDirectory);
    const { id, operation, site, application } = parameters;
    const { physicalPath, pool } = deployed(host, parameters);
    save(path.join(parameters.workDirectory, 'records', parameters.records, `${id}.restored.json`), {
      id,
      operation,
      site,
      application,
      at: now(),
    });
    if (host.poolState(pool) !== 'Stopped') await host.stopPool(pool);
    rmSync(physicalPath, { recursive: true });
    cpSync(path.join(parameters.backup, 'files'), physicalPath, { recursive: true });
    await host.startPool(pool);
    return { deployed: hashedFiles(physicalPath) };
  }),

  'run-script': claimed(async ({ host, releaseTwins }, { workDirectory, release, script, parameters }) => {
    refuseWhileRunning(host, workDirectory);
    const twin = releaseTwins[`${release}/${script}`];
    if (twin === undefined) {
      throw new ScriptFailed(
        FAILURE.rejected,
        `the sandbox has no twin of ${release}/${script}, nor a PowerShell to run it`,
      );
    }
    return { ...(await twin(host, parameters)), bootTime: host.bootTime };
  }),

  restart: claimed(async ({ host }, { workDirectory, records, record, operation, bootedUntil, askAgain }) => {
    const { bootTime } = host;
    const file = path.join(workDirectory, 'records', records, `${record}.restart.json`);
    const askedAt = existsSync(file) ? (readJson(file) as { at: string }).at : null;
    if (bootTime >= bootedUntil || (askedAt !== null && askedAt >= askAgain)) return { bootTime, askedAt };
    refuseWhileRunning(host, workDirectory);
    const { exitCode, output } = await host.shutDown(15);
    if (![0, 1115, 1190].includes(exitCode)) {
      throw new ScriptFailed(FAILURE.rejected, `shutdown.exe ended with exit code ${exitCode}: ${output.join(' ')}`);
    }
    const at = now();
    save(file, { operation, bootTime, at });
    return { bootTime, askedAt: at };
  }),
};

/** common.ps1, Use-Host -Claimed */
function claimed<N extends ScriptName>(twin: Twin<N>): Twin<N> {
  return alone(async (run, parameters) => {
    if (standingClaim(run.host) !== '') return twin(run, parameters);
    const computer = run.host.spec.computerName;
    throw new ScriptFailed(
      FAILURE.unexpectedState,
      `${computer} belongs to no upgrade: there is no claim in ${claimFile(run.host)}`,
    );
  });
}

/** The scripts that change the host take its mutex (common.ps1, Use-Host). */
function alone<N extends ScriptName>(twin: Twin<N>): Twin<N> {
  return (run, parameters) =>
    run.host.exclusive(async () => {
      if ('operation' in parameters) refuseForeignClaim(run.host, parameters.operation);
      if (isDecided(parameters)) refuseUnseenChanges(run.host, parameters);
      return twin(run, parameters);
    });
}

const claimFile = (host: SimulatedHost) => path.join(host.programData, 'Onward', 'claim.json');
const standingClaim = (host: SimulatedHost) =>
  existsSync(claimFile(host)) ? readFileSync(claimFile(host), 'utf8') : '';

function refuseForeignClaim(host: SimulatedHost, operation: string): void {
  const claim = standingClaim(host);
  if (claim === '') return;
  const { operation: owner } = JSON.parse(claim) as { operation: string };
  if (owner === operation) return;
  const computer = host.spec.computerName;
  throw new ScriptFailed(FAILURE.unexpectedState, `${computer} now belongs to ${owner} (${claimFile(host)})`);
}

const isDecided = (parameters: object): parameters is Decided => 'seen' in parameters;

/** common.ps1, Confirm-Seen */
function refuseUnseenChanges(host: SimulatedHost, { workDirectory, records, seen }: Decided): void {
  const folder = path.join(workDirectory, 'records', records);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  if (names.filter((name) => /\.(setup-started|restored|reset)\.json$/.test(name)).length === seen) return;
  const computer = host.spec.computerName;
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
  const site = host.sites().find(({ name }) => name === key.site)?.site;
  const found = site && host.applications(site).find(({ name }) => name === key.application);
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

interface BackupList {
  operation: string;
  site: string;
  application: string;
  at: string;
  files: HashedFile[];
}

/** backup.ps1, Get-OtherBackups */
function otherBackups({ workDirectory, site, application }: Parameters['backup']) {
  const folder = path.join(workDirectory, 'backups');
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names
    .filter((name) => existsSync(path.join(folder, name, 'files.json')))
    .map((name) => ({ name, made: readJson(path.join(folder, name, 'files.json')) as BackupList }))
    .filter(({ made }) => made.site === site && made.application === application)
    .map(({ name, made: { operation, at } }) => ({ path: path.join(folder, name), operation, at }));
}

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

function hashedFiles(folder: string): HashedFile[] {
  return filesBelow(folder).map((name) => {
    const file = path.join(folder, name);
    const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
    return { path: name, bytes: statSync(file).size, sha256 };
  });
}

function runningSetups(
  host: SimulatedHost,
  workDirectory: string,
): { id: string; site: string; application: string }[] {
  const records = path.join(workDirectory, 'records');
  if (!existsSync(records)) return [];
  const commands = host.runningSetups();
  return filesBelow(records)
    .filter((file) => file.endsWith('.setup-started.json'))
    .map((file) => path.join(records, file))
    .filter((file) => commands.some((line) => line.includes(file.replace('.setup-started.json', '.setup.log'))))
    .map((file) => {
      const { id, site, application } = readJson(file) as Parameters['setup'];
      return { id, site, application };
    });
}

function refuseWhileRunning(host: SimulatedHost, workDirectory: string): void {
  const [running] = runningSetups(host, workDirectory);
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
function expand(archive: string, folder: string): void {
  for (const [name, content] of Object.entries(unzipSync(readFileSync(archive)))) {
    if (name.endsWith('/')) continue;
    writeFile(folder, name, content);
    if (isBlocked(archive)) block(path.join(folder, name));
  }
}

async function download(url: string, gone: AbortSignal): Promise<Uint8Array> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([gone, AbortSignal.timeout(60_000)]) });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new ScriptFailed(FAILURE.unreachable, `the package cannot be downloaded from ${url}: ${problem}`);
  }
}
