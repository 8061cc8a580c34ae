/**
 * The whole fault matrix, or a part of it:
 *
 *     npm run faults -- [--only <part of a cell's name>] [--sample <size> --seed <number>] [--shard 2/4] [--lanes <upgrades at once>]
 */
import { parseArgs } from 'node:util';
import { Rehearsal } from '../kit/rehearsal/rehearsal';
import { matrixOf, sampleOf, shardOf } from './matrix';
import { reportOf } from './report';
import { runCells } from './run-cells';
import { callsOf, STORIES, type StoryCall } from './stories';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    sample: { type: 'string' },
    shard: { type: 'string', default: '1/1' },
    seed: { type: 'string', default: '1' },
    lanes: { type: 'string', default: '8' },
    messages: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const rehearsal = await Rehearsal.start();
  rehearsal.sandbox.faults.setMaxListeners(0);
  rehearsal.sandbox.journal.setMaxListeners(0);
  try {
    const calls: StoryCall[] = [];
    for (const story of STORIES) calls.push(...(await callsOf(rehearsal, story)));
    const all = matrixOf(calls).filter(({ name }) => values.only === undefined || name.includes(values.only));
    const shard = shardOf(all, values.shard);
    const cells = values.sample === undefined ? shard : sampleOf(shard, Number(values.sample), Number(values.seed));
    console.log(`${cells.length} of ${all.length} cells, ${calls.length} calls`);
    const results = await runCells(rehearsal, cells, Number(values.lanes), (result, done) => {
      const line = `${done}/${cells.length} ${result.outcome.padEnd(22)} ${(result.tookMs / 1000).toFixed(1)} s  ${result.cell.name}`;
      console.log(
        [
          line,
          ...result.problems.map((problem) => `    PROBLEM ${problem}`),
          ...(values.messages ? result.messages.map((message) => `    ${message}`) : []),
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
