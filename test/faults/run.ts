/**
 * The whole fault matrix, or a part of it:
 *
 *     npm run faults -- [--only <part of a cell's name>] [--sample <size> --seed <number>] [--at-once <upgrades>]
 */
import { parseArgs } from 'node:util';
import { Rehearsal } from '../e2e/rehearsal';
import { matrixOf, sampleOf } from './matrix';
import { reportOf } from './report';
import { runCells } from './run-cells';
import { callsOf, STORIES, type StoryCall } from './stories';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    'at-once': { type: 'string', default: '8' },
    messages: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const rehearsal = await Rehearsal.start();
  try {
    const calls: StoryCall[] = [];
    for (const story of STORIES) calls.push(...(await callsOf(rehearsal, story)));
    const all = matrixOf(calls).filter(({ name }) => values.only === undefined || name.includes(values.only));
    const cells = values.sample === undefined ? all : sampleOf(all, Number(values.sample), Number(values.seed));
    console.log(`${cells.length} of ${all.length} cells, ${calls.length} calls`);
    const results = await runCells(rehearsal, cells, Number(values['at-once']), (result, done) => {
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
    await rehearsal.close();
  }
}

void main();
