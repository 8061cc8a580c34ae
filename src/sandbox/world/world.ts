/**
 * The simulated world: providers, their clock, and what happens by itself.
 *
 * Nothing runs in the background. Time passes when somebody looks: every request first lets the world catch up with
 * its clock (`settle`), so that there is no timer to stop and the order of events is always the same.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { withoutRelease } from '../../contract/versions';
import { identityOf, type HostSite, type HostSpec } from '../hosts-port';
import type { Journal, JournalEntry } from '../journal';
import type { SimulatedVersions } from '../simulated-versions';
import { createProvider } from './create';
import { providerSpec, type ProviderOptions } from './spec';
import { isOpen, OFFICE_365, type Instance, type Provider, type Task } from './state';
import type { Timings } from './timings';

/** The object that somebody asked for does not exist in the sandbox. */
export class UnknownObject extends Error {
  override readonly name = 'UnknownObject';
}

/** What somebody asked for cannot be done in the state that the object is in. */
export class Impossible extends Error {
  override readonly name = 'Impossible';
}

/** Files of the state directory: the clock, and one per provider, so that a change writes no more than its provider. */
const CLOCK_FILE = 'clock.json';
const PROVIDER_FILE = /^provider-(.+)\.json$/;

const isLarge = ({ templates, instances }: Provider): boolean => templates.length + instances.length > 500;
/** For each second of writing, so many seconds until the next. */
const RESTS = 20;

export interface WorldOptions {
  versions: SimulatedVersions;
  journal: Journal;
  timings: Timings;
  /** Folder that the state is read from at first and written to after every change. */
  stateDirectory?: string;
}

export class World {
  /** The versions of the application that there are. */
  readonly versions: SimulatedVersions;
  readonly journal: Journal;
  readonly timings: Timings;
  private readonly stateDirectory: string | undefined;
  private readonly all: Provider[];
  private readonly unsaved = new Set<Provider>();
  /** By the clock of the process. */
  private readonly restsUntil = new Map<Provider, number>();
  /** How far the sandbox's clock is ahead of the machine's, in milliseconds. */
  private clockOffsetMs: number;

  constructor(options: WorldOptions) {
    this.versions = options.versions;
    this.journal = options.journal;
    this.timings = options.timings;
    this.stateDirectory = options.stateDirectory;
    if (this.stateDirectory !== undefined) mkdirSync(this.stateDirectory, { recursive: true, mode: 0o700 });
    this.clockOffsetMs = this.read<{ offsetMs: number }>(CLOCK_FILE)?.offsetMs ?? 0;
    const files = this.stateDirectory === undefined ? [] : readdirSync(this.stateDirectory).sort();
    this.all = files.flatMap((file) => (PROVIDER_FILE.test(file) ? (this.read<Provider>(file) ?? []) : []));
  }

  /** Milliseconds since 1970 by the sandbox's clock. */
  now(): number {
    return Date.now() + this.clockOffsetMs;
  }

  advanceClock(milliseconds: number): void {
    this.clockOffsetMs += milliseconds;
    this.write(CLOCK_FILE, { offsetMs: this.clockOffsetMs });
    this.settle();
  }

  providers(): Provider[] {
    return this.all;
  }

  /** Throws {@link UnknownObject}. */
  provider(id: string): Provider {
    const found = this.all.find((provider) => provider.id === id);
    if (!found) {
      const known = this.all.map((provider) => provider.id).join(', ') || 'none';
      throw new UnknownObject(`the sandbox has no provider '${id}'; it has: ${known}`);
    }
    return found;
  }

  /** Adds a provider; throws {@link Impossible} where its id, or a site on a shared host, is taken. */
  create(options: ProviderOptions): Provider {
    const spec = providerSpec(options, this.versions);
    if (this.all.some((other) => other.id === spec.id)) {
      throw new Impossible(`the sandbox has a provider '${spec.id}' already`);
    }
    for (const [index, instance] of spec.instances.entries()) {
      if (instance.gateway >= spec.gateways.length) {
        throw new Impossible(
          `instance ${index} of '${spec.id}' names gateway ${instance.gateway}, there are ${spec.gateways.length}`,
        );
      }
    }
    const provider = createProvider(spec, this.versions);
    assertDistinctSites([...this.all, provider]);
    this.all.push(provider);
    this.save(provider);
    return provider;
  }

  /** Records one change of a provider's state that has just happened, and saves it. */
  effect(provider: Provider, entry: Omit<JournalEntry, 'seq' | 'at' | 'kind' | 'provider'>): void {
    this.save(provider);
    this.journal.record({ kind: 'effect', provider: provider.id, ...entry });
  }

