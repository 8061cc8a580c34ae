/** What a worker has to know before it connects. Whatever is wrong with it is told at once, each problem in one line. */
import { inventoryDirectory, inventoryFiles } from '../../inventory/inventory';
import { findExecutable } from '../../systems/endpoint/executable';
import { powershellExecutable } from '../../systems/endpoint/powershell-of-machine';
import { InvalidEndpointSettings } from '../../systems/endpoint/settings';
import { readEncryption } from '../../temporal/codec-keys';
import { encryptionOf, type TemporalSettings } from '../../temporal/connection';
import { endpointOfMachine, type EndpointOfHost } from '../../worker/endpoint';
import type { TelemetrySettings } from '../../worker/telemetry';
import { asCliError, CliError } from '../kit/cli-error';
import type { CliContext, GlobalOptions } from '../kit/context';
import { readInventory } from '../kit/inventory';
import { reached, settingsFor } from '../kit/temporal/connect';
import { telemetryOf } from './telemetry-settings';

export interface WorkerOptions extends GlobalOptions, Partial<Omit<TelemetrySettings, 'traces'>> {
  host?: string;
  inventory?: string;
  sandbox?: string;
}

export interface WorkerSettings {
  settings: TemporalSettings;
  telemetry: TelemetrySettings;
  /** Of the control plane's worker. */
  inventory: string;
  /** Of the worker of a host that is no simulated one. */
  endpoint: EndpointOfHost | undefined;
}

/** @throws CliError with everything that is wrong. */
export async function workerSettings(context: CliContext, options: WorkerOptions): Promise<WorkerSettings> {
  const { env } = context;
  const { host, sandbox, inventory = inventoryDirectory(env) } = options;
  const onMachine = host !== undefined && sandbox === undefined;
  const reads = [
    (async () => settingsFor(options))(),
    (async () => telemetryOf(env, context.stderr.isTTY === true, options))(),
    (async () => (onMachine ? endpointOfMachine(env) : undefined))(),
    reached(readEncryption(encryptionOf(env))),
    // Entries may come later; a folder that is not there, or not readable, is a mistake of whoever starts this.
    (async () => (host === undefined ? readInventory(inventoryFiles(inventory)) : []))(),
    (async () => (onMachine ? requirePowerShell(env) : undefined))(),
  ] as const;
  await tellAtOnce(reads);
  const [settings, telemetry, endpoint] = await Promise.all(reads);
  return { settings, telemetry, inventory, endpoint };
}

async function tellAtOnce(reads: readonly Promise<unknown>[]): Promise<void> {
  const errors = (await Promise.allSettled(reads)).flatMap((read) =>
    read.status === 'rejected' ? [read.reason as unknown] : [],
  );
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) {
    throw new CliError('usage', 'The settings of this worker cannot be used:', {
      problems: errors.flatMap(problemsOf),
    });
  }
}

function problemsOf(error: unknown): string[] {
  if (error instanceof InvalidEndpointSettings) return error.problems.map((problem) => `${error.file}: ${problem}`);
  const { message, problems } = asCliError(error);
  return problems.length > 0 ? problems : [message];
}

function requirePowerShell(env: NodeJS.ProcessEnv): void {
  const executable = powershellExecutable(env);
  if (findExecutable(executable, env) !== undefined) return;
  throw new CliError(
    'usage',
    `There is no ${executable} on this machine: install PowerShell, or name its executable in ONWARD_PWSH`,
  );
}
