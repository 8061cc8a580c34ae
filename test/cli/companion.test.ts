import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Companion } from '../../src/cli/demo/companion';
import { freePorts, requireFree } from '../../src/cli/demo/ports';
import { patience } from '../kit/deadlines';

describe('a process of the demo', () => {
  let folder: string;
  const said: string[] = [];
  let heard: (line: string) => void = () => undefined;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'onward-companion-'));
    said.length = 0;
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function start(script: string, readyMs = patience(20_000)): Promise<Companion> {
    const module = path.join(folder, 'companion.cjs');
    await writeFile(module, script);
    return Companion.start({
      name: 'worker',
      module,
      args: [],
      env: process.env,
      logFile: path.join(folder, 'worker.log'),
      print: (line) => {
        said.push(line);
        heard(line);
      },
      timings: { readyMs, stopMs: patience(500), pauseMs: 10 },
    });
  }
  const sayingOf = (text: string): Promise<void> =>
    new Promise((resolve) => {
      heard = (line) => line.includes(text) && resolve();
    });
  const READY = `process.send('onward:ready'); setInterval(() => {}, 1000);`;

  test('that dies is started again, and people hear of both', async () => {
    const companion = await start(READY);
    const first = companion.pid;
    const back = sayingOf('is back');
    process.kill(first ?? 0, 'SIGKILL');
    await back;
    expect(companion.pid).not.toBe(first);
    expect(said[0]).toContain('The worker ended (SIGKILL); starting it again.');
    await companion.stop();
  });

  test('that does not start is explained by its last words, which are also in its log', async () => {
    const failing = start(`console.error('Port 8440 is taken.'); process.exit(1)`);
    await expect(failing).rejects.toThrow('Port 8440 is taken.');
    expect(await readFile(path.join(folder, 'worker.log'), 'utf8')).toContain('Port 8440 is taken.');
    expect(said).toEqual([]);
  });

  test('that stays silent at its start is given up', async () => {
    await expect(start('setInterval(() => {}, 1000)', 300)).rejects.toThrow('It said nothing for 0.3 s.');
  });

  test('ends in order when it is stopped, and is not started again', async () => {
    const companion = await start(
      `process.on('SIGTERM', () => { console.log('in order'); process.exit(0) }); ${READY}`,
    );
    await companion.stop();
    expect(said).toEqual([]);
  });

  test('is killed when it does not end by itself', async () => {
    const companion = await start(`process.on('SIGTERM', () => {}); ${READY}`);
    const { pid = 0 } = companion;
    await companion.stop();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});

describe('ports of the demo', () => {
  test('that are taken are all named at once', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as net.AddressInfo;
    const free = await freePorts();
    await expect(requireFree({ ...free, aps: port, ui: port })).rejects.toMatchObject({
      kind: 'failure',
      problems: [`${port}, for the Temporal UI`, `${port}, for the simulated APS controller`],
    });
    await expect(requireFree(free)).resolves.toBeUndefined();
    taken.close();
  });

  test('that are chosen differ from each other', async () => {
    const ports = Object.values(await freePorts());
    expect(new Set(ports).size).toBe(ports.length);
  });
});
