/** The stories of an upgrade without any fault, and every call that they make: what the fault matrix is made of. */
import type { StepStatus } from '../../src/contract/status';
import type { JournalSystem } from '../../src/sandbox/journal';
import type { ProviderOptions } from '../../src/sandbox/world/spec';
import { testAtMicrosoft } from '../kit/microsoft-adapter';
import { NEXT_RELEASE } from '../kit/releases';
import { Rehearsal, type Settings, type Upgrade } from '../kit/rehearsal/rehearsal';
import { timings } from '../kit/deadlines';
import { TemporalCalls } from '../kit/rehearsal/temporal-calls';

export interface Story {
  name: string;
  from: string;
  /** It is aborted at the gate before the crossing, and everything is undone. */
  comesBack: boolean;
  /** Who tests connections: the screen of the sandbox, or Microsoft itself. */
  testedBy: 'screen' | 'Microsoft';
  /** What happens to its workflow before the calls that count: until then it goes without a fault. */
  interrupted?: 'terminated and finished' | 'reset';
}

/** What a rehearsal has to be for them. */
export class FaultsRehearsal {
  private constructor(
    readonly rehearsal: Rehearsal,
    readonly temporal: TemporalCalls,
  ) {}

  static async start(): Promise<FaultsRehearsal> {
    const temporal = new TemporalCalls();
    return new FaultsRehearsal(await Rehearsal.start({ knows: NEXT_RELEASE, onConnection: temporal.watch }), temporal);
  }
}

export const STORIES: readonly Story[] = [
  { name: 'forward from 18.3', from: '18.3', comesBack: false, testedBy: 'screen' },
  { name: 'forward from 18.4', from: '18.4', comesBack: false, testedBy: 'Microsoft' },
  { name: 'back to 18.3', from: '18.3', comesBack: true, testedBy: 'screen' },
  { name: 'back to 18.4', from: '18.4', comesBack: true, testedBy: 'screen' },
  { name: 'forward from 18.4.1', from: '18.4.1', comesBack: false, testedBy: 'screen' },
  { name: 'back to 18.4.1', from: '18.4.1', comesBack: true, testedBy: 'screen' },
  ...(['terminated and finished', 'reset'] as const).map((interrupted) => ({
    name: `forward from 18.4, ${interrupted}`,
    from: '18.4',
    comesBack: false,
    testedBy: 'screen' as const,
    interrupted,
  })),
  {
    name: 'back to 18.4, terminated and finished',
    from: '18.4',
    comesBack: true,
    testedBy: 'screen',
    interrupted: 'terminated and finished',
  },
];

/** The first call of its name in one step of a story. */
export interface StoryCall {
  story: Story;
  system: JournalSystem | 'temporal';
  name: string;
  /** The changing call before it, by how many of its name there were; from it on calls are counted: waiting reads as often as it likes before. */
  after: { call: string; times: number } | undefined;
  /** So many calls of its name go through before it. */
  nth: number;
  /** Which step makes it, in the story without a fault; what a step does after it has restarted a host is one of its own. */
  step: string;
  /** Whether it changes anything where it is made; the others only read. */
  changes: boolean;
  /** Whether it is about one object, which a message then has to name. */
  about: boolean;
}

/** Short enough that the end of patience is seen, long enough that a busy machine does not bring it about. */
export const PATIENCE = timings({
  retryFor: 20,
  heartbeat: 10,
  hostAnswer: 60,
  drain: 25,
  import: 25,
  instanceUpgrade: 25,
  script: 20,
  hostRestart: 25,
});

/** Calls of the sandbox's operator, who is no part of an upgrade. */
const OPERATORS_OWN = ['GET provider'];
/** Names of calls that change nothing where they are made. */
const READS = /get|token|^(discover|inspect|hash|answer)$|^(describe|list)/i;

/** A provider with systems of its own in all its addresses, so that a fault hits nobody else. */
export async function provide(
  rehearsal: Rehearsal,
  story: Story,
  id: string,
  settings: (own: Settings) => Settings = (own) => own,
): Promise<Upgrade> {
  const { sandbox } = rehearsal;
  const options: ProviderOptions = { id, sourceVersion: story.from, instances: 1, openTasks: 1, otherTemplates: 0 };
  const { operations, aps, billing, control } = sandbox.urls;
  return await rehearsal.provider(options, (created) =>
    settings({
      operations: { url: operations(id) },
      aps: { url: aps(id), caFile: sandbox.caFile },
      billing: { url: billing(id) },
      packages: Object.fromEntries(
        sandbox.packages.map(({ version, fileName, sha256 }) => [
          version,
          { url: new URL(`packages/${fileName}`, control(id)).href, sha256 },
        ]),
      ),
      taskMonitor: { adapter: 'sandbox', url: control(id) },
      connectionTest:
        story.testedBy === 'screen' ? { adapter: 'sandbox', url: control(id) } : testAtMicrosoft(sandbox, created),
      timings: PATIENCE,
      approval: { beforeCrossing: story.comesBack },
    }),
  );
}

/** Aborts where the story comes back, as soon as it stands at the gate; returns whether it did. */
export async function abortAtGate(upgrade: Upgrade): Promise<boolean> {
  const { gates } = await upgrade.status();
  if (!gates.some(({ step }) => step === 'approveCrossing')) return false;
  await upgrade.workflow.signal('abort', { by: 'bo', reason: 'wrong night' });
  return true;
}

