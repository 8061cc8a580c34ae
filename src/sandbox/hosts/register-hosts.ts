/** The routes `/_sim/hosts/...` and what the world asks of the hosts. */
import { EventEmitter } from 'node:events';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { plainName } from '../../contract/provider';
import type { Parameters, ScriptName } from '../../systems/endpoint/scripts';
import type { EndpointSettings } from '../../systems/endpoint/settings';
import type { HostsWorld, RegisterHosts, SimulatedHosts } from '../hosts-port';
import { parseList } from './access';
import { deployedVersions, folderDigest, hostDirectory } from './disk';
import {
  CommandFailed,
  DEAD_AFTER,
  DEAD_BEFORE,
  FIELD_FAULTS,
  POWERSHELL_FAULTS,
  PowerShellDied,
  ScriptFailed,
  UnknownFault,
} from './failures';
import { confirmIdentity, TWINS, type Run } from './script-twins';
import { SimulatedHost } from './simulated-host';
import { WINDOWS_COMMANDS } from './windows-commands';

/** What a script or a Windows command came to. `died`: PowerShell ends itself now, without another word. */
type Outcome = { ok: true; value: unknown } | { ok: false; kind: string; message: string } | { died: true };

export const registerHosts: RegisterHosts = async (app, world) => {
  const hosts = new Map<string, SimulatedHost>();
  const closing = new AbortController();
  const restarts: SimulatedHosts['restarts'] = new EventEmitter();

  const refresh = async () => {
    for (const { name } of world.hosts()) {
      const host = hosts.get(name) ?? new SimulatedHost(world, name, restarts);
      hosts.set(name, host);
      host.layOut();
    }
  };
  const find = (name: string): SimulatedHost => {
    const host = hosts.get(name);
    if (host === undefined) throw new NoSuchHost(name);
    return host;
  };

  await app.register(async (routes: FastifyInstance) => {
    routes.setErrorHandler(async (error, _request, reply) => {
      if (error instanceof NoSuchHost) return reply.code(404).send({ error: error.message });
      if (error instanceof z.ZodError) return reply.code(400).send({ error: z.prettifyError(error) });
      if (error instanceof UnknownFault) return reply.code(400).send({ error: error.message });
      if (error instanceof CommandFailed) return reply.code(409).send({ error: error.message });
      throw error;
    });

    routes.get('/_sim/hosts', async () =>
      [...hosts.values()].map((host) => ({
        name: host.name,
        identity: host.spec.identity,
        workDirectory: host.workDirectory,
        state: host.isDown ? 'down' : 'up',
        bootTime: host.bootTime,
        ...host.installed(),
        sites: host.sites().map(({ name, state, site }) => ({
          name,
          state,
          applications: host.applications(site).map(({ name: application, physicalPath }) => ({
            name: application,
            physicalPath,
            versions: deployedVersions(physicalPath),
            served: host.served(site, application) ?? [],
          })),
        })),
      })),
    );

    routes.post('/_sim/hosts/:host/rename-site', async (request) => {
      const { from, to } = z.strictObject({ from: z.string().min(1), to: z.string().min(1) }).parse(request.body);
      find(named(request.params).host).renameSite(from, to);
      return { renamed: to };
    });

    // For a worker that is started with --sandbox.
    routes.get('/_sim/hosts/:host/endpoint', async (request) => endpointSettings(named(request.params).host));

    routes.post('/_sim/hosts/:host/clone', async (request) => {
      const { name } = z.strictObject({ name: plainName }).parse(request.body);
      clone(named(request.params).host, name);
      return { cloned: name };
    });

    // Somebody makes a folder, or changes who may reach something; `path` is below the disk of the host. Tells the access to it.
    routes.post('/_sim/hosts/:host/access', async (request) => {
      const { path: below, owner, list } = accessRequest.parse(request.body);
      const host = find(named(request.params).host);
      const at = path.join(host.directory, 'disk', below);
      if (!existsSync(at)) mkdirSync(at, { recursive: true });
      host.setAccess(at, { ...(owner && { owner }), ...(list && parseList(list)) });
      return { access: host.accessTo(at) };
    });

    // Some process opens a file, or begins to write to it; `path` is below the disk of the host.
    routes.post('/_sim/hosts/:host/open-file', async (request) => {
      const { path: below, ...how } = openFileRequest.parse(request.body);
      const host = find(named(request.params).host);
      const file = path.join(host.directory, 'disk', below);
      if (!existsSync(file)) throw new CommandFailed(`There is no file ${file}.`);
      host.openFiles.open({ file, ...how });
      return { open: file };
    });

    routes.post('/_sim/hosts/:host/close-files', async (request) => {
      find(named(request.params).host).openFiles.close();
      return { open: [] };
    });

    routes.post('/_sim/hosts/:host/restart', async (request) => {
      const { host } = named(request.params);
      find(host).restart();
      return { restarts: host };
    });

    // The PowerShell that a worker has started introduces itself, and learns how it is to misbehave.
    routes.post('/_sim/hosts/:host/scripts/:script/begin', async (request) => {
      const { host: hostName, script = '' } = named(request.params);
      const host = find(hostName);
      const rule = host.isDown ? undefined : host.take(script);
      host.call(script, undefined, host.isDown ? 'down' : rule?.kind);
      return {
        computerName: host.spec.identity.computerName,
        programData: host.programData,
        act: host.isDown ? 'diesBySignal' : rule === undefined ? 'nothing' : misbehaviour(rule.kind, script),
        delayMs: rule?.delayMs ?? 0,
      };
    });

    // For the stand-in: the whole script.
    routes.post('/_sim/hosts/:host/scripts/:script', async (request, reply) => {
      const { host: hostName, script = '' } = named(request.params);
      const host = find(hostName);
      if (!isScript(script)) return reply.code(404).send({ error: `There is no script ${script}` });
      return onItsFeet(host, reply, (gone) => {
        // The parameters are what Onward's own types say: the stand-in hands on what it was given.
        const run = TWINS[script] as (run: Run, parameters: unknown) => unknown;
        confirmIdentity(host, script, request.body as Partial<Parameters['inspect']>);
        return run({ host, gone, releaseTwins: world.releaseTwins ?? {} }, request.body);
      });
    });

    // For the module: one Windows command of the script that PowerShell runs.
    routes.post('/_sim/hosts/:host/windows/:command', async (request, reply) => {
      const { host: hostName, command = '' } = named(request.params);
      const act = WINDOWS_COMMANDS[command];
      if (act === undefined) return reply.code(404).send({ error: `There is no Windows command ${command}` });
      const host = find(hostName);
      return onItsFeet(host, reply, (gone) => act(host, request.body, gone));
    });
  });

  /** What is done on a host while it is up: PowerShell dies with it. */
  function onItsFeet(host: SimulatedHost, reply: FastifyReply, act: (gone: AbortSignal) => unknown): Promise<Outcome> {
    const { untilDown } = host;
    return outcomeOf(async () => {
      if (untilDown.aborted) throw new PowerShellDied();
      const value = await act(AbortSignal.any([goneOf(reply), untilDown]));
      if (untilDown.aborted) throw new PowerShellDied();
      return value;
    });
  }

  /** Aborts when the other side is gone or the sandbox ends: nobody waits any longer. */
  function goneOf(reply: FastifyReply): AbortSignal {
    const gone = new AbortController();
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) gone.abort();
    });
    return AbortSignal.any([gone.signal, closing.signal]);
  }

  const endpointSettings = (name: string): EndpointSettings => ({
    workDirectory: find(name).workDirectory,
    packages: world.packages(),
  });

  const clone = (original: string, name: string): void => {
    const host = find(original);
    if (hosts.has(name)) throw new CommandFailed(`There is a host ${name} already.`);
    cpSync(host.directory, hostDirectory(world.hostsDirectory, name), { recursive: true });
    const copy = new SimulatedHost(world, name, restarts, original);
    copy.copyAccess(host);
    hosts.set(name, copy);
  };

  // The hosts stop first: what ends with the sandbox was not ended on the host.
  const close = () => {
    for (const host of hosts.values()) host.close();
    closing.abort();
  };

  const locate = (hostName: string, siteName: string, application: string) => {
    const host = find(hostName);
    const site = host.spec.sites.find((one) => one.site === siteName || one.installedAs === siteName);
    if (site === undefined) throw new CommandFailed(`The host ${hostName} has no site '${siteName}'`);
    return { host, site, ...host.findApplication(site, application) };
  };

  app.addHook('preClose', async () => close());
  await refresh();

  return {
    async servedVersion(hostName, siteName, application) {
      const { host, site } = locate(hostName, siteName, application);
      const versions = host.served(site, application);
      if (versions === undefined)
        throw new CommandFailed(`${site.hostname} does not answer: its services are stopped, or the host is down`);
      return versionOf(world, versions);
    },
    async applicationState(hostName, siteName, application) {
      const { host, site, physicalPath } = locate(hostName, siteName, application);
      return existsSync(physicalPath)
        ? {
            versions: deployedVersions(physicalPath),
            files: folderDigest(physicalPath),
            served: host.served(site, application) ?? [],
          }
        : { missing: true };
    },
    endpointSettings,
    clone,
    clonesOf: (original) => [...hosts.values()].filter(({ cloneOf }) => cloneOf === original).map(({ name }) => name),
    refresh,
    restarts,
    async close() {
      close();
    },
  };
};

