/**
 * An upgrade is over when its workflow closes. Until then nothing says that it is, and nobody who is to be told keeps it open.
 *
 * @needs temporal
 */
import { ApplicationFailure } from '@temporalio/common';
import { FAILURE, noticeWorkflowId, type Notice } from '../../src/contract/activities';
import type { ProviderProfile } from '../../src/contract/provider';
import type { UpgradeState } from '../../src/contract/status';
import { samples, testInFull } from '../kit/extent';
import { statesSaid } from '../kit/handles/last-task';
import { profile, stubActivities, type StubActivities } from '../kit/stub-world/stub-activities';
import {
  WorkflowEnvironment,
  answerEverything,
  statusOf,
  statusWhen,
  type UpgradeHandle,
} from '../kit/stub-world/workflow-environment';

let environment: WorkflowEnvironment;
beforeAll(async () => {
  environment = await WorkflowEnvironment.start();
});
afterAll(async () => {
  await environment?.close();
});

interface End {
  what: string;
  state: UpgradeState;
  closed: string;
  settings?: object;
  refuses?: (keyof StubActivities)[];
  version?: string;
  bring?: (handle: UpgradeHandle) => Promise<void>;
}

const atGate = async (handle: UpgradeHandle): Promise<void> => {
  await statusWhen(handle, ({ gates }) => gates.length > 0);
};
const ENDS: End[] = [
  { what: 'completed', state: 'completed', closed: 'COMPLETED', bring: answerEverything },
  { what: 'refused', state: 'refused', closed: 'FAILED', version: '18.2' },
  { what: 'rolled back', state: 'rolledBack', closed: 'FAILED', refuses: ['stagePackage'] },
  { what: 'rolled back in part', state: 'rollbackIncomplete', closed: 'FAILED', refuses: ['resetIis', 'restoreSite'] },
  {
    what: 'aborted',
    state: 'rolledBack',
    closed: 'FAILED',
    settings: { taskMonitor: { adapter: 'gate' } },
    bring: async (handle) => {
      await atGate(handle);
      await handle.signal('abort', { by: 'ana', reason: 'wrong night' });
    },
  },
  {
    what: 'cancelled',
    state: 'rolledBack',
    closed: 'CANCELLED',
    settings: { taskMonitor: { adapter: 'gate' } },
    bring: async (handle) => {
      await atGate(handle);
      await handle.cancel();
    },
  },
];

/** A target that takes every notice but the last, until it is repaired. */
class Target {
  readonly took: Notice[] = [];
  private isDown = true;
  private readonly asked: Promise<Notice>;
  private hears: (notice: Notice) => void = () => undefined;
  private repaired: Promise<void>;
  private repairs: () => void = () => undefined;

  /** @param how what becomes of whoever tells it the end. */
  constructor(private readonly how: 'refuses' | 'is silent') {
    this.asked = new Promise((resolve) => (this.hears = resolve));
    this.repaired = new Promise((resolve) => (this.repairs = resolve));
  }

  readonly notify: StubActivities['notify'] = async ({ notice }) => {
    if (notice.kind === 'completed' || notice.kind === 'failed') {
      this.hears(notice);
      if (this.how === 'is silent') await this.repaired;
      if (this.isDown) throw ApplicationFailure.retryable('the webhook is down', FAILURE.unreachable);
    }
    this.took.push(notice);
  };

  /** The last notice, as soon as somebody tries to deliver it. */
  lastNotice(): Promise<Notice> {
    return this.asked;
  }

  repair(): void {
    this.isDown = false;
    this.repairs();
  }
}

function start(
  provider: string,
  target: Target,
  { settings, refuses = [], version }: Partial<End>,
): Promise<UpgradeHandle> {
  const entry: ProviderProfile = profile(provider, settings);
  const failing = refuses.map((name) => [
    name,
    async () => {
      throw ApplicationFailure.nonRetryable(`${name} says no`, FAILURE.rejected);
    },
  ]);
  const change = { notify: target.notify, ...(Object.fromEntries(failing) as Partial<StubActivities>) };
  const { activities } = stubActivities(entry, { change, ...(version === undefined ? {} : { version }) });
  return environment.upgrade(activities, { provider });
}

