/** @needs temporal */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { findTemporalCli } from '../../src/temporal/cli-binary';
import { connectClient, localSettings, TemporalUnavailable } from '../../src/temporal/connection';
import { type DevServer, type DevServerOptions, startDevServer } from '../../src/temporal/dev-server';
import { sendSignal } from '../../src/temporal/send-signal';
import { providerAttribute } from '../../src/temporal/search-attributes';
import { PACKAGE_ROOT } from '../../src/package-root';
import { testInFull } from '../kit/extent';

/** One that has ended is there until its parent takes note, which for an orphan may be long after. */
function isRunning(pid: number): boolean {
  try {
    return sendSignal(0, pid) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    // Either it has just gone, or this system has no /proc.
    return sendSignal(0, pid);
  }
}

describe('dev server', () => {
  const servers: DevServer[] = [];
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'onward-dev-server-'));
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
    await rm(directory, { recursive: true });
  });

  async function start(options: DevServerOptions = {}): Promise<DevServer> {
    const server = await startDevServer(options);
    servers.push(server);
    return server;
  }

  test('answers on loopback only and takes our search attributes at the start of a workflow', async () => {
    const { address } = await start();
    expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
    const client = await connectClient(localSettings(address));
    const handle = await client.workflow.start('upgradeProvider', {
      workflowId: 'upgrade/contoso',
      taskQueue: 'onward',
      typedSearchAttributes: [{ key: providerAttribute, value: 'contoso' }],
    });
    expect((await handle.describe()).typedSearchAttributes.get(providerAttribute)).toBe('contoso');
    await client.connection.close();
  });

  test('keeps its state in a file named by the version of the CLI, through a power cut', async () => {
    const first = await start({ directory });
    const client = await connectClient(localSettings(first.address));
    await client.workflow.start('upgradeProvider', { workflowId: 'upgrade/contoso', taskQueue: 'onward' });
    await client.connection.close();
    await first.kill();

    const second = await start({ directory });
    const again = await connectClient(localSettings(second.address));
    expect((await again.workflow.getHandle('upgrade/contoso').describe()).status.name).toBe('RUNNING');
    await again.connection.close();
    expect(await readdir(directory)).toContainEqual(expect.stringMatching(/^temporal-\d+\.\d+\.\d+\.sqlite$/));
  });

  testInFull('serves its web interface where asked to', async () => {
    const { uiUrl } = await start({ uiPort: 0 });
    expect((await fetch(String(uiUrl))).status).toBe(200);
  });

  testInFull('is gone after close, and closing again does no harm', async () => {
    const server = await startDevServer();
    await server.close();
    await server.close();
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
    await expect(connectClient(localSettings(server.address))).rejects.toThrow(TemporalUnavailable);
  });

  test('says which port is taken and what to do', async () => {
    const other = net.createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as net.AddressInfo;
    await expect(start({ port })).rejects.toThrow(`Port ${port} on 127.0.0.1 is taken`);
    await expect(start({ uiPort: port })).rejects.toThrow('give another uiPort');
    other.close();
  });

  test('tells what a server said that ended at once', async () => {
    const cli = { path: process.execPath, version: '1.5.1', source: 'PATH' };
    await expect(start({ cli })).rejects.toThrow(/ended at once \(exit code 1\)[^]*Cannot find module/);
  });

  test('is started again where another program has taken its port meanwhile', async () => {
    const { path: real, ...cli } = await findTemporalCli();
    const fails = path.join(directory, 'fails-once');
    const script = `#!/bin/sh
if [ ! -e "$0.did" ]; then
  touch "$0.did"
  echo 'panic: runtime error: invalid memory address or nil pointer dereference' >&2
  echo 'go.temporal.io/server/service/frontend.NewHTTPAPIServer(0x1d03a9292a88, {0xa835, 0x0, 0x0})' >&2
  exit 2
fi
exec '${real}' "$@"
`;
    await writeFile(fails, script, { mode: 0o700 });
    const { address } = await start({ cli: { ...cli, path: fails } });
    await (await connectClient(localSettings(address))).connection.close();
    expect(await readdir(directory)).toContain('fails-once.did');
  });

  testInFull('does not let two servers use one state', async () => {
    await start({ directory });
    await expect(start({ directory })).rejects.toThrow(`in use by process ${process.pid}`);
  });

  describe('that a killed owner left behind', () => {
    let pid: number;
    beforeEach(async () => {
      const script = `require('${path.join(PACKAGE_ROOT, 'dist/src/temporal/dev-server.js')}').startDevServer({ directory: ${JSON.stringify(directory)} }).then((s) => console.log(s.pid))`;
      const owner = spawn(process.execPath, ['-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [line] = (await once(createInterface(owner.stdout), 'line')) as [string];
      pid = Number(line);
      owner.kill('SIGKILL');
      await once(owner, 'close');
    });

    test('is ended, and the next goes on with its state', async () => {
      expect(isRunning(pid)).toBe(true);
      await start({ directory });
      expect(isRunning(pid)).toBe(false);
    });

    testInFull('is ended also where it is too busy to answer at once', async () => {
      const record = path.join(directory, 'dev-server.json');
      const found = JSON.parse(await readFile(record, 'utf8')) as { address: string };
      const busy = await inFrontOf(found.address, { unanswered: 3 });
      await writeFile(record, JSON.stringify({ ...found, address: busy.address }));
      await start({ directory });
      expect(isRunning(pid)).toBe(false);
      expect(busy.unanswered()).toBe(0);
    });
  });
});

/** A port that closes the first connections that are made to it, and hands on the others. */
async function inFrontOf(
  target: string,
  { unanswered }: { unanswered: number },
): Promise<{ address: string; unanswered: () => number }> {
  const server = net.createServer((socket) => {
    socket.on('error', () => socket.destroy());
    if (unanswered > 0) {
      unanswered -= 1;
      socket.destroy();
      return;
    }
    const { hostname, port } = new URL(`tcp://${target}`);
    const onward = net.connect(Number(port), hostname);
    onward.on('error', () => socket.destroy());
    socket.pipe(onward).pipe(socket);
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  return { address: `127.0.0.1:${port}`, unanswered: () => unanswered };
}