const accessRequest = z.strictObject({
  path: z.string().min(1),
  owner: z.string().optional(),
  list: z.string().startsWith('D:').optional(),
});

const openFileRequest = z.strictObject({
  path: z.string().min(1),
  sharing: z.enum(['readWrite', 'none']),
  growsEveryMs: z.int().positive().optional(),
  afterStopMs: z.int().nonnegative().optional(),
});

class NoSuchHost extends Error {
  constructor(name: string) {
    super(`The sandbox has no endpoint host ${name}`);
  }
}

const named = (params: unknown) => params as { host: string; script?: string; command?: string };
const isScript = (name: string): name is ScriptName => Object.hasOwn(TWINS, name);

/** `18.3.0.9` -> `18.3`; several of them are `mixed`. */
function versionOf({ versions: known }: HostsWorld, assemblyVersions: string[]): string {
  const versions = assemblyVersions.map(
    (version) => known.find(({ assemblyVersion }) => sameVersion(assemblyVersion, version))?.version ?? version,
  );
  const [only, ...others] = new Set(versions);
  return only !== undefined && others.length === 0 ? only : 'mixed';
}

const sameVersion = (one: string, other: string) =>
  one.split('.').slice(0, 3).join('.') === other.split('.').slice(0, 3).join('.');

/** How PowerShell acts a fault out; the faults of the wire have their counterparts. */
function misbehaviour(kind: string, script: string): string {
  if (DEAD_BEFORE.has(kind)) return 'diesBySignal';
  if (DEAD_AFTER.has(kind)) return 'effectThenNoAnswer';
  if (!['fault', 'slow', ...POWERSHELL_FAULTS, ...(FIELD_FAULTS[script] ?? [])].includes(kind))
    throw new UnknownFault(kind, script);
  return kind;
}

async function outcomeOf(act: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { ok: true, value: (await act()) ?? null };
  } catch (error) {
    if (error instanceof PowerShellDied) return { died: true };
    if (error instanceof ScriptFailed) return { ok: false, kind: error.kind, message: error.message };
    if (error instanceof CommandFailed) return { ok: false, kind: 'Rejected', message: error.message };
    throw error;
  }
}
