/**
 * One Windows host with IIS: its sites, services, processes and the state of its disk. What the sandbox's PowerShell module
 * and the scripts' twins do to Windows, they do here; faults act here, and every effect is journaled here.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FAILURE } from '../../contract/activities';
import type { FaultRule } from '../faults';
import { gatewayFiles } from '../gateway-files';
import type { HostApplication, HostSite, HostSpec, HostsWorld } from '../hosts-port';
import {
  applicationDirectory,
  deployedVersions,
  filesBelow,
  folderDigest,
  hostDirectory,
  hostWorkDirectory,
  isBlocked,
  withConnectionString,
  writeFile,
} from './disk';
import { CommandFailed, PowerShellDied, ScriptFailed } from './failures';
import { parseSetupCommand, type SetupArguments } from './setup-command';

/** Survives a restart of the sandbox, in `host.json` beside the disk. */
interface HostState {
  /** Names that sites have got in IIS since they were installed, by the name at installation. */
  renamed: Record<string, string>;
  /** What each application has loaded, by its folder's path from the host: Windows serves old code until it is restarted. */
  loaded: Record<string, string[]>;
  services: Record<string, 'Running' | 'Stopped'>;
  /** Pools that are stopped, with the digest of their application's files from then. */
  stoppedPools: Record<string, string>;
  configurationBackups: string[];
  processes: SetupProcess[];
}

/** One run of setup.cmd. */
interface SetupProcess {
  id: number;
  commandLine: string;
  directory: string;
  output: string;
  setup: SetupArguments;
  /** Milliseconds since the epoch; `null` for one that never ends. */
  endsAt: number | null;
  ending: 'done' | 'half' | 'nothing';
  exitCode: number;
  log: string[];
  /** Goes on when the PowerShell that started it is gone. */
  outlives: boolean;
  /** PowerShell dies instead of learning the end. */
  unheard: boolean;
  /** It has changed files. */
  touched: boolean;
  ended: boolean;
}

const DEAD_BEFORE: ReadonlySet<string> = new Set(['refuse', 'reset', 'error500']);
const DEAD_AFTER: ReadonlySet<string> = new Set(['effectThenNoAnswer', 'malformed']);

export class SimulatedHost {
  readonly directory: string;
  readonly workDirectory: string;
  private readonly state: HostState;
  private closed = false;
  private changing = false;
  private readonly timers = new Map<number, NodeJS.Timeout>();
  private readonly waiting = new Map<number, Set<() => void>>();

  constructor(
    private readonly world: HostsWorld,
    readonly name: string,
  ) {
    this.directory = hostDirectory(world.hostsDirectory, name);
    this.workDirectory = hostWorkDirectory(world.hostsDirectory, name);
    mkdirSync(this.workDirectory, { recursive: true });
    this.state = existsSync(this.stateFile)
      ? (JSON.parse(readFileSync(this.stateFile, 'utf8')) as HostState)
      : {
          renamed: {},
          loaded: {},
          services: { WAS: 'Running', W3SVC: 'Running' },
          stoppedPools: {},
          configurationBackups: [],
          processes: [],
        };
    for (const process of this.state.processes) this.schedule(process);
  }

  get spec(): HostSpec {
    const spec = this.world.hosts().find(({ name }) => name === this.name);
    if (spec === undefined) throw new Error(`The sandbox has no endpoint host ${this.name} any more`);
    return spec;
  }

  /** Installs, at the version of the specification, the applications that are not on the disk yet. */
  layOut(): void {
    for (const site of this.spec.sites) {
      for (const application of site.applications) {
        const folder = this.folderOf(site, application.application);
        if (existsSync(folder)) continue;
        for (const [file, content] of Object.entries(gatewayFiles(application.packageVersion))) {
          writeFile(folder, file, installed(file, content, application));
        }
        this.load(folder);
      }
    }
    this.save();
  }

  // What IIS has

  sites(): { name: string; state: string; site: HostSite }[] {
    const state = this.state.services['W3SVC'] === 'Running' ? 'Started' : 'Stopped';
    return this.spec.sites.map((site) => ({ name: this.nameInIis(site), state, site }));
  }

  renameSite(from: string, to: string): void {
    this.state.renamed[this.findSite(from).installedAs] = to;
    this.save();
  }

  findSite(name: string): HostSite {
    const found = this.sites().find((site) => site.name === name);
    if (found === undefined) throw new CommandFailed(`Cannot find site '${name}' on ${this.name}.`);
    return found.site;
  }

  applications(site: HostSite): { name: string; physicalPath: string; pool: string; application: HostApplication }[] {
    return site.applications.map((application) => ({
      name: application.application,
      physicalPath: this.folderOf(site, application.application),
      pool: `${site.installedAs} ${application.application}`,
      application,
    }));
  }

