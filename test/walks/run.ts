/** `npm run walks`: random walks, each of which is one upgrade, or one fleet, with everything that a seed lets happen to it. */
import { Command, InvalidArgumentError } from 'commander';
import { FLEET_WALKS } from './fleet/run-fleet-walk';
import { shownWalk, type Drawn } from './walk';
import { BUTTON_WALKS, UPGRADE_WALKS, neededEvents, only, runWalks, type WalkKind, type WalkOutcome } from './walks';

const wholeNumber = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('must be a whole number from 0 on.');
  return value;
};
const positive = (text: string): number => {
  if (wholeNumber(text) === 0) throw new InvalidArgumentError('must be at least 1.');
  return Number(text);
};

const options = new Command('walks')
  .description('Upgrades random providers among random faults, answers and restarts, and judges what became of them.')
  .option('--fleet', 'walks of fleets instead of single upgrades', false)
  .option(
    '--buttons',
    "single upgrades, with Temporal's Terminate and Reset, second entries and clones of hosts",
    false,
  )
  .option('--seed <number>', 'only the walk of this seed', wholeNumber)
  .option('--keep <list>', 'with --seed: only these of its events, such as 0,3 (none: -)', (text) =>
    text === '-' ? [] : text.split(',').map(wholeNumber),
  )
  .option('--count <number>', 'how many walks', positive, 100)
  .option('--from <number>', 'seed of the first one', wholeNumber, 1)
  .option('--lanes <number>', 'how many walks at once', positive, 6)
  .parse()

  .opts<{
    fleet: boolean;
    buttons: boolean;
    seed?: number;
    keep?: number[];
    count: number;
    from: number;
    lanes: number;
  }>();

/** Each takes a while; the others wait for their own commands. */
const MOST_SHRUNK = 3;

function wantedWalks<W extends Drawn>({ draw }: WalkKind<W>): W[] {
  const { seed, keep, from, count } = options;
  if (seed === undefined) return Array.from({ length: count }, (_, index) => draw(from + index));
  const walk = draw(seed);
  return [keep === undefined ? walk : only(walk, keep)];
}

function tell({ walk, end, failure, seconds }: WalkOutcome<Drawn>): void {
  const took = `${seconds.toFixed(1).padStart(6)} s`;
  console.log(`${failure ? 'FAIL' : 'ok  '} ${took}  walk ${walk.seed}: ${end ?? failure?.broken}`);
  if (failure) console.log(`${failure.message}\n${shownWalk(walk)}\n  ${commandFor(walk)}`);
}

const commandFor = ({ seed }: Drawn, kept?: readonly number[]): string =>
  `npm run walks -- ${options.fleet ? '--fleet ' : ''}${options.buttons ? '--buttons ' : ''}--seed ${seed}${kept ? ` --keep ${kept.join(',') || '-'}` : ''}`;

async function walkAll<W extends Drawn>(kind: WalkKind<W>): Promise<void> {
  const began = performance.now();
  const outcomes = await runWalks(kind, wantedWalks(kind), options.lanes, tell);
  const failed = outcomes.flatMap(({ walk, failure }) => (failure ? [{ walk, failure }] : []));
  const ends = new Map<string, number>();
  for (const { end = 'failed' } of outcomes) ends.set(end, (ends.get(end) ?? 0) + 1);
  const minutes = (performance.now() - began) / 60_000;
  console.log(
    `\n${outcomes.length} walks, ${failed.length} failed, in ${minutes.toFixed(1)} minutes: ` +
      [...ends].map(([end, count]) => `${count} ${end}`).join(', '),
  );
  process.exitCode = failed.length > 0 ? 1 : 0;
  if (options.keep !== undefined) return;
  for (const { walk, failure } of failed.slice(0, MOST_SHRUNK)) {
    const kept = await neededEvents(kind, walk, failure);
    console.log(`\nOf this it needs ${kept.length} of ${walk.events.length} events to fail by ${failure.broken}:`);
    console.log(`${shownWalk(only(walk, kept))}\n  ${commandFor(walk, kept)}`);
  }
}

(options.fleet ? walkAll(FLEET_WALKS) : walkAll(options.buttons ? BUTTON_WALKS : UPGRADE_WALKS))
  .catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  })
  // A worker that had to be ended by force may leave a thread behind (src/worker/serve.ts).
  .finally(() => process.exit());
