/**
 * `npm run bench` measures what an upgrade costs and prints one table; `npm run bench -- cost memory` measures only these.
 * Progress goes to standard error, the table to standard output.
 */
import os from 'node:os';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { LIMITS } from '../src/contract/limits';
import { cost } from './cost';
import type { Bench, Figure, Sizes } from './figures';
import { fleet, fleetBudget, fleetPause } from './fleet';
import { large } from './large';
import { load } from './load';
import { memory } from './memory';
import { recovery } from './recovery';
import { start } from './start';
import { tableOf } from './table';

const BENCHES: readonly Bench[] = [start, cost, memory, recovery, load, large, fleet, fleetPause, fleetBudget];

const program = new Command('bench')
  .description(
    'Measures what an upgrade costs, on a Temporal dev server and a sandbox of its own, and prints one table.\n\n' +
      BENCHES.map(({ name, about }) => `  ${name.padEnd(12)}${about}`).join('\n'),
  )
  .addArgument(new Argument('[names...]', 'what to measure (default: everything)').choices(BENCHES.map(nameOf)))
  .option('--pairs <number>', 'cost: pairs of upgrade and bare workflow, for each path', atLeastOne, 20)
  .option('--starts <number>', 'start: starts of each program', atLeastOne, 10)
  .option('--waiting <number>', 'memory: upgrades that wait at a gate', atLeastOne, 1_000)
  .option('--kills <number>', 'recovery: kills in each situation', atLeastOne, 5)
  .option('--upgrades <number>', 'load: upgrades at once', atLeastOne, 200)
  .option(
    '--large <number>',
    'large: application instances, and ten times as many templates',
    atLeastOne,
    LIMITS.instances,
  )
  .option('--fleet <number>', 'fleet: providers of a fleet', atLeastOne, 1_000)
  .option('--instances <number>', 'memory, fleets: application instances of each provider', atLeastOne, 3)
  .action(async (names: string[], sizes: Sizes) => {
    const began = new Date();
    const busy = busyness();
    const figures: Figure[] = [];
    for (const bench of BENCHES.filter(({ name }) => names.length === 0 || names.includes(name))) {
      try {
        figures.push(
          ...(await bench.run(sizes, (line) => console.error(`${secondsSince(began)} s  ${bench.name}: ${line}`))),
        );
      } catch (error) {
        // What the other benches have measured is not lost.
        console.error(`${bench.name} has no figures:`, error);
        process.exitCode = 1;
      }
    }
    console.log(
      `${machine()}\nLoad when it began ${busy}, when it ended ${busyness()}; ${secondsSince(began)} s in all.\n`,
    );
    console.log(tableOf(figures));
    if (figures.some(({ target, value }) => target !== undefined && value > target.most)) process.exitCode = 1;
  });

function nameOf({ name }: Bench): string {
  return name;
}

function atLeastOne(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('Give a whole number from 1 on.');
  return Number(text);
}

const secondsSince = (began: Date): string => ((Date.now() - began.getTime()) / 1000).toFixed(0).padStart(4);

function machine(): string {
  const cpus = os.cpus();
  const memory = `${(os.totalmem() / 1024 ** 3).toFixed(0)} GiB`;
  return `${cpus.length} x ${cpus[0]?.model ?? 'unknown processor'}, ${memory}, ${os.type()} ${os.release()}, Node ${process.versions.node}`;
}

/** Work of others on the machine makes every time below longer. */
const busyness = (): string =>
  os
    .loadavg()
    .map((load) => load.toFixed(1))
    .join(' ');

program.parseAsync().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
