import { once } from 'node:events';
import net from 'node:net';
import { CliError } from '../cli-error';

/** One port per system, all on 127.0.0.1. The usual ones are those of the real systems where these have one. */
export const USUAL_PORTS = {
  temporal: 7233,
  ui: 8233,
  operations: 8440,
  aps: 6308,
  billing: 5224,
  microsoft: 7443,
  control: 7080,
};
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

/** @throws CliError that names every port that is taken. */
export async function requireFree(ports: Partial<Ports>): Promise<void> {
  const problems: string[] = [];
  for (const [name, port] of Object.entries(ports) as [PortName, number][]) {
    if (!(await isFree(port))) problems.push(`${port}, for the ${SYSTEMS[name]}`);
  }
  if (problems.length === 0) return;
  throw new CliError('failure', `These ports of ${HOST} are taken by other programs:`, {
    problems,
    hint: 'End these programs, or use --free-ports to let the demo choose (its first start in a world decides).',
  });
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