  poolState(pool: string): 'Started' | 'Stopped' {
    this.findPool(pool);
    return pool in this.state.stoppedPools ? 'Stopped' : 'Started';
  }

  async stopPool(pool: string): Promise<void> {
    const { physicalPath } = this.findPool(pool);
    await this.command('Stop-WebAppPool', pool, () => {
      this.state.stoppedPools[pool] ??= folderDigest(physicalPath);
    });
  }

  /** Files that were changed while their pool was stopped were put back: setup.cmd stops no pool. */
  async startPool(pool: string): Promise<void> {
    const { physicalPath, application, site } = this.findPool(pool);
    await this.command('Start-WebAppPool', pool, () => {
      const before = this.state.stoppedPools[pool];
      delete this.state.stoppedPools[pool];
      if (before === undefined) return;
      this.load(physicalPath);
      if (before === folderDigest(physicalPath)) return;
      this.effect('siteRestored', `${this.nameInIis(site)}/${application.application}`, application.provider, {
        versions: deployedVersions(physicalPath),
      });
    });
  }

  configurationBackups(): string[] {
    return [...this.state.configurationBackups];
  }

  async backupConfiguration(name: string): Promise<void> {
    await this.command('Backup-WebConfiguration', name, () => {
      if (this.state.configurationBackups.includes(name))
        throw new CommandFailed(`The backup '${name}' already exists.`);
      this.state.configurationBackups.push(name);
    });
  }

  // What Windows has

  serviceState(name: string): string {
    const state = this.state.services[name];
    if (state === undefined) throw new CommandFailed(`Cannot find any service with service name '${name}'.`);
    return state;
  }

  /** IS_SRVROLEMEMBER('sysadmin', login) of the SQL Server; `null` also when it does not know the login. */
  sysadmin(dataSource: string, login: string): 1 | 0 | null {
    const databases = this.spec.sites.flatMap((site) => site.applications.map(({ database }) => database));
    return databases.find((d) => d.dataSource === dataSource && d.login === login)?.sysadmin ?? null;
  }

  /** HTTP status of `https://<hostname>/<application>/aps/` for a caller without the controller's certificate. */
  answer(url: string): number {
    const { hostname, pathname } = new URL(url);
    const site = this.spec.sites.find((candidate) => candidate.hostname === hostname);
    const application = site?.applications.find((one) => pathname === `/${one.application}/aps/`);
    if (site === undefined || application === undefined) return 404;
    return this.served(site, application.application) === undefined ? 503 : 403;
  }

  /** Assemblies' versions that the application has loaded; `undefined` where nothing answers. */
  served(site: HostSite, application: string): string[] | undefined {
    const { physicalPath, pool } = this.findApplication(site, application);
    if (this.state.services['W3SVC'] !== 'Running' || pool in this.state.stoppedPools) return undefined;
    return this.state.loaded[this.key(physicalPath)];
  }

  async iisReset(): Promise<{ exitCode: number; output: string[] }> {
    const attempt = ['', 'Attempting stop...', 'Internet services successfully stopped', 'Attempting start...'];
    const success = { exitCode: 0, output: [...attempt, 'Internet services successfully restarted'] };
    if (!this.spec.elevated) {
      return {
        exitCode: 5,
        output: ['Access denied, you must be an administrator of the remote computer to use this command.'],
      };
    }
    return this.command('iisreset', this.name, async (fault) => {
      await delay(this.world.timings.iisResetMs);
      if (fault === 'resetTimesOut') {
        return {
          exitCode: 1053,
          output: [
            ...attempt.slice(0, 2),
            'Restart attempt failed.',
            'The service did not respond to the start or control request in a timely fashion. (2147943453, 8007041d)',
          ],
        };
      }
      for (const { site } of this.sites()) {
        for (const { physicalPath } of this.applications(site)) this.load(physicalPath);
      }
      this.state.stoppedPools = {};
      this.state.services = { WAS: 'Running', W3SVC: fault === 'resetLeavesStopped' ? 'Stopped' : 'Running' };
      this.effect('iisReset', this.name);
      return success;
    });
  }

  // setup.cmd

  runningSetups(): string[] {
    return this.state.processes.filter(({ ended }) => !ended).map(({ commandLine }) => `cmd.exe ${commandLine}`);
  }

