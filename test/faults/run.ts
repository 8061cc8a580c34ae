/** `npm run faults`: the whole fault matrix, or a part of it. */
import { Command, InvalidArgumentError } from 'commander';
import { matrixOf, sampleOf, shardOf } from './matrix';
import { reportOf } from './report';
import { runCells } from './run-cells';
import { FaultsRehearsal, live, STORIES, type StoryCall } from './stories';

interface Options {
  only: string;
  shard: string;
  sample?: number;
  seed: number;
  lanes: number;
  messages: boolean;
}

const wholeNumber = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('must be a whole number from 0 on.');
  return value;
};
const positive = (text: string): number => {
  if (wholeNumber(text) === 0) throw new InvalidArgumentError('must be at least 1.');
  return Number(text);
};

const options = new Command('faults')
  .description('Makes every call of an upgrade fail in every way, and judges what the upgrade does and says.')
  .option('--only <text>', 'only cells whose names contain this', '')
  .option('--shard <part/parts>', 'only every so-many-th of them, such as 2/5', '1/1')
  .option('--sample <number>', 'only so many of those, chosen by the seed', positive)
  .option('--seed <number>', 'chooses the sample', wholeNumber, 1)
  .option('--lanes <number>', 'how many upgrades at once', positive, 8)
  .option('--messages', 'shows what people were told in every cell', false)
  .parse()
  .opts<Options>();

async function main(): Promise<void> {
  const faults = await FaultsRehearsal.start();
  const { rehearsal } = faults;
  rehearsal.sandbox.faults.setMaxListeners(0);
  rehearsal.sandbox.journal.setMaxListeners(0);
  try {
    const calls: StoryCall[] = [];
    for (const story of STORIES) calls.push(...(await live(faults, story)).calls);
    const all = matrixOf(calls).filter(({ name }) => name.includes(options.only));
    const shard = shardOf(all, options.shard);
    const cells = options.sample === undefined ? shard : sampleOf(shard, options.sample, options.seed);
    console.log(`${cells.length} of ${all.length} cells, ${calls.length} calls`);
    const results = await runCells(faults, cells, options.lanes, (result, done) => {
      const line = `${done}/${cells.length} ${result.outcome.padEnd(22)} ${(result.tookMs / 1000).toFixed(1)} s  ${result.cell.name}`;
      console.log(
        [
          line,
          ...result.problems.map((problem) => `    PROBLEM ${problem}`),
          ...(options.messages ? result.messages.map((message) => `    ${message}`) : []),
        ].join('\n'),
      );
    });
    console.log(reportOf(results));
    if (results.some(({ problems }) => problems.length > 0)) process.exitCode = 1;
  } finally {
    await rehearsal.end();
  }
}

void main();