const named = (what: string, why: string): string => `${why}-${what}`.replaceAll(' ', '-');
const closed = async (handle: UpgradeHandle): Promise<string> => {
  await handle.result().catch(() => undefined);
  return (await handle.describe()).status.name;
};

/** Usually one that is completed, and one that is undone in part. */
const ONE_IN = samples({ usually: 3, inFull: 1 });

describe.each(ENDS.filter((_, index) => index % ONE_IN === 0))('an upgrade that is $what', (end) => {
  const { what, state, bring } = end;

  test('closes while its last notice is on its way, and that arrives all the same', async () => {
    const target = new Target('refuses');
    const handle = await start(named(what, 'closes'), target, end);
    await bring?.(handle);
    expect(await closed(handle)).toBe(end.closed);
    const notice = await target.lastNotice();
    const delivery = environment.client.workflow.getHandle(noticeWorkflowId(notice));
    expect(target.took.map(({ id }) => id)).not.toContain(notice.id);
    expect((await delivery.describe()).status.name).toBe('RUNNING');
    expect(await statusOf(handle)).toMatchObject({ state, endedAt: expect.any(String) as string });

    target.repair();
    await delivery.result();
    expect(target.took.at(-1)).toEqual(notice);
    expect(notice).toMatchObject({ kind: state === 'completed' ? 'completed' : 'failed' });
  });

  testInFull('says so in the workflow task in which it closes, and not before', async () => {
    const target = new Target('is silent');
    const handle = await start(named(what, 'says'), target, end);
    const looks = looksUntilClosed(handle);
    await bring?.(handle);
    await target.lastNotice();
    expect(await looks).toEqual([]);
    target.repair();

    const { before, whenItClosed } = statesSaid(await handle.fetchHistory());
    expect(whenItClosed).toEqual([state]);
    const untilThen = state === 'completed' || state === 'refused' ? 'running' : 'rollingBack';
    expect(before.at(-1)).toBe(untilThen);
    expect(before).not.toContain(state);
  });
});

/** Looks again and again. @returns what a status said of an end while the workflow still ran. */
async function looksUntilClosed(handle: UpgradeHandle): Promise<string[]> {
  const lies: string[] = [];
  for (;;) {
    const { state, endedAt } = await statusOf(handle);
    const { name } = (await handle.describe()).status;
    if (name !== 'RUNNING') return lies;
    if (endedAt !== undefined) lies.push(`it is ${state} since ${endedAt}, and runs`);
    if (lies.length > 0) return lies;
  }
}

test('what is answered while everything is undone is refused, and the upgrade is not over', async () => {
  let undoes = (): void => undefined;
  let goOn = (): void => undefined;
  const undoing = new Promise<void>((resolve) => (undoes = resolve));
  const goesOn = new Promise<void>((resolve) => (goOn = resolve));
  const { activities } = stubActivities(profile('undoing', { taskMonitor: { adapter: 'gate' } }), {
    change: {
      activateTemplates: async () => {
        undoes();
        await goesOn;
      },
    },
  });
  const handle = await environment.upgrade(activities, { provider: 'undoing' });
  await atGate(handle);
  await handle.signal('abort', { by: 'ana', reason: 'wrong night' });
  await undoing;
  await handle.signal('pause', { by: 'bo', reason: 'wait' });
  const { state, endedAt, lastRefused } = await statusWhen(handle, (status) => status.lastRefused !== undefined);
  expect({ state, endedAt }).toEqual({ state: 'rollingBack', endedAt: undefined });
  expect(lastRefused).toMatchObject({
    by: 'bo',
    reason: 'What the upgrade has done is being undone; only what the undo asks for can be answered.',
  });
  goOn();
  expect(await closed(handle)).toBe('FAILED');
});