  /** Starts cmd.exe with setup.cmd and returns its process id. */
  startSetup(directory: string, commandLine: string): number {
    const parsed = parseSetupCommand(commandLine);
    if (parsed === undefined)
      throw new CommandFailed(`The simulated host knows no such command: cmd.exe ${commandLine}`);
    const { setup, output } = parsed;
    const object = `${setup.site}/${setup.application}`;
    const site = this.sites().find(({ name }) => name === setup.site)?.site;
    const application = site?.applications.find((one) => one.application === setup.application);
    const rule = this.take('setup.cmd', application?.provider);
    this.call('setup.cmd', object, rule?.kind, application?.provider);
    if (rule !== undefined && DEAD_BEFORE.has(rule.kind)) throw new PowerShellDied();

    const refusal = this.refusal(directory, setup, site, application);
    const fails = refusal !== undefined || ['setupFails', 'fault'].includes(rule?.kind ?? '');
    const half = rule?.kind === 'setupHalfFinishes';
    const duration = rule?.delayMs ?? this.world.timings.setupMs;
    const process: SetupProcess = {
      id: (this.state.processes.at(-1)?.id ?? 4000) + 4,
      commandLine,
      directory,
      output,
      setup,
      endsAt: rule?.kind === 'setupHangs' ? null : Date.now() + duration,
      ending: fails || rule?.kind === 'setupDoesNothing' ? 'nothing' : half ? 'half' : 'done',
      exitCode: fails || half ? 1603 : 0,
      log: [
        refusal ?? (fails || half ? 'Fatal error during installation.' : `Gateway ${setup.application} is up to date.`),
      ],
      outlives: rule?.kind === 'setupOutlives',
      unheard: rule !== undefined && DEAD_AFTER.has(rule.kind),
      touched: false,
      ended: false,
    };
    this.state.processes.push(process);
    this.save();
    this.schedule(process);
    if (process.outlives) throw new PowerShellDied();
    return process.id;
  }

  /**
   * Waits until the process has ended, or for `ms`. When `gone` aborts, the PowerShell that waits was ended with
   * everything that it had started.
   */
  async waitForSetup(id: number, ms: number, gone: AbortSignal): Promise<{ ended: boolean; exitCode: number }> {
    const process = this.process(id);
    if (!process.ended) await this.endOf(process, ms, gone);
    if (gone.aborted && !process.ended) {
      if (this.closed) throw new PowerShellDied();
      this.kill(process);
    }
    if (process.ended && process.unheard) throw new PowerShellDied();
    return { ended: process.ended, exitCode: process.exitCode };
  }

  /** The mutex of the scripts that change the host: one at a time, and nobody queues. */
  async exclusive<T>(act: () => Promise<T>): Promise<T> {
    if (this.changing) {
      throw new ScriptFailed(FAILURE.notYet, `another script of Onward is changing ${this.spec.computerName}`);
    }
    this.changing = true;
    try {
      return await act();
    } finally {
      this.changing = false;
    }
  }

  // For the sandbox

  call(name: string, object: string | undefined, outcome = 'ok', provider?: string): void {
    this.world.journal.record({
      kind: 'call',
      system: 'host',
      host: this.name,
      name,
      outcome,
      ...(object === undefined ? {} : { object }),
      ...(provider === undefined ? {} : { provider }),
    });
  }

  take(call: string, provider?: string): FaultRule | undefined {
    return this.world.faults.take({
      system: 'host',
      host: this.name,
      call,
      ...(provider === undefined ? {} : { provider }),
    });
  }

  findApplication(site: HostSite, application: string) {
    const found = this.applications(site).find(({ name }) => name === application);
    if (found === undefined) throw new CommandFailed(`Cannot find the application '${application}' on ${this.name}.`);
    return found;
  }

  /** Stops the clock of the host; what runs goes on when the sandbox is started again. */
  close(): void {
    this.closed = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }

  // Inside

  private get stateFile(): string {
    return path.join(this.directory, 'host.json');
  }

  private save(): void {
    writeFileSync(`${this.stateFile}.new`, JSON.stringify(this.state, null, 2));
    renameSync(`${this.stateFile}.new`, this.stateFile);
  }

  private nameInIis(site: HostSite): string {
    return this.state.renamed[site.installedAs] ?? site.site;
  }

  private folderOf(site: HostSite, application: string): string {
    return applicationDirectory(this.world.hostsDirectory, this.name, site, application);
  }

  private key(folder: string): string {
    return path.relative(this.directory, folder);
  }

  private load(folder: string): void {
    this.state.loaded[this.key(folder)] = deployedVersions(folder);
  }

  private findPool(pool: string) {
    for (const { site } of this.sites()) {
      const found = this.applications(site).find((application) => application.pool === pool);
      if (found !== undefined) return { ...found, site };
    }
    throw new CommandFailed(`Cannot find the application pool '${pool}' on ${this.name}.`);
  }

