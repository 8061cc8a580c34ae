/** How the exporter asks many workflows of which some do not answer. */
import { CliError } from '../../src/cli/kit/cli-error';
import { Round, type Known } from '../../src/cli/operations/exporter/round';

/** How long a question waits that nobody answers. */
const DEADLINE_MS = 10_000;

/** Looks at workflows one after the other, by a clock that only their answers move. */
class Looks {
  private time = Date.parse('2026-11-30T10:00:00Z');
  private known: ReadonlyMap<string, Known> = new Map();

  /**
   * @param names of all workflows, in the order of the server's list.
   * @param answer of one of them; fails where it has none, after so many milliseconds.
   */
  async look(names: string[], answer: (name: string) => Promise<string>): Promise<{ silent: string[]; took: number }> {
    const round = new Round(this.known, () => new Date(this.time));
    const asked = names.map((name) => round.add({ runId: name, name, news: 'running', tell: () => answer(name) }));
    const began = this.time;
    await round.ask();
    this.known = round.known;
    const took = this.time - began;
    // Until the next one, in which everybody is asked anew who has answered.
    this.time += 6 * 60_000;
    return { silent: asked.filter(({ silent }) => silent).map(({ name }) => name), took };
  }

  async answers(name: string): Promise<string> {
    this.time += 1;
    return name;
  }

  /** All that wait in the same moment wait for the same deadline; whoever answers does so before. */
  async nobodyAnswers(): Promise<never> {
    const until = this.time + DEADLINE_MS;
    await new Promise(setImmediate);
    this.time = Math.max(this.time, until);
    throw new CliError('noWorker', 'No Onward worker answers.');
  }
}

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `provider-${index}`);

test('one upgrade whose workflow task fails keeps nobody else from being asked', async () => {
  const looks = new Looks();
  const answer = async (name: string): Promise<string> => {
    if (name === 'provider-0') throw new CliError('noWorker', 'Its workflow task fails.');
    return await looks.answers(name);
  };
  expect(await looks.look(names(12), answer)).toMatchObject({ silent: ['provider-0'] });
});

test('where no worker is there, a look over hundreds of upgrades waits for one deadline', async () => {
  const looks = new Looks();
  const { silent, took } = await looks.look(names(400), () => looks.nobodyAnswers());
  expect(silent).toHaveLength(400);
  expect(took).toBeLessThanOrEqual(2 * DEADLINE_MS);
});

test('whoever was not asked for want of time comes first in the next look', async () => {
  const looks = new Looks();
  // As many as are asked at once take all the time of the first look.
  const stuck = names(5);
  const answer = (name: string): Promise<string> =>
    stuck.includes(name) ? looks.nobodyAnswers() : looks.answers(name);
  expect((await looks.look(names(12), answer)).silent).toHaveLength(12);
  expect((await looks.look(names(12), answer)).silent).toEqual(stuck);
  expect((await looks.look(names(12), answer)).silent).toEqual(stuck);
});

test('a server that is gone ends the look', async () => {
  const looks = new Looks();
  const gone = () => Promise.reject(new CliError('unreachable', 'The Temporal server cannot be reached.'));
  await expect(looks.look(names(2), gone)).rejects.toMatchObject({ kind: 'unreachable' });
});