const isCrossing = ({ step }: { step: string }): boolean => step === 'approveCrossing';

/** Starts it, and brings it to where its own calls begin. @param arm what is called there. */
export async function begin(upgrade: Upgrade, { interrupted, comesBack }: Story, arm: () => void): Promise<void> {
  if (!interrupted) arm();
  await upgrade.start({ startedBy: 'ana' });
  if (!interrupted) return;
  await upgrade.statusWhen(({ gates }) =>
    comesBack ? gates.some(isCrossing) : gates.some(({ step }) => step === 'updateCustomizations'),
  );
  if (interrupted === 'reset') {
    arm();
    await upgrade.reset((events) => {
      const claim = events.findIndex(
        ({ activityTaskScheduledEventAttributes: each }) => each?.activityType?.name === 'claimHost',
      );
      return events.slice(0, claim).findLast((event) => event.workflowTaskCompletedEventAttributes);
    });
  } else {
    await upgrade.workflow.terminate('the wrong button');
    arm();
    await upgrade.start({ finish: true, startedBy: 'ana' });
  }
}

/** Names of the activities that have run since it began, and of those that still do. */
async function activitiesSince(upgrade: Upgrade, since: string): Promise<string[]> {
  const { events = [] } = await upgrade.workflow.fetchHistory();
  return (events ?? []).flatMap(({ eventTime, activityTaskScheduledEventAttributes: scheduled }) =>
    scheduled?.activityType?.name &&
    Number(eventTime?.seconds) * 1000 + Number(eventTime?.nanos) / 1e6 >= Date.parse(since)
      ? [scheduled.activityType.name]
      : [],
  );
}

/** What a story without a fault is made of. */
export interface Lived {
  calls: StoryCall[];
  /** The activities that made them. */
  activities: ReadonlySet<string>;
}

/**
 * Lives the story without a fault and lists its calls; of one that comes back, those of the way back, and of one that is interrupted those
 * after that. No other upgrade may go on meanwhile.
 */
export async function live({ rehearsal, temporal }: FaultsRehearsal, story: Story): Promise<Lived> {
  const { journal } = rehearsal.sandbox;
  const { comesBack, interrupted } = story;
  const upgrade = await provide(rehearsal, story, `no-fault-${story.name.replaceAll(/[ .,]+/g, '-')}`);
  let first = 0;
  let since = '';
  const here = (): void => {
    first = journal.entries().length;
    since = new Date().toISOString();
  };
  await begin(upgrade, story, here);
  const start = first;
  const operated = upgrade.operate({ leaves: isCrossing });
  if (comesBack && !interrupted) {
    await upgrade.statusWhen(({ gates }) => gates.some(isCrossing));
    here();
    await abortAtGate(upgrade);
  }
  await operated;
  const { steps } = await upgrade.status();
  const known = new Set<string>();
  const made = [...journal.entries({ kind: 'call' }), ...temporal.entries()]
    // On a host that is down nobody can be told of a fault.
    .filter(({ seq, name, outcome }) => seq > start && !OPERATORS_OWN.includes(name) && outcome !== 'down')
    .sort((one, other) => one.seq - other.seq);
  const restart = journal.entries({ kind: 'effect', name: 'hostRestarted' }).find(({ seq }) => seq > start);
  const restarting = restart && stepAt(steps, restart.at);
  const undoes = made.find(({ seq, system, name }) => seq > first && system !== 'temporal' && changesBy(name));
  const stepOf = ({ seq, at }: { seq: number; at: string }): string => {
    if (comesBack && interrupted)
      return seq < (undoes?.seq ?? Infinity) ? `${interrupted}: look` : `${interrupted}: undo`;
    if (comesBack) return seq <= first ? 'way there' : 'undo';
    const step = stepAt(steps, at);
    if (restart !== undefined && step === restarting && seq > restart.seq) return `${step} after the restart`;
    return interrupted ? `${interrupted}: ${step}` : step;
  };
  const times = new Map<string, number>();
  let after: StoryCall['after'];
  let sinceThen: string[] = [];
  const calls = made.flatMap((entry) => {
    const key = `${entry.system} ${entry.name}`;
    const step = stepOf(entry);
    const changes = changesBy(entry.name);
    const about = entry.object !== undefined;
    const call = { story, system: entry.system, name: entry.name, after, step, changes, about };
    const nth = sinceThen.filter((name) => name === key).length;
    const isFirst = !known.has(`${step} ${key}`);
    known.add(`${step} ${key}`);
    sinceThen.push(key);
    times.set(key, (times.get(key) ?? 0) + 1);
    // How often an upgrade notes something depends on how often it looks.
    if (changes && isFirst && entry.system !== 'temporal') {
      after = { call: key, times: times.get(key) ?? 1 };
      sinceThen = [];
    }
    return isFirst && step !== 'way there' ? [{ ...call, nth }] : [];
  });
  return { calls, activities: new Set(await activitiesSince(upgrade, since)) };
}

const changesBy = (name: string): boolean => !READS.test(name);

const stepAt = (steps: StepStatus[], at: string): string =>
  steps.findLast(({ startedAt }) => startedAt !== undefined && startedAt <= at)?.name ?? 'preflight';
