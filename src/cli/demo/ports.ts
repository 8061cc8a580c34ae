import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { DEFAULT_PORTS } from '../../sandbox/urls';
import { CliError } from '../kit/cli-error';

/** One port per system, all on 127.0.0.1. The usual ones are those of the real systems where these have one. */
export const USUAL_PORTS = { temporal: 7233, ui: 8233, ...DEFAULT_PORTS };
export type PortName = keyof typeof USUAL_PORTS;
export type Ports = Record<PortName, number>;

const SYSTEMS: Record<PortName, string> = {
  temporal: 'Temporal server',
  ui: 'Temporal UI',
  operations: 'simulated Operations',
  aps: 'simulated APS controller',
  billing: 'simulated Billing',
  microsoft: 'simulated Microsoft',
  control: "sandbox's control API",
};
const HOST = '127.0.0.1';

const LOOK_AGAIN_MS = 200;

/**
 * Waits up to `patienceMs` until all ports are free.
 *
 * @throws CliError that names every port that is still taken.
 */
export async function requireFree(ports: Partial<Ports>, patienceMs = 0): Promise<void> {
  const deadline = Date.now() + patienceMs;
  let taken = await takenOf(ports);
  while (taken.length > 0 && Date.now() < deadline) {
    await delay(LOOK_AGAIN_MS);
    taken = await takenOf(ports);
  }
  if (taken.length === 0) return;
  throw new CliError('failure', `These ports of ${HOST} are taken by other programs:`, {
    problems: taken.map(([name, port]) => `${port}, for the ${SYSTEMS[name]}`),
    hint: 'End these programs, or take others: --free-ports, with --fresh where a demo has begun.',
  });
}

async function takenOf(ports: Partial<Ports>): Promise<[PortName, number][]> {
  const all = Object.entries(ports) as [PortName, number][];
  const free = await Promise.all(all.map(([, port]) => isFree(port)));
  return all.filter((_, index) => !free[index]);
}

async function isFree(port: number): Promise<boolean> {
  const server = net.createServer();
  try {
    server.listen({ port, host: HOST, exclusive: true });
    await once(server, 'listening');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  } finally {
    server.close();
  }
}

/** Ports that are free now; all are held until the last is found, so that they differ. */
export async function freePorts(): Promise<Ports> {
  const found: Ports = { ...USUAL_PORTS };
  const servers: net.Server[] = [];
  for (const name of Object.keys(USUAL_PORTS) as PortName[]) {
    const server = net.createServer().listen(0, HOST);
    servers.push(server);
    await once(server, 'listening');
    found[name] = (server.address() as net.AddressInfo).port;
  }
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return found;
}