  /** Runs a command that changes something: journaled, and subject to faults. */
  private async command<T>(name: string, object: string, effect: (fault?: string) => T | Promise<T>): Promise<T> {
    const rule = this.take(name);
    this.call(name, object, rule?.kind);
    if (rule !== undefined && DEAD_BEFORE.has(rule.kind)) throw new PowerShellDied();
    if (rule?.kind === 'fault') throw new CommandFailed('Access is denied.');
    if (rule?.kind === 'slow') await delay(rule.delayMs ?? 0);
    const result = await effect(rule?.kind);
    this.save();
    if (rule !== undefined && DEAD_AFTER.has(rule.kind)) throw new PowerShellDied();
    return result;
  }

  private effect(name: string, object: string, provider?: string, detail?: Record<string, unknown>): void {
    this.world.journal.record({
      kind: 'effect',
      system: 'host',
      host: this.name,
      name,
      object,
      ...(provider === undefined ? {} : { provider }),
      ...(detail === undefined ? {} : { detail }),
    });
  }

  /** Why setup.cmd refuses to begin. */
  private refusal(
    directory: string,
    setup: SetupArguments,
    site: HostSite | undefined,
    application: HostApplication | undefined,
  ): string | undefined {
    const command = path.join(directory, 'setup.cmd');
    if (!existsSync(command)) return `'.\\setup.cmd' is not recognized as an internal or external command.`;
    if (isBlocked(command)) return `${command} came from another computer and is blocked.`;
    if (!this.spec.elevated) return 'This installer must be run as Administrator.';
    if (site?.installedAs !== setup.site) return `There is no Office 365 gateway site '${setup.site}' installed.`;
    if (application === undefined) return `There is no Office 365 gateway application '${setup.application}'.`;
    if (!site.bindings.some(({ address }) => address === setup.ip || address === '*')) {
      return `The site '${setup.site}' is not bound to ${setup.ip}.`;
    }
    if (site.hostname !== setup.hostname) return `There is no certificate for ${setup.hostname}.`;
    return undefined;
  }

  private process(id: number): SetupProcess {
    const found = this.state.processes.find((process) => process.id === id);
    if (found === undefined) throw new CommandFailed(`Cannot find a process with the process identifier ${id}.`);
    return found;
  }

  /** Files change in two halves, so that what dies in between leaves a mixture. */
  private schedule(process: SetupProcess): void {
    if (process.ended || process.endsAt === null) return;
    const left = Math.max(0, process.endsAt - Date.now());
    const timer = setTimeout(() => {
      this.copy(process, 'first');
      const rest = setTimeout(() => this.end(process), left / 2);
      this.timers.set(process.id, rest);
    }, left / 2);
    this.timers.set(process.id, timer);
  }

  private end(process: SetupProcess): void {
    if (process.ending === 'done') this.copy(process, 'second');
    this.finish(process);
  }

  private kill(process: SetupProcess): void {
    clearTimeout(this.timers.get(process.id));
    process.exitCode = 1;
    process.ending = 'half';
    process.log.push('Terminate batch job.');
    this.finish(process);
  }

  private finish(process: SetupProcess): void {
    this.timers.delete(process.id);
    process.ended = true;
    writeFile(path.dirname(process.output), path.basename(process.output), `${process.log.join('\r\n')}\r\n`);
    this.save();
    const { site, application } = process.setup;
    const known = this.sites().find(({ name }) => name === site)?.site.applications;
    const provider = known?.find((one) => one.application === application)?.provider;
    if (process.touched) {
      this.effect('setupRan', `${site}/${application}`, provider, {
        files: process.ending === 'done' ? 'all' : 'some',
      });
    }
    for (const wake of this.waiting.get(process.id) ?? []) wake();
  }

  /** Copies half of `Web/` into the application's folder: configuration first, then assemblies. */
  private copy(process: SetupProcess, half: 'first' | 'second'): void {
    if (process.ending === 'nothing') return;
    process.touched = true;
    const { site, application } = process.setup;
    const web = path.join(process.directory, 'Web');
    const found = this.findApplication(this.findSite(site), application);
    const files = filesBelow(web).filter((file) => !file.endsWith(':Zone.Identifier'));
    const middle = Math.floor(files.length / 2);
    for (const file of half === 'first' ? files.slice(0, middle) : files.slice(middle)) {
      const content = readFileSync(path.join(web, file), 'utf8');
      writeFile(found.physicalPath, file, installed(file, content, found.application));
    }
  }

  private async endOf(process: SetupProcess, ms: number, gone: AbortSignal): Promise<void> {
    const waiting = this.waiting.get(process.id) ?? new Set();
    this.waiting.set(process.id, waiting);
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        gone.removeEventListener('abort', wake);
        waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      gone.addEventListener('abort', wake, { once: true });
      waiting.add(wake);
    });
  }
}

function installed(file: string, content: string, application: HostApplication): string {
  return file.toLowerCase() === 'web.config' ? withConnectionString(content, application) : content;
}