  /**
   * Writes a provider's state, for changes that are no effect of their own. A large one is written as a whole only for a part of
   * the time, so that thousands of changes do not take thousands of times as long; what a sandbox that is killed has not written
   * since, is lost.
   */
  save(provider: Provider): void {
    const began = performance.now();
    const resting = this.restsUntil.get(provider) ?? 0;
    if (began < resting) {
      this.unsaved.add(provider);
      return;
    }
    this.write(`provider-${provider.id}.json`, provider);
    this.unsaved.delete(provider);
    const took = performance.now() - began;
    if (isLarge(provider)) this.restsUntil.set(provider, began + took * RESTS);
  }

  /** Writes what has not been written yet. */
  flush(): void {
    this.restsUntil.clear();
    for (const provider of this.unsaved) this.save(provider);
  }

  /** Lets everything happen that is due by now, to one provider or to all. */
  settle(only?: Provider): void {
    for (const provider of only ? [only] : this.all) {
      this.scheduleDrain(provider);
      for (const task of dueTasks(provider, this.now())) this.finish(provider, task);
    }
  }

  private read<T>(file: string): T | undefined {
    if (this.stateDirectory === undefined) return undefined;
    const whole = path.join(this.stateDirectory, file);
    return existsSync(whole) ? (JSON.parse(readFileSync(whole, 'utf8')) as T) : undefined;
  }

  /** In one piece: who is killed in the middle leaves the old state. */
  private write(file: string, value: unknown): void {
    if (this.stateDirectory === undefined) return;
    const whole = path.join(this.stateDirectory, file);
    writeFileSync(`${whole}.new`, JSON.stringify(value), { mode: 0o600 });
    renameSync(`${whole}.new`, whole);
  }

  addTask(provider: Provider, task: Omit<Task, 'id'>): Task {
    const added = { id: provider.nextTaskId, ...task };
    provider.nextTaskId += 1;
    provider.tasks.push(added);
    return added;
  }

  /** Orders go on while an Office 365 template is active; from then on what is open is worked off, one after another. */
  private scheduleDrain(provider: Provider): void {
    if (provider.templates.some((template) => template.active && template.appIds.includes(OFFICE_365))) return;
    const waiting = provider.tasks.filter((task) => task.drains && isOpen(task) && task.dueAt === undefined);
    for (const [index, task] of waiting.entries()) task.dueAt = this.now() + (index + 1) * this.timings.drainMs;
    if (waiting.length > 0) this.save(provider);
  }

  private finish(provider: Provider, task: Task): void {
    delete task.dueAt;
    if (task.failure !== undefined) {
      task.status = 'Failed';
      this.save(provider);
      return;
    }
    task.status = 'Processed';
    this.effect(provider, { system: 'operations', name: 'taskProcessed', object: String(task.id) });
    if (task.completes?.kind === 'upgradeRelations') {
      const { packageId } = task.completes;
      for (const imported of provider.packages) if (imported.id === packageId) imported.upgradeRelations = true;
      this.save(provider);
    }
    if (task.completes?.kind === 'upgrade') {
      const { instanceId, to } = task.completes;
      for (const instance of provider.instances) {
        if (instance.instanceId === instanceId) this.finishUpgrade(provider, instance, to);
      }
    }
  }

  private finishUpgrade(provider: Provider, instance: Instance, to: string): void {
    instance.packageVersion = to;
    instance.status = 'Ready';
    instance.storedUser &&= this.versions.of(to).signIn === 'storedUser';
    this.effect(provider, {
      system: 'operations',
      name: 'instanceUpgraded',
      object: String(instance.instanceId),
      detail: { packageVersion: to },
    });
    const all = provider.instances.every((other) => withoutRelease(other.packageVersion) === withoutRelease(to));
    if (!all) return;
    for (let number = 1; number <= provider.lateTasks; number += 1) {
      const task = this.addTask(provider, {
        name: `Office 365: update subscription ${number} after upgrade`,
        status: 'Unprocessed',
        periodic: false,
        drains: false,
        dueAt: this.now() + number * this.timings.drainMs,
      });
      this.effect(provider, { system: 'operations', name: 'taskCreated', object: String(task.id) });
    }
    this.save(provider);
  }

