/** What waits for its turn on a host: in which order it begins, and what becomes of what does not. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { Turns } from '../../activities/turns';
import { aMoment } from '../kit/deadlines';

const LONG = 600_000;

/** Activities that begin and end as the test says. */
class Host {
  readonly begun: string[] = [];
  isEnding = false;
  private readonly turns = new Turns(() => this.isEnding);
  private readonly ends = new Map<string, () => void>();

  activity(name: string, { comesFirst = false, waits = LONG } = {}) {
    const environment = new MockActivityEnvironment({ heartbeatTimeoutMs: LONG });
    const inVain = (why: string) => new Error(`the worker ${why}`);
    const result = environment.run(() =>
      this.turns.take({ comesFirst, waits, inVain }, async () => {
        this.begun.push(name);
        await new Promise<void>((resolve) => this.ends.set(name, resolve));
        return name;
      }),
    );
    // The test awaits it later.
    result.catch(() => undefined);
    return { result, cancel: () => environment.cancel() };
  }

  end(name: string): void {
    this.ends.get(name)?.();
  }

  async hasBegun(name: string): Promise<void> {
    while (!this.begun.includes(name)) await aMoment();
  }
}

test('one begins when the one before has ended, and the work of who holds the host goes before what only asks', async () => {
  const host = new Host();
  const all = [
    host.activity('setup'),
    host.activity('asks'),
    host.activity('asks too'),
    host.activity('reset', { comesFirst: true }),
    host.activity('restore', { comesFirst: true }),
  ];
  for (const name of ['setup', 'reset', 'restore', 'asks', 'asks too']) {
    await host.hasBegun(name);
    expect(host.begun.at(-1)).toBe(name);
    host.end(name);
  }
  expect(await Promise.all(all.map(({ result }) => result))).toEqual(['setup', 'asks', 'asks too', 'reset', 'restore']);
});

test('what fails gives its turn to the next', async () => {
  const turns = new Turns(() => false);
  const turn = { comesFirst: false, waits: LONG, inVain: (why: string) => new Error(why) };
  const run = (act: () => Promise<string>) => new MockActivityEnvironment().run(() => turns.take(turn, act));
  const fails = run(() => Promise.reject(new Error('no')));
  const follows = run(async () => 'yes');
  await expect(fails).rejects.toThrow('no');
  expect(await follows).toBe('yes');
});

test('what is cancelled while it waits ends at once, and is never begun', async () => {
  const host = new Host();
  const first = host.activity('first');
  await host.hasBegun('first');
  const second = host.activity('second');
  const third = host.activity('third');
  second.cancel();
  await expect(second.result).rejects.toMatchObject({ name: 'CancelledFailure' });
  host.end('first');
  await host.hasBegun('third');
  host.end('third');
  expect([await first.result, await third.result, host.begun]).toEqual(['first', 'third', ['first', 'third']]);
});

test('what waits too long says what is in its way', async () => {
  const host = new Host();
  const first = host.activity('first');
  await host.hasBegun('first');
  const second = host.activity('second', { waits: 1 });
  await expect(second.result).rejects.toThrow('the worker is at work on something else');
  host.end('first');
  expect(await first.result).toBe('first');
});

test('a worker that is being ended begins nothing more that had to wait', async () => {
  const host = new Host();
  const first = host.activity('first');
  await host.hasBegun('first');
  const waiting = [host.activity('iisreset', { comesFirst: true }), host.activity('asks')];
  host.isEnding = true;
  host.end('first');
  for (const { result } of waiting) await expect(result).rejects.toThrow('the worker is being ended');
  expect([await first.result, host.begun]).toEqual(['first', ['first']]);
});
