/** `npm run torture`: the whole crash matrix, or the part of it whose names match `--only`. */
import { Command, InvalidArgumentError } from 'commander';
import { Rehearsal } from '../kit/rehearsal/rehearsal';
import { allCases, type TortureCase } from './cases';
import { TORTURE_REHEARSAL, torment } from './torment';

interface Outcome {
  name: string;
  seconds: number;
  problem?: string;
}

const positive = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('must be a whole number from 1 on.');
  return value;
};

const options = new Command('torture')
  .description('Kills workers and server at every point of an upgrade, and judges what is left.')
  .option('--only <text>', 'only cases whose names contain this', '')
  .option(
    '--lanes <number>',
    'how many cases run at once, each with a Temporal server and a sandbox of its own',
    positive,
    1,
  )
  .parse()
  .opts<{ only: string; lanes: number }>();

async function lane(cases: Iterator<TortureCase>, outcomes: Outcome[]): Promise<void> {
  const rehearsal = await Rehearsal.start(TORTURE_REHEARSAL);
  try {
    for (let next = cases.next(); next.done !== true; next = cases.next()) {
      const outcome = await outcomeOf(rehearsal, next.value);
      outcomes.push(outcome);
      console.log(
        `${outcome.problem === undefined ? 'ok  ' : 'FAIL'} ${outcome.seconds.toFixed(1).padStart(6)} s  ${outcome.name}`,
      );
      if (outcome.problem !== undefined) console.log(outcome.problem);
    }
  } finally {
    await rehearsal.close().catch((error: unknown) => console.error(error));
  }
}

async function outcomeOf(rehearsal: Rehearsal, torture: TortureCase): Promise<Outcome> {
  const began = performance.now();
  const outcome = { name: torture.name };
  const seconds = () => (performance.now() - began) / 1000;
  try {
    await torment(rehearsal, torture);
    return { ...outcome, seconds: seconds() };
  } catch (error) {
    return { ...outcome, seconds: seconds(), problem: error instanceof Error ? error.message : String(error) };
  }
}

async function main(): Promise<void> {
  const cases = allCases().filter(({ name }) => name.includes(options.only));
  const outcomes: Outcome[] = [];
  const began = performance.now();
  const shared = cases.values();
  await Promise.all(Array.from({ length: options.lanes }, () => lane(shared, outcomes)));
  const failed = outcomes.filter(({ problem }) => problem !== undefined);
  const minutes = (performance.now() - began) / 60_000;
  console.log(`\n${outcomes.length} crashes, ${failed.length} failed, in ${minutes.toFixed(1)} minutes`);
  for (const { name } of failed) console.log(`  npm run torture -- --only '${name}'`);
  process.exitCode = failed.length > 0 || outcomes.length === 0 ? 1 : 0;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
