/** The stories of an upgrade without any fault, and every call that they make: what the fault matrix is made of. */
import type { StepStatus } from '../../src/contract/status';
import type { JournalSystem } from '../../src/sandbox/journal';
import type { ProviderOptions } from '../../src/sandbox/world/spec';
import { testAtMicrosoft } from '../kit/microsoft-adapter';
import { NEXT_RELEASE } from '../kit/releases';
import type { Rehearsal, RehearsalOptions, Settings, Upgrade } from '../kit/rehearsal/rehearsal';
import { timings } from '../kit/deadlines';

export interface Story {
  name: string;
  from: string;
  /** It is aborted at the gate before the crossing, and everything is undone. */
  comesBack: boolean;
  /** Who tests connections: the screen of the sandbox, or Microsoft itself. */
  testedBy: 'screen' | 'Microsoft';
}

/** What a rehearsal has to be for them. */
export const FAULTS_REHEARSAL: RehearsalOptions = { knows: NEXT_RELEASE };

export const STORIES: readonly Story[] = [
  { name: 'forward from 18.3', from: '18.3', comesBack: false, testedBy: 'screen' },
  { name: 'forward from 18.4', from: '18.4', comesBack: false, testedBy: 'Microsoft' },
  { name: 'back to 18.3', from: '18.3', comesBack: true, testedBy: 'screen' },
  { name: 'back to 18.4', from: '18.4', comesBack: true, testedBy: 'screen' },
  { name: 'forward from 18.4.1', from: '18.4.1', comesBack: false, testedBy: 'screen' },
  { name: 'back to 18.4.1', from: '18.4.1', comesBack: true, testedBy: 'screen' },
];

/** The first call of its name in one step of a story. */
export interface StoryCall {
  story: Story;
  system: JournalSystem;
  name: string;
  /** The changing call before it, from which on calls are counted: waiting reads as often as it likes before. */
  after: string | undefined;
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
const READS = /get|token|^(discover|inspect|hash|answer)$/i;

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

/**
 * Lives the story without a fault and lists its calls; of one that comes back, those of the way back. No other upgrade may
 * go on meanwhile.
 */
export async function callsOf(rehearsal: Rehearsal, story: Story): Promise<StoryCall[]> {
  const upgrade = await provide(rehearsal, story, `no-fault-${story.name.replaceAll(/[ .]/g, '-')}`);
  const begin = rehearsal.sandbox.journal.entries().length;
  await upgrade.start({ startedBy: 'ana' });
  let turn = begin;
  const isCrossing = ({ step }: { step: string }): boolean => step === 'approveCrossing';
  const operated = upgrade.operate({ leaves: isCrossing });
  if (story.comesBack) {
    await upgrade.statusWhen(({ gates }) => gates.some(isCrossing));
    turn = rehearsal.sandbox.journal.entries().length;
    await abortAtGate(upgrade);
  }
  await operated;
  const { steps } = await upgrade.status();
  const known = new Set<string>();
  const made = rehearsal.sandbox.journal
    .entries({ kind: 'call' })
    // On a host that is down nobody can be told of a fault.
    .filter(({ seq, name, outcome }) => seq > begin && !OPERATORS_OWN.includes(name) && outcome !== 'down');
  const restart = rehearsal.sandbox.journal
    .entries({ kind: 'effect', name: 'hostRestarted' })
    .find(({ seq }) => seq > begin);
  const restarting = restart && stepAt(steps, restart.at);
  let after: string | undefined;
  let sinceThen: string[] = [];
  return made.flatMap((entry) => {
    const key = `${entry.system} ${entry.name}`;
    const stepThen = stepAt(steps, entry.at);
    const isRestarted = restart !== undefined && stepThen === restarting && entry.seq > restart.seq;
    const step = story.comesBack
      ? entry.seq <= turn
        ? 'way there'
        : 'undo'
      : isRestarted
        ? `${stepThen} after the restart`
        : stepThen;
    const changes = !READS.test(entry.name);
    const call = {
      story,
      system: entry.system,
      name: entry.name,
      after,
      step,
      changes,
      about: entry.object !== undefined,
    };
    const nth = sinceThen.filter((name) => name === key).length;
    const isFirst = !known.has(`${step} ${key}`);
    known.add(`${step} ${key}`);
    sinceThen.push(key);
    if (changes && isFirst) {
      after = key;
      sinceThen = [];
    }
    return isFirst && step !== 'way there' ? [{ ...call, nth }] : [];
  });
}

const stepAt = (steps: StepStatus[], at: string): string =>
  steps.findLast(({ startedAt }) => startedAt !== undefined && startedAt <= at)?.name ?? 'preflight';
