/**
 * Walks the table of hosts that misbehave: every upgrade ends as the table says, and says why.
 *
 * @needs temporal
 */
import { WorkflowFailedError } from '@temporalio/client';
import { samples } from '../kit/extent';
import { Rehearsal, type Upgrade } from '../kit/rehearsal/rehearsal';
import { VERDICTS, type HostVerdict, type Scene } from './verdicts';
import { timings } from '../kit/deadlines';

interface Ending {
  state: string;
  heard: string;
  setups: number;
  host: string;
}

/** Short enough that the end of patience is seen, long enough for a busy machine. */
const TIMINGS = timings({
  retryFor: 15,
  heartbeat: 5,
  hostAnswer: 30,
  drain: 60,
  import: 60,
  instanceUpgrade: 60,
  script: 10,
});
const AT_ONCE = 5;
const LOOK_MS = 200;

let rehearsal: Rehearsal;
const ONE_IN = samples({ usually: 20, inFull: 1 });
const SHOWN = VERDICTS.filter((_, index) => index % ONE_IN === 0);
const endings = new Map<HostVerdict, Ending | Error>();

beforeAll(async () => {
  rehearsal = await Rehearsal.start();
  const left = SHOWN.entries();
  const lane = async (): Promise<void> => {
    for (const [index, verdict] of left)
      endings.set(verdict, await live(verdict, index).catch((error: unknown) => new Error(String(error))));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
});
afterAll(async () => {
  await rehearsal?.close();
});

test.each(SHOWN)('$situation: $verdict', (verdict) => {
  const ending = endings.get(verdict);
  if (!ending || ending instanceof Error) throw ending ?? new Error('It was never begun.');
  const says = new RegExp(verdict.says?.source.replaceAll('<host>', ending.host) ?? '', 's');
  expect(ending.heard).toMatch(says);
  expect({ state: ending.state, setups: ending.setups }).toEqual({ state: verdict.ends, setups: verdict.setups });
});

async function live(verdict: HostVerdict, index: number): Promise<Ending> {
  const upgrade = await rehearsal.provider(
    { id: `host-${index}`, instances: 1, openTasks: 0, otherTemplates: 0 },
    { timings: TIMINGS, ...verdict.settings },
  );
  const host = rehearsal.sandbox.world.provider(upgrade.provider).gateways[0]?.host ?? '';
  const scene: Scene = { rehearsal, upgrade, host };
  const before = await upgrade.state();
  await verdict.arrange?.(scene);
  await upgrade.start({ startedBy: 'ana' });
  if (verdict.repair) {
    await upgrade.statusWhen(({ holds }) => holds.length > 0);
    await verdict.repair(scene);
  }
  await upgrade.operate({ everyMs: LOOK_MS, resolves: () => (verdict.repair ? 'retry' : undefined) });
  if (verdict.ends === 'rolledBack') expect(await upgrade.state()).toEqual(before);
  const { state } = await upgrade.status();
  const setups = rehearsal.sandbox.journal.entries({ kind: 'call', host, name: 'setup.cmd' }).length;
  return { state, heard: await heardOf(upgrade), setups, host };
}

/** Everything that people are told: warnings, holds, and why it failed. */
async function heardOf(upgrade: Upgrade): Promise<string> {
  const { checks } = await upgrade.status();
  const failure = await upgrade.result().then(
    () => '',
    (error: unknown) => (error instanceof WorkflowFailedError && error.cause ? error.cause.message : String(error)),
  );
  const holds = (await upgrade.audit()).filter(({ what }) => what === 'hold');
  return [...checks.map(({ message }) => message), ...holds.map(({ detail }) => detail), failure].join('\n');
}