  /** Every endpoint host, one entry each, also where several providers have sites on it. */
  hosts(): HostSpec[] {
    const hosts = new Map<string, HostSpec>();
    for (const provider of this.all) {
      for (const gateway of provider.gateways) {
        const host = hosts.get(gateway.host) ?? {
          name: gateway.host,
          identity: identityOf(gateway.host),
          elevated: true,
          sites: [
            {
              site: 'Default Web Site',
              installedAs: 'Default Web Site',
              hostname: '',
              ip: '',
              bindings: [],
              applications: [],
            },
          ],
        };
        hosts.set(gateway.host, host);
        host.sites.push(hostSite(provider, gateway, this.versions));
      }
    }
    return [...hosts.values()];
  }

  /** Everything of a provider that its operators can see and an upgrade may change; tasks come and go and are left out. */
  snapshot(id: string): ProviderSnapshot {
    const provider = this.provider(id);
    const packages = (own: boolean) =>
      provider.packages.flatMap(({ applicationId, version, release }) => {
        const application = provider.applications.find((other) => other.applicationId === applicationId);
        const printed = `${version}-${release}`;
        if ((application?.apsId === OFFICE_365) !== own) return [];
        return own ? printed : `${application?.name ?? applicationId} ${printed}`;
      });
    const byNumber = (left: { id: number }, right: { id: number }) => left.id - right.id;
    return {
      provider: id,
      packages: packages(true).sort(),
      companions: packages(false).sort(),
      instances: provider.instances
        .map(({ instanceId, packageVersion, status, storedUser, refreshToken }) => ({
          id: instanceId,
          packageVersion,
          status,
          storedUser,
          consentOf: refreshToken?.tenant ?? null,
        }))
        .sort(byNumber),
      templates: provider.templates
        .map(({ templateId, name, active }) => ({ id: templateId, name, active }))
        .sort(byNumber),
      billingTemplates: provider.billingTemplates
        .map(({ serviceTemplateId, parameters }) => ({
          id: serviceTemplateId,
          parameters: parameters.map((parameter) => parameter.id).sort(),
        }))
        .sort(byNumber),
      stores: provider.stores.map(({ id: store, asksFor }) => ({ id: store, asksFor })),
      customizations: { ...provider.customizations },
      synchronisation: provider.synchronisation,
    };
  }
}

/** Canonical: two equal states print the same JSON. */
export interface ProviderSnapshot {
  provider: string;
  /** Versions of Office 365 in the package list. */
  packages: string[];
  /** Other applications in it, `<name> <version>`. */
  companions: string[];
  instances: { id: number; packageVersion: string; status: string; storedUser: boolean; consentOf: string | null }[];
  templates: { id: number; name: string; active: boolean }[];
  billingTemplates: { id: number; parameters: string[] }[];
  stores: { id: string; asksFor: string[] }[];
  customizations: Record<string, string>;
  synchronisation: 'on' | 'off';
}

/** Tasks whose time has come, in the order in which they end. */
function dueTasks(provider: Provider, now: number): Task[] {
  return provider.tasks
    .filter((task) => isOpen(task) && task.dueAt !== undefined && task.dueAt <= now)
    .sort((left, right) => (left.dueAt ?? 0) - (right.dueAt ?? 0));
}

function hostSite(provider: Provider, gateway: Provider['gateways'][number], versions: SimulatedVersions): HostSite {
  return {
    site: gateway.site,
    installedAs: gateway.installedAs,
    hostname: gateway.hostname,
    ip: gateway.ip,
    bindings: [
      gateway.binding === 'any'
        ? { address: '*', port: 443, hostHeader: gateway.hostname }
        : { address: gateway.ip, port: 443, hostHeader: '' },
    ],
    applications: [
      {
        provider: provider.id,
        application: gateway.application,
        packageVersion: gateway.packageVersion,
        assemblyVersion: versions.of(gateway.packageVersion).assemblyVersion,
        database: {
          dataSource: gateway.localDb ? '(LocalDB)\\MSSQLLocalDB' : 'SQL01\\OFFICE365',
          name: `${provider.id}_${gateway.application}`,
          login: gateway.login,
          sysadmin: gateway.sysadmin,
          connectionString: gateway.connectionString,
        },
      },
    ],
  };
}

function assertDistinctSites(providers: Provider[]): void {
  const taken = new Map<string, string>();
  for (const provider of providers) {
    for (const gateway of provider.gateways) {
      for (const mark of [`site '${gateway.site}'`, `address ${gateway.ip}`]) {
        const key = `${gateway.host}: ${mark}`;
        const owner = taken.get(key);
        if (owner !== undefined) {
          throw new Impossible(
            `${mark} on host '${gateway.host}' belongs to '${owner}', '${provider.id}' cannot have it`,
          );
        }
        taken.set(key, provider.id);
      }
    }
  }
}
