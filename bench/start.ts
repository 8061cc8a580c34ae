/** What every start of the program costs: the processor time of a short command, and how long a worker takes until it polls. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { CONTROL_TASK_QUEUE, endpointTaskQueue } from '../src/contract/provider';
import { PACKAGE_ROOT } from '../src/package-root';
import { median, type Bench, type Figure } from './figures';
import { hostOf, providerLikeTheDemo } from './upgrades';
import { BenchWorld } from './world/bench-world';
import { untilPolls } from './world/polling';

const PROGRAM = path.join(PACKAGE_ROOT, 'tools', 'onward.mjs');
const SAY_PROCESSOR_TIME = path.join(__dirname, 'world', 'say-processor-time.cjs');
const PROVIDER = 'starts';

/** Milliseconds that each of so many starts took. */
type Starts = (times: number) => Promise<number[]>;

export const start: Bench = {
  name: 'start',
  about: 'processor time of `onward --help`; time from the start of a worker until it polls',
  async run({ starts }, say) {
    const measured = async (what: string, how: string, most: number | undefined, take: Starts): Promise<Figure> => {
      const values = await take(starts);
      say(`${what}: ${values.map((value) => value.toFixed(0)).join(' ')}`);
      const spread = `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)}`;
      return {
        bench: 'start',
        what,
        value: median(values),
        unit: 'ms',
        how: `${how}, median of ${starts}; ${spread}`,
        ...(most === undefined ? {} : { target: { most } }),
      };
    };
    const processorTime = 'user and system time of the process';
    const figures = [
      await measured(
        'node alone',
        processorTime,
        undefined,
        inSequence(() => processorTimeOf(['-e', '0'])),
      ),
      await measured(
        'onward --help',
        processorTime,
        400,
        inSequence(() => processorTimeOf([PROGRAM, '--help'])),
      ),
    ];
    const world = await BenchWorld.open({ providers: [providerLikeTheDemo(PROVIDER, '18.3')] });
    try {
      const pollingAfter = (queue: string, host?: string): Starts => inSequence(() => untilItPolls(world, queue, host));
      const how = 'from the start of the process until the server has its poll';
      const host = hostOf(PROVIDER);
      return [
        ...figures,
        await measured('control-plane worker polls', how, 1_000, pollingAfter(CONTROL_TASK_QUEUE)),
        await measured('endpoint worker polls', how, 1_000, pollingAfter(endpointTaskQueue(host), host)),
      ];
    } finally {
      await world.close();
    }
  },
};

const inSequence =
  (take: () => Promise<number>): Starts =>
  async (times) => {
    // What was read from disk for the first time is no start of the program's.
    await take();
    const values: number[] = [];
    while (values.length < times) values.push(await take());
    return values;
  };

async function processorTimeOf(args: string[]): Promise<number> {
  const child = spawn(process.execPath, ['--require', SAY_PROCESSOR_TIME, ...args], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  });
  const said = text(child.stdio[3] as NodeJS.ReadableStream);
  await once(child, 'close');
  if (child.exitCode !== 0) throw new Error(`node ${args.join(' ')} ended with exit code ${child.exitCode}.`);

  return Number(await said);
}

async function untilItPolls(world: BenchWorld, queue: string, host: string | undefined): Promise<number> {
  const began = performance.now();
  const worker = await world.startProductWorker(host);
  try {
    await untilPolls(world.client, queue, worker.pid);
    return performance.now() - began;
  } finally {
    await worker.kill();
  }
}
