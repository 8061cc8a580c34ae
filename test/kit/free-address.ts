import { once } from 'node:events';
import net from 'node:net';

/** Where a program of a test may listen: `127.0.0.1` and a port that was free a moment ago. */
export async function freeAddress(): Promise<string> {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as net.AddressInfo;
  probe.close();
  await once(probe, 'close');
  return `127.0.0.1:${port}`;
}
