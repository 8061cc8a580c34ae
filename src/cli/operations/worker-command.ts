import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { ONWARD } from '../../contract/onward';
import { plainName } from '../../contract/provider';
import { globalsOf, inventoryOption, problemsOf } from '../kit/arguments';
import type { CliContext, GlobalOptions } from '../kit/context';
import type { LogFormat } from '../../worker/telemetry';

interface WorkerOptions extends GlobalOptions {
  host?: string;
  inventory?: string;
  sandbox?: string;
  versioned?: boolean;
  metrics?: string;
  log?: LogFormat;
}

export function addWorker(program: Command, context: CliContext): void {
  program
    .command('worker')
    .description('run a worker until Ctrl-C: of the control plane, or with --host that of one endpoint host')
    .option(
      '--host <name>',
      'run on this endpoint host: serves the task queue endpoint/<name> and nothing else',
      hostName,
    )
    .option(...inventoryOption)
    .addOption(
      new Option('--sandbox [url]', `work in the simulated world of ${ONWARD} sandbox, whose control API is there`)
        .preset('http://127.0.0.1:7080/')
        .argParser(sandboxUrl),
    )
    .addOption(
      new Option(
        '--versioned',
        'pin every upgrade to the build of the workflows that it begins with (docs/changing-a-workflow.md)',
      ).conflicts('host'),
    )
    .addOption(
      new Option(
        '--metrics <address>',
        'serve metrics for Prometheus there, such as 127.0.0.1:9464 (docs/monitoring.md; default: ONWARD_METRICS)',
      ).argParser(listeningAddress),
    )
    .addOption(
      new Option(
        '--log <format>',
        'log one JSON object a line, or text (default: ONWARD_LOG, else text on a terminal, json elsewhere)',
      ).choices(['json', 'text']),
    )
    .addHelpText(
      'after',
      `
The worker of an endpoint host runs PowerShell: powershell.exe on Windows, else pwsh on the PATH, or ONWARD_PWSH.
The worker of the control plane reads the inventory when an upgrade starts, and resolves env: and file: secrets.
With --sandbox the first works on the simulated host of that name, and the second knows the adapter sandbox of
taskMonitor and connectionTest.`,
    )
    .action(async (_options: WorkerOptions, command: Command) => {
      const options: WorkerOptions = { ...globalsOf(command), ...command.opts<WorkerOptions>() };
      // The SDK's native core, which no other command needs; its own source maps would take a tenth of the start.
      await import('@temporalio/worker');
      // What fails in our code is told by its lines, not by those of the build.
      process.setSourceMapsEnabled(true);
      const { runWorker } = await import('./run-worker.js');
      await runWorker(context, options);
    });
}

function hostName(text: string): string {
  const parsed = plainName.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError(`A host's name: ${problemsOf(parsed.error, text).join('; ')}.`);
  return parsed.data;
}

function sandboxUrl(text: string): string {
  if (!z.url({ protocol: /^https?$/ }).safeParse(text).success) {
    throw new InvalidArgumentError('Give the URL of the control API, such as http://127.0.0.1:7080/.');
  }
  return text;
}

export const LISTENING_ADDRESS = 'Give the address of this machine to listen on, and a port, such as 127.0.0.1:9464.';

function listeningAddress(text: string): string {
  if (!isListeningAddress(text)) throw new InvalidArgumentError(LISTENING_ADDRESS);
  return text;
}

export function isListeningAddress(text: string): boolean {
  const [, host = '', port = ''] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  const isAddress = isIPv4(host) || (/^\[.*\]$/.test(host) && isIPv6(host.slice(1, -1)));
  return isAddress && Number(port) >= 1 && Number(port) <= 65535;
}
