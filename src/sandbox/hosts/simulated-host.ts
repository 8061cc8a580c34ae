/**
 * One Windows host with IIS: its sites, services, processes and the state of its disk. What the sandbox's PowerShell module
 * and the scripts' twins do to Windows, they do here; faults act here, and every effect is journaled here.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FAILURE, type FailureType } from '../../contract/activities';
import { sameName } from '../../contract/names';
import type { FaultRule } from '../faults';
import { gatewayFiles } from '../gateway-files';
import {
  identityOf,
  type HostApplication,
  type HostSite,
  type HostSpec,
  type HostsWorld,
  type Restarts,
} from '../hosts-port';
import { accessOf, fileId, type OwnAccess } from './access';
import type { FeatureState, ScriptedHost } from '../../contract/simulation';
import {
  applicationDirectory,
  deployedVersions,
  folderDigest,
  hostDirectory,
  hostProgramData,
  hostWorkDirectory,
  installedFile,
  writeFile,
} from './disk';
import {
  CommandFailed,
  DEAD_AFTER,
  DEAD_BEFORE,
  FIELD_FAULTS,
  PowerShellDied,
  RESET_FAULTS,
  RESTART_FAULTS,
  ScriptFailed,
  UnknownFault,
} from './failures';
import { bare, settled, type InstalledState } from './installed';
import { OpenFiles } from './open-files';
import { parseSetupCommand } from './setup-command';
import { setupRefusal, SetupRuns, type SetupRun } from './setup-runs';

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
  setups: SetupRun[];
  /** When Windows was started, ISO 8601 in UTC. */
  bootTime: string;
  /** A restart on its way: when it goes down and comes up, in milliseconds since 1970. */
  restart: { downAt: number; upAt: number; isDown: boolean } | null;
  installed: InstalledState;
  /** Access of files and folders that is their own, by their path from the host. */
  access: Record<string, OwnAccess & { file: string }>;
}

/** Of commands that can go wrong in ways of their own. */
const OWN_FAULTS: Record<string, readonly string[]> = {
  iisreset: RESET_FAULTS,
  'shutdown.exe': RESTART_FAULTS,
};
const BUSY = 'The service cannot accept control messages at this time. (Exception from HRESULT: 0x80070425)';

/** A host of the sandbox has run for so long when it is laid out, in milliseconds. */
const UPTIME_MS = 24 * 3600_000;
/** Free on a drive of which nobody says otherwise, in bytes. */
const PLENTY = 40 * 2 ** 30;
/** No Windows is started again sooner, so neither are the boot times of two starts closer to each other. In milliseconds. */
const SOONEST_START_MS = 5_000;

export class SimulatedHost implements ScriptedHost {
  readonly directory: string;
  readonly workDirectory: string;
  /** %ProgramData% of the host. */
  readonly programData: string;
  private readonly state: HostState;
  private readonly setups: SetupRuns;
  /** When each pool has stopped, or will have; in milliseconds since 1970. */
  private readonly stoppedAt = new Map<string, number>();
  /** Until then the service W3SVC goes on stopping; in milliseconds since 1970. */
  private stopPendingUntil = 0;
  readonly openFiles = new OpenFiles((file) => this.stoppedSince(file));
  /** Who holds the mutex of the scripts that change the host. */
  private changing: symbol | undefined;
  private power = new AbortController();
  private restartTimer: NodeJS.Timeout | undefined;

  /**
   * @param restarts hears when the host goes down and comes up.
   * @param cloneOf the host that it is a copy of; the copy has other hardware.
   */
  constructor(
    private readonly world: HostsWorld,
    readonly name: string,
    private readonly restarts: Restarts,
    readonly cloneOf?: string,
  ) {
    this.directory = hostDirectory(world.hostsDirectory, name);
    this.workDirectory = hostWorkDirectory(world.hostsDirectory, name);
    this.programData = hostProgramData(world.hostsDirectory, name);
    mkdirSync(this.programData, { recursive: true });
    this.state = {
      renamed: {},
      loaded: {},
      services: { WAS: 'Running', W3SVC: 'Running' },
      stoppedPools: {},
      configurationBackups: [],
      setups: [],
      bootTime: new Date(Date.now() - UPTIME_MS).toISOString(),
      restart: null,
      installed: bare(),
      access: {},
      ...(existsSync(this.stateFile) ? (JSON.parse(readFileSync(this.stateFile, 'utf8')) as Partial<HostState>) : {}),
    };
    if (this.isDown) this.power.abort();
    this.setups = new SetupRuns(this.state.setups, {
      timings: world.timings,
      changed: () => this.save(),
      ran: ({ setup, application }, files) =>
        this.effect('setupRan', `${setup.site}/${setup.application}`, application?.provider, { files }),
    });
    this.goOnRestarting();
  }

