/**
 * A server behind mTLS and behind a proxy: clients and workers reach it by the same settings.
 *
 * @needs temporal
 */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { generate } from 'selfsigned';
import { connectClient, temporalSettings } from '../../src/temporal/connection';
import { connectWorker } from '../../src/temporal/worker-connection';
import '../kit/quiet-runtime';
import { temporalServer, type TemporalServer } from '../kit/temporal-server';

const before = { ...process.env };
let folder: string;
let server: TemporalServer;
let door: tls.Server;
let proxy: http.Server;
let tunnels: (string | undefined)[];
const sockets = new Set<net.Socket>();

const file = (name: string): string => path.join(folder, name);
const portOf = (listening: net.Server): number => (listening.address() as net.AddressInfo).port;

/** Both ends as one. */
function join(one: net.Socket, other: net.Socket): void {
  for (const socket of [one, other]) {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
  }
  one.pipe(other).pipe(one);
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'onward-mtls-'));
  server = await temporalServer();
  const common = {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + 86_400_000),
  } as const;
  const authority = await generate([{ name: 'commonName', value: 'authority' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
  const signed = (name: string) =>
    generate([{ name: 'commonName', value: name }], {
      ...common,
      ca: { key: authority.private, cert: authority.cert },
      extensions: [
        { name: 'basicConstraints', cA: false },
        { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
        {
          name: 'subjectAltName',
          altNames: [
            { type: 7, ip: '127.0.0.1' },
            { type: 2, value: 'localhost' },
          ],
        },
      ],
    });
  const [own, client] = await Promise.all([signed('server'), signed('client')]);
  await writeFile(file('ca.pem'), authority.cert);
  await writeFile(file('client.pem'), client.cert);
  await writeFile(file('client.key'), client.private);

  const [host = '', port] = server.settings.connectionOptions.address?.split(':') ?? [];
  const wants = { key: own.private, cert: own.cert, ca: authority.cert, requestCert: true, ALPNProtocols: ['h2'] };
  door = tls.createServer(wants, (socket) => join(socket, net.connect(Number(port), host)));
  proxy = http.createServer().on('connect', (request, socket: net.Socket) => {
    tunnels.push(request.headers['proxy-authorization']);
    const [to = '', at] = request.url?.split(':') ?? [];
    const through = net.connect(Number(at), to, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      join(socket, through);
    });
  });
  for (const each of [door, proxy]) {
    each.listen(0, '127.0.0.1');
    await once(each, 'listening');
  }
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  door.close();
  proxy.close();
  await server.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  tunnels = [];
  for (const name of Object.keys(process.env)) if (name.startsWith('TEMPORAL_')) delete process.env[name];
  Object.assign(process.env, {
    TEMPORAL_CONFIG_FILE: file('temporal.toml'),
    TEMPORAL_ADDRESS: `127.0.0.1:${portOf(door)}`,
    TEMPORAL_NAMESPACE: server.settings.namespace,
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: file('ca.pem'),
    TEMPORAL_TLS_CLIENT_CERT_PATH: file('client.pem'),
    TEMPORAL_TLS_CLIENT_KEY_PATH: file('client.key'),
  });
});
afterEach(() => {
  process.env = { ...before };
});

async function reachAsBoth(): Promise<void> {
  const settings = temporalSettings();
  const client = await connectClient(settings);
  await client.connection.close();
  const connection = await connectWorker(settings);
  await connection.close();
}

test('clients and workers reach it with their certificate, and are refused without', async () => {
  await reachAsBoth();
  delete process.env['TEMPORAL_TLS_CLIENT_CERT_PATH'];
  delete process.env['TEMPORAL_TLS_CLIENT_KEY_PATH'];
  await expect(connectClient(temporalSettings())).rejects.toThrow('does not answer');
  await expect(connectWorker(temporalSettings())).rejects.toThrow('does not answer');
});

test('clients and workers go through the proxy that the environment names, with its password', async () => {
  process.env['grpc_proxy'] = `http://onward:secret@127.0.0.1:${portOf(proxy)}`;
  await reachAsBoth();
  const credentials = `Basic ${Buffer.from('onward:secret').toString('base64')}`;
  expect(tunnels.length).toBeGreaterThanOrEqual(2);
  expect(new Set(tunnels)).toEqual(new Set([credentials]));

  tunnels = [];
  process.env['no_grpc_proxy'] = '127.0.0.1';
  await reachAsBoth();
  expect(tunnels).toEqual([]);
});
