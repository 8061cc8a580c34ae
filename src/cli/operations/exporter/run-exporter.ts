import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { inventoryDirectory, InvalidInventory, inventoryFiles, usableEntries } from '../../../inventory/inventory';
import { redact } from '../../../inventory/secrets';
import { asCliError, CliError } from '../../kit/cli-error';
import { printResult, type CliContext, type GlobalOptions } from '../../kit/context';
import { readInventory } from '../../kit/inventory';
import { connect, settingsFor } from '../../kit/temporal/connect';
import { onwardVersion } from '../../kit/version';
import { ExportedMetrics } from './metrics';
import { Watcher } from './watcher';

export interface ExporterOptions extends GlobalOptions {
  host: string;
  port: number;
  /** Milliseconds between two looks. */
  interval: number;
  inventory?: string;
}

/** Of what could not be read in a look. */
const NAMED = 5;

/** Looks again and again, and serves what the last look saw, until Ctrl-C. */
export async function runExporter(context: CliContext, options: ExporterOptions): Promise<void> {
  const { host, port, interval, inventory = inventoryDirectory(context.env) } = options;
  const settings = settingsFor(options);
  // A folder that is not there is a mistake of whoever starts this; an entry that is broken must not hide the others.
  await readInventory(inventoryFiles(inventory));
  const client = await connect(settings);
  const interrupted = context.interrupted();
  const metrics = new ExportedMetrics(onwardVersion());
  const server = serving(metrics);
  try {
    await listen(server, host, port);
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}/metrics`;
    const { namespace } = settings;
    printResult(context, options, { url, namespace }, [`Metrics of the namespace ${namespace} are at ${url}`]);
    const watcher = new Watcher(client, namespace, () => context.now());
    for (let hosts: string[] = []; !interrupted.aborted;) {
      hosts = await hostsNow(inventory, hosts, metrics, context);
      await look(watcher, hosts, metrics, context);
      await delay(interval, undefined, { signal: interrupted }).catch(() => undefined);
    }
  } finally {
    server.close();
    server.closeAllConnections();
    await client.connection.close();
  }
}

/** A look that fails is told in one line, and is one of the metrics; the next one may succeed. */
async function look(
  watcher: Watcher,
  hosts: readonly string[],
  metrics: ExportedMetrics,
  context: CliContext,
): Promise<void> {
  const began = context.now();
  try {
    const seen = await watcher.look(hosts);
    const at = context.now();
    metrics.show(seen, at, (at.getTime() - began.getTime()) / 1000);
    const { problems } = seen;
    const more = problems.length > NAMED ? ` And ${problems.length - NAMED} more.` : '';
    if (problems.length > 0) warn(context, `${problems.slice(0, NAMED).join(' ')}${more}`);
  } catch (error) {
    metrics.failed();
    warn(context, asCliError(error).message);
  }
}

function warn(context: CliContext, message: string): void {
  const line = { time: context.now().toISOString(), level: 'WARN', message: redact(message) };
  context.stderr.write(`${JSON.stringify(line)}\n`);
}

/** What is known of entries that are broken now is kept. */
async function hostsNow(
  inventory: string,
  before: readonly string[],
  metrics: ExportedMetrics,
  context: CliContext,
): Promise<string[]> {
  const { profiles, problems } = await usableEntries(inventory).catch((error: unknown) => {
    if (!(error instanceof InvalidInventory)) throw error;
    return { profiles: [], problems: error.problems };
  });
  metrics.inventory(problems.length);
  if (problems.length > 0) warn(context, new InvalidInventory(problems).message);
  const usable = profiles.flatMap(({ endpointHosts }) => endpointHosts.map(({ name }) => name));
  return [...new Set([...usable, ...(problems.length > 0 ? before : [])])].sort();
}

function serving({ registry }: ExportedMetrics): http.Server {
  return http.createServer((request, response) => {
    if (request.method !== 'GET' || request.url?.split('?', 1)[0] !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('Metrics are at /metrics\n');
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      (error: unknown) => response.writeHead(500, { 'content-type': 'text/plain' }).end(`${String(error)}\n`),
    );
  });
}

async function listen(server: http.Server, host: string, port: number): Promise<void> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CliError('failure', `The exporter cannot listen on ${host}:${port} (${code}).`, {
      hint: 'End the program that has that port, or give another --port or --host.',
      cause: error,
    });
  }
}
