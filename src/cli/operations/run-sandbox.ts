import { once } from 'node:events';
import { ONWARD } from '../../contract/onward';
import { SIMULATED_RELEASES } from '../../../workflows/releases';
import { startSandbox, type Sandbox } from '../../sandbox/server';
import { defaultProviders } from '../../sandbox/world/defaults';
import { fleetOfProviders } from '../../sandbox/world/fleet';
import type { ProviderOptions } from '../../sandbox/world/spec';
import { QUICK, WATCHABLE } from '../../sandbox/world/timings';
import { UnknownObject } from '../../sandbox/world/world';
import { CliError } from '../kit/cli-error';
import { printResult, type CliContext } from '../kit/context';
import { announceReady } from '../kit/ready';
import { settingsFor } from '../kit/temporal/connect';
import type { SandboxCommandOptions, Sources } from './sandbox-options';
import type { SandboxWorkers } from './sandbox-workers';

/** Runs a sandbox until Ctrl-C. */
export async function runSandbox(context: CliContext, options: SandboxCommandOptions): Promise<void> {
  const ended = new AbortController();
  context.interrupted().addEventListener('abort', () => ended.abort());
  const sandbox = await start(options);
  let workers: SandboxWorkers | undefined;
  try {
    if (options.workers) {
      // Loads the SDK's native core, which a sandbox has no other use for.
      const { startSandboxWorkers } = await import('./sandbox-workers.js');
      workers = await startSandboxWorkers(sandbox, settingsFor(options), context.env);
    }
    const files = options.inventory === undefined ? [] : sandbox.writeInventory(options.inventory);
    const providers = sandbox.world.providers().map(({ id, name, sourceVersion }) => ({ id, name, sourceVersion }));
    printResult(context, options, { ports: sandbox.ports, providers, inventory: files, data: sandbox.dataDirectory }, [
      ...providers.map(({ id, name, sourceVersion }) => `${id} (${name}), Office 365 ${sourceVersion}`),
      ...Object.entries(sandbox.ports).map(([system, port]) => `${system}: ${options.host}:${port}`),
      ...files.map((file) => `inventory: ${file}`),
      ...(workers === undefined ? [] : [`workers of ${workers.hosts.join(', ')}`]),
    ]);
    announceReady(() => ended.abort());
    if (!ended.signal.aborted) await once(ended.signal, 'abort');
  } finally {
    await workers?.close();
    await sandbox.close();
  }
}

async function start(options: SandboxCommandOptions): Promise<Sandbox> {
  try {
    return await startSandbox({
      releases: SIMULATED_RELEASES,
      ...(options.data === undefined ? {} : { dataDirectory: options.data }),
      providers:
        options.fleet === undefined
          ? providersWith(options.source)
          : fleetOfProviders(options.fleet, SIMULATED_RELEASES[0]),
      ...(options.root === undefined ? {} : { root: options.root }),
      ports: {
        operations: options.operationsPort,
        aps: options.apsPort,
        billing: options.billingPort,
        microsoft: options.microsoftPort,
        control: options.controlPort,
      },
      host: options.host,
      ...(options.publicHost === undefined ? {} : { publicHost: options.publicHost }),
      timings: options.pace === 'quick' ? QUICK : WATCHABLE,
    });
  } catch (error) {
    if (error instanceof UnknownObject) throw new CliError('usage', `The sandbox cannot start: ${error.message}.`);
    const { code, port } = error as NodeJS.ErrnoException & { port?: number };
    if (code !== 'EADDRINUSE') throw error;
    throw new CliError('failure', `Port ${port} on ${options.host} is taken by another program.`, {
      hint: `End that program, or give the sandbox another port (${ONWARD} sandbox --help lists the options).`,
      cause: error,
    });
  }
}

function providersWith(sources: Sources): ProviderOptions[] {
  const usual = defaultProviders(SIMULATED_RELEASES);
  const unknown = Object.keys(sources).filter((id) => !usual.some((provider) => provider.id === id));
  if (unknown.length > 0) {
    throw new CliError('usage', `The sandbox has no provider ${unknown.join(', ')}.`, {
      hint: `It has ${usual.map(({ id }) => id).join(', ')}.`,
    });
  }
  return usual.map((provider) => {
    const sourceVersion = sources[provider.id];
    return sourceVersion === undefined ? provider : { ...provider, sourceVersion };
  });
}
