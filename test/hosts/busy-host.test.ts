/**
 * A host whose worker is at work for one upgrade while another asks: it is no absent worker.
 *
 * @needs temporal
 */
import { once } from 'node:events';
import type { JournalEntry } from '../../src/sandbox/journal';
import { Rehearsal, type Settings } from '../kit/rehearsal/rehearsal';
import { aMoment, timings } from '../kit/deadlines';

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await Rehearsal.start();
});
afterAll(async () => {
  await rehearsal?.close();
});

const HOST = 'busy-host';
const onHost = (id: string, settings: Settings = {}) =>
  rehearsal.provider({ id, instances: 1, openTasks: 0, gateways: [{ host: HOST }] }, settings);
/** Of one provider: it is made on the host. */
async function called(provider: string, name: string): Promise<void> {
  const { journal } = rehearsal.sandbox;
  const isIt = (entry: JournalEntry): boolean =>
    entry.kind === 'call' && entry.name === name && entry.provider === provider;
  while (!journal.entries().some(isIt)) await once(journal, 'recorded');
}

test('while setup.cmd of one upgrade runs longer than a worker may be silent, another waits for its turn, and its script begins after it', async () => {
  const { hostAnswer } = timings({ hostAnswer: 2 });
  const first = await onHost('at-work');
  const second = await onHost('asks-meanwhile', { timings: { ...first.settings.timings, hostAnswer } });
  const { faults, journal } = rehearsal.sandbox;
  faults.add({ host: HOST, system: 'host', call: 'setup.cmd', kind: 'slow', delayMs: 3 * hostAnswer * 1000 });
  await first.start();
  await called('at-work', 'setup.cmd');
  await second.start();
  for (;;) {
    const { raw } = await second.workflow.describe();
    const found = raw.pendingActivities?.find(({ activityType }) => activityType?.name === 'readHost');
    // It is with the worker, which is known to be there.
    if (found?.lastStartedTime) break;
    await aMoment();
  }
  expect(journal.entries({ kind: 'effect', name: 'setupRan' })).toEqual([]);
  await first.operate();
  await second.operate();
  expect(await second.result()).toMatchObject({ to: '18.4.1' });
  const [setUp] = journal.entries({ kind: 'effect', name: 'setupRan', provider: 'at-work' });
  const [discovered, seen] = journal.entries({ kind: 'call', name: 'discover', host: HOST });
  expect(discovered?.seq).toBeLessThan(setUp?.seq ?? 0);
  expect(seen?.seq).toBeGreaterThan(setUp?.seq ?? Infinity);
});