  get spec(): HostSpec {
    const original = this.cloneOf ?? this.name;
    const spec = this.world.hosts().find(({ name }) => name === original);
    if (spec === undefined) throw new Error(`The sandbox has no endpoint host ${original} any more`);
    if (this.cloneOf === undefined) return spec;
    return { ...spec, identity: { ...spec.identity, smbiosUuid: identityOf(this.name).smbiosUuid } };
  }

  /** Installs, at the version of the specification, the applications that are not on the disk yet. */
  layOut(): void {
    for (const site of this.spec.sites) {
      for (const application of site.applications) {
        const folder = this.folderOf(site, application.application);
        if (existsSync(folder)) continue;
        for (const [file, content] of Object.entries(gatewayFiles(application.assemblyVersion))) {
          writeFile(folder, file, installedFile(file, content, application));
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
    const found = this.sites().find((site) => sameName(site.name, name));
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

  poolState(pool: string): 'Started' | 'Stopping' | 'Stopped' {
    this.findPool(pool);
    if (!(pool in this.state.stoppedPools)) return 'Started';
    return Date.now() < (this.stoppedAt.get(pool) ?? 0) ? 'Stopping' : 'Stopped';
  }

  async stopPool(pool: string): Promise<void> {
    const { physicalPath } = this.findPool(pool);
    await this.command('Stop-WebAppPool', pool, (fault, delayMs) => {
      if (this.poolState(pool) === 'Stopping') throw new CommandFailed(BUSY);
      this.state.stoppedPools[pool] ??= this.digest(physicalPath);
      this.stoppedAt.set(pool, Date.now() + (fault === 'poolStopsSlowly' ? delayMs : 0));
    });
  }

  private stoppedSince(file: string): number | undefined {
    const pools = this.sites().flatMap(({ site }) => this.applications(site));
    const pool = pools.find(({ physicalPath }) => file.startsWith(physicalPath + path.sep))?.pool;
    if (pool === undefined || this.poolState(pool) !== 'Stopped') return undefined;
    return this.stoppedAt.get(pool) ?? 0;
  }

  /** Of an application's folder, without what changes by itself. */
  private digest(physicalPath: string): string {
    return folderDigest(physicalPath, this.openFiles.growing());
  }

  /** Files that were changed while their pool was stopped were put back: setup.cmd stops no pool. */
  async startPool(pool: string): Promise<void> {
    const { physicalPath, application, site } = this.findPool(pool);
    await this.command('Start-WebAppPool', pool, () => {
      if (this.poolState(pool) === 'Stopping') throw new CommandFailed(BUSY);
      const before = this.state.stoppedPools[pool];
      delete this.state.stoppedPools[pool];
      if (before === undefined) return;
      this.load(physicalPath);
      if (before === this.digest(physicalPath)) return;
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
    if (name === 'W3SVC' && Date.now() < this.stopPendingUntil) return 'StopPending';
    const state = this.state.services[name];
    if (state === undefined) throw new CommandFailed(`Cannot find any service with service name '${name}'.`);
    return state;
  }

  /** IS_SRVROLEMEMBER('sysadmin', login) of the SQL Server; `null` also when it does not know the login. */
  sysadmin(dataSource: string, login: string): 1 | 0 | null {
    const databases = this.spec.sites.flatMap((site) => site.applications.map(({ database }) => database));
    return databases.find((d) => d.dataSource === dataSource && d.login === login)?.sysadmin ?? null;
  }

  /** What becomes of a connection from the host itself; what has no such address is somewhere else, and does not answer. */
  connect(address: string, port: number): 'made' | 'refused' | 'none' {
    const bound = (site: HostSite) => site.bindings.some((b) => b.port === port && [address, '*'].includes(b.address));
    const isOwn = this.spec.sites.some(({ ip, bindings }) => [ip, ...bindings.map((b) => b.address)].includes(address));
    if (!isOwn || this.isDown) return 'none';
    return this.serviceState('W3SVC') === 'Running' && this.spec.sites.some(bound) ? 'made' : 'refused';
  }

  /** What a caller without the controller's certificate is told who asks this address for `https://<hostname>/<path>/aps/`. */
  answer(address: string, hostname: string, pathInUrl: string): { status: number; untrusted: string } {
    const fit = ({ bindings }: HostSite): number =>
      Math.max(
        -1,
        ...bindings
          .filter((b) => b.port === 443 && [address, '*'].includes(b.address))
          .filter(({ hostHeader }) => hostHeader === '' || sameName(hostHeader, hostname))
          .map((b) => (b.hostHeader === '' ? 0 : 2) + (b.address === '*' ? 0 : 1)),
      );
    const [site] = [...this.spec.sites].filter((one) => fit(one) >= 0).sort((one, other) => fit(other) - fit(one));
    const application = site?.applications.find((one) => sameName(one.application, decodeURIComponent(pathInUrl)));
    const untrusted = site?.untrusted ? 'RemoteCertificateChainErrors' : '';
    if (site === undefined || application === undefined) return { status: 404, untrusted };
    return { status: this.served(site, application.application) === undefined ? 503 : 403, untrusted };
  }

  /** Assemblies' versions that the application has loaded; `undefined` where nothing answers. */
  served(site: HostSite, application: string): string[] | undefined {
    const { physicalPath, pool } = this.findApplication(site, application);
    if (this.isDown || this.state.services['W3SVC'] !== 'Running' || pool in this.state.stoppedPools) return undefined;
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
    return this.command('iisreset', this.name, async (fault, delayMs) => {
      await delay(this.world.timings.iisResetMs);
      if (this.serviceState('W3SVC') === 'StopPending') {
        return {
          exitCode: 1061,
          output: [
            ...attempt.slice(0, 2),
            'The service cannot accept control messages at this time. (2147943461, 80070425)',
          ],
        };
      }
      if (fault === 'resetStopsHalf') {
        this.state.services = { WAS: 'Running', W3SVC: 'Stopped' };
        this.stopPendingUntil = Date.now() + delayMs;
        return {
          exitCode: 1062,
          output: [...attempt.slice(0, 2), 'The service has not been started. (2147943462, 80070426)'],
        };
      }
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
      this.loadAll();
      this.state.stoppedPools = {};
      if (fault === 'resetLeavesPoolsDown') this.stopAllPools();
      this.state.services = { WAS: 'Running', W3SVC: fault === 'resetLeavesStopped' ? 'Stopped' : 'Running' };
      this.effect('iisReset', this.name);
      return success;
    });
  }

  private stopAllPools(): void {
    const pools = this.sites().flatMap(({ site }) => this.applications(site));
    this.state.stoppedPools = Object.fromEntries(
      pools.map(({ pool, physicalPath }) => [pool, this.digest(physicalPath)]),
    );
  }

  // Restarts

  /** When Windows was started, ISO 8601 in UTC. */
  get bootTime(): string {
    return this.state.bootTime;
  }

  get isDown(): boolean {
    return this.state.restart?.isDown === true;
  }

  /** Aborts when the host goes down: whatever runs there is dead. */
  get untilDown(): AbortSignal {
    return this.power.signal;
  }

  /** shutdown.exe /r /t: the host goes down after its delay, or as soon as the world is quicker. */
  async shutDown(delaySeconds: number): Promise<{ exitCode: number; output: string[] }> {
    if (!this.spec.elevated) return { exitCode: 5, output: ['Access is denied.(5)'] };
    return this.command('shutdown.exe', this.name, (fault) => {
      if (this.state.restart !== null) {
        return { exitCode: 1190, output: ['A system shutdown has already been scheduled.(1190)'] };
      }
      if (fault !== 'restartCalledOff') this.beginRestart(delaySeconds * 1000);
      return { exitCode: 0, output: [] };
    });
  }

  /** Somebody restarts it by hand. */
  restart(): void {
    if (this.state.restart === null) this.beginRestart(0);
  }

  private beginRestart(delayMs: number): void {
    const { hostRestartMs } = this.world.timings;
    const downAt = Date.now() + Math.min(delayMs, hostRestartMs);
    this.state.restart = { downAt, upAt: downAt + hostRestartMs, isDown: false };
    this.save();
    this.goOnRestarting();
  }

  private goOnRestarting(): void {
    const { restart } = this.state;
    if (restart === null) return;
    const next = restart.isDown ? restart.upAt : restart.downAt;
    const act = () => (restart.isDown ? this.comeUp() : this.goDown(restart));
    this.restartTimer = setTimeout(act, Math.max(0, next - Date.now()));
  }

  private goDown(restart: NonNullable<HostState['restart']>): void {
    restart.isDown = true;
    this.setups.endAll();
    this.changing = undefined;
    this.save();
    this.power.abort();
    this.restarts.emit('down', this.name);
    this.goOnRestarting();
  }

  /** Everything is started anew, with the files that are there. */
  private comeUp(): void {
    const soonest = Date.parse(this.state.bootTime) + SOONEST_START_MS;
    this.state.bootTime = new Date(Math.max(Date.now(), soonest)).toISOString();
    this.state.restart = null;
    this.state.stoppedPools = {};
    this.state.services = { WAS: 'Running', W3SVC: 'Running' };
    this.state.installed = settled(this.state.installed);
    this.setups.replaceFilesInUse();
    this.loadAll();
    this.save();
    this.power = new AbortController();
    this.effect('hostRestarted', this.name);
    this.restarts.emit('up', this.name);
  }

  /** On its one drive. */
  get freeBytes(): number {
    return this.spec.freeBytes ?? PLENTY;
  }

  // What is installed

  installed(): InstalledState {
    return this.state.installed;
  }

  featureState(name: string): FeatureState {
    return this.state.installed.features[name] ?? 'Available';
  }

  async installFeature(name: string): Promise<{ restartNeeded: boolean }> {
    if (!this.spec.elevated)
      throw new CommandFailed('You do not have adequate user rights to make changes to the server.');
    return this.command('Install-WindowsFeature', name, () => {
      if (this.featureState(name) === 'Available') {
        this.state.installed.features[name] = 'InstallPending';
        this.effect('prerequisiteInstalled', name);
      }
      return { restartNeeded: this.featureState(name) === 'InstallPending' };
    });
  }

  registryValue(key: string, name: string): string | number | undefined {
    if (key === 'HKLM:\\SOFTWARE\\Microsoft\\Cryptography' && name === 'MachineGuid')
      return this.spec.identity.machineGuid;
    return this.state.installed.registry[key]?.[name];
  }

  setRegistryValue(key: string, name: string, value: string | number): void {
    if (this.registryValue(key, name) === value) return;
    this.state.installed.registry[key] = { ...this.state.installed.registry[key], [name]: value };
    this.save();
    this.effect('registryValueSet', `${key} ${name}`);
  }

  fail(kind: FailureType, message: string): never {
    throw new ScriptFailed(kind, message);
  }

  // Access

  /** Of a file or folder, as SDDL: its own, and what it inherits from the folders above it. */
  accessTo(at: string): string {
    return accessOf(at, path.join(this.directory, 'disk'), (folder) => this.ownAccess(folder));
  }

  /** Only for as long as it is the same file: what takes its place begins with what it inherits. */
  setAccess(at: string, own: Partial<OwnAccess>): void {
    const { owner, isProtected, entries } = { ...this.ownAccess(at), ...own };
    this.state.access[this.key(at)] = { owner, isProtected, entries, file: fileId(at) };
    this.save();
  }

  /** A disk that was copied has the access of the original. */
  copyAccess({ directory, state }: SimulatedHost): void {
    for (const [key, own] of Object.entries(state.access)) {
      const [from, to] = [directory, this.directory].map((root) => path.join(root, key));
      if (from && to && existsSync(from) && fileId(from) === own.file) this.setAccess(to, own);
    }
  }

  private ownAccess(at: string): OwnAccess {
    const known = this.state.access[this.key(at)];
    return known?.file === fileId(at) ? known : { owner: 'BA', isProtected: false, entries: [] };
  }

  // setup.cmd

  /** Command lines of the processes that run setup.cmd. */
  runningSetups(): string[] {
    return this.setups.running().map(({ commandLine }) => `cmd.exe ${commandLine}`);
  }

  /** Starts cmd.exe with setup.cmd and returns its process id. */
  startSetup(directory: string, commandLine: string): number {
    const parsed = parseSetupCommand(commandLine);
    if (parsed === undefined) {
      throw new CommandFailed(`The simulated host knows no such command: cmd.exe ${commandLine}`);
    }
    const { setup } = parsed;
    const site = this.sites().find(({ name }) => sameName(name, setup.site))?.site;
    const application = site && this.applications(site).find(({ name }) => sameName(name, setup.application));
    const provider = application?.application.provider;
    const rule = this.take('setup.cmd', provider);
    this.call('setup.cmd', `${setup.site}/${setup.application}`, rule?.kind, provider);
    if (rule !== undefined && DEAD_BEFORE.has(rule.kind)) throw new PowerShellDied();
    const id = this.setups.start({
      commandLine,
      directory,
      ...parsed,
      folder: application?.physicalPath,
      application: application?.application,
      refusal: setupRefusal(directory, setup, this.spec.elevated, site),
      ...(rule === undefined ? {} : { fault: rule }),
    });
    if (rule?.kind === 'setupOutlives') throw new PowerShellDied();
    return id;
  }

  /** Whether the disk is full when an archive is unpacked: half of its files are there then. */
  unpacksHalf(): boolean {
    const rule = this.take('Expand-Archive');
    if (rule === undefined) return false;
    this.call('Expand-Archive', undefined, rule.kind);
    if (rule.kind !== 'diskIsFull') throw new UnknownFault(rule.kind, 'Expand-Archive');
    return true;
  }

  /** {@link SetupRuns.wait} */
  waitForSetup(id: number, ms: number, gone: AbortSignal): Promise<{ ended: boolean; exitCode: number }> {
    return this.setups.wait(id, ms, gone);
  }

  /** The mutex of the scripts that change the host: one at a time, and nobody queues. */
  async exclusive<T>(act: () => Promise<T>): Promise<T> {
    if (this.changing !== undefined) {
      throw new ScriptFailed(FAILURE.notYet, `another script of Onward is changing ${this.spec.identity.computerName}`);
    }
    const holder = (this.changing = Symbol(this.name));
    try {
      return await act();
    } finally {
      if (this.changing === holder) this.changing = undefined;
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
    const found = this.applications(site).find(({ name }) => sameName(name, application));
    if (found === undefined) throw new CommandFailed(`Cannot find the application '${application}' on ${this.name}.`);
    return found;
  }

  /** Stops the clock of the host; what runs goes on when the sandbox is started again. */
  close(): void {
    clearTimeout(this.restartTimer);
    this.openFiles.close();
    this.setups.close();
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

  private loadAll(): void {
    for (const { site } of this.sites()) {
      for (const { physicalPath } of this.applications(site)) this.load(physicalPath);
    }
  }

  private findPool(pool: string) {
    for (const { site } of this.sites()) {
      const found = this.applications(site).find((application) => application.pool === pool);
      if (found !== undefined) return { ...found, site };
    }
    throw new CommandFailed(`Cannot find the application pool '${pool}' on ${this.name}.`);
  }

  /** Runs a command that changes something: journaled, and subject to faults. */
  private async command<T>(
    name: string,
    object: string,
    effect: (fault: string | undefined, delayMs: number) => T | Promise<T>,
  ): Promise<T> {
    const rule = this.take(name);
    this.call(name, object, rule?.kind);
    if (rule !== undefined && DEAD_BEFORE.has(rule.kind)) throw new PowerShellDied();
    if (rule?.kind === 'fault') throw new CommandFailed('Access is denied.');
    const known = ['slow', ...DEAD_AFTER, ...(OWN_FAULTS[name] ?? []), ...(FIELD_FAULTS[name] ?? [])];
    if (rule !== undefined && !known.includes(rule.kind)) throw new UnknownFault(rule.kind, name);
    if (rule?.kind === 'slow') await delay(rule.delayMs ?? 0);
    const result = await effect(rule?.kind, rule?.delayMs ?? 0);
    this.save();
    if (rule !== undefined && DEAD_AFTER.has(rule.kind)) throw new PowerShellDied();
    return result;
  }

  /** Id of the operation that the host belongs to; empty for none. */
  get claimedBy(): string {
    const file = path.join(this.programData, 'Onward', 'claim.json');
    if (!existsSync(file)) return '';
    return /"operation":"([^"]*)"/.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  }

  /** With the machine that it happened on, and whom that belonged to. */
  private effect(name: string, object: string, provider?: string, detail?: Record<string, unknown>): void {
    this.world.journal.record({
      kind: 'effect',
      system: 'host',
      host: this.name,
      name,
      object,
      ...(provider === undefined ? {} : { provider }),
      detail: { ...detail, machine: this.spec.identity.smbiosUuid, claimedBy: this.claimedBy },
    });
  }
}
