/** The stories of an upgrade without any fault, and every call that they make: what the fault matrix is made of. */
import type { StepStatus } from '../../src/contract/status';
import type { JournalSystem } from '../../src/sandbox/journal';
import type { ProviderOptions } from '../../src/sandbox/world/spec';
import type { Rehearsal, Settings, Upgrade } from '../e2e/rehearsal';

export interface Story {
  name: string;
  from: string;
  /** It is aborted at the gate before the crossing, and everything is undone. */
  comesBack: boolean;
}

export const STORIES: readonly Story[] = [
  { name: 'forward from 18.3', from: '18.3', comesBack: false },
  { name: 'forward from 18.4', from: '18.4', comesBack: false },
  { name: 'back to 18.3', from: '18.3', comesBack: true },
  { name: 'back to 18.4', from: '18.4', comesBack: true },
];

/** The first call of its name in one step of a story: the fault hits it after `nth` calls of that name have gone through. */
export interface StoryCall {
  story: Story;
  system: JournalSystem;
  name: string;
  nth: number;
  /** Which step makes it, in the story without a fault. */
  step: string;
  /** The system cannot tell who calls: a fault would hit every upgrade. */
  anonymous: boolean;
}

/** Short enough that the end of patience is seen, long enough that a busy machine does not bring it about. */
export const PATIENCE = {
  retryFor: 6,
  heartbeat: 5,
  hostAnswer: 30,
  drain: 12,
  import: 10,
  instanceUpgrade: 10,
  script: 10,
};

/** Calls of the sandbox's operator, who is no part of an upgrade. */
const OPERATORS_OWN = ['GET provider'];

export async function provide(
  rehearsal: Rehearsal,
  story: Story,
  id: string,
  settings: Settings = {},
): Promise<Upgrade> {
  const options: ProviderOptions = { id, sourceVersion: story.from, instances: 1, openTasks: 1, otherTemplates: 0 };
  return await rehearsal.provider(options, {
    timings: PATIENCE,
    approval: { beforeCrossing: story.comesBack },
    ...settings,
  });
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
  if (story.comesBack) {
    await upgrade.statusWhen(({ gates }) => gates.some(({ step }) => step === 'approveCrossing'));
    turn = rehearsal.sandbox.journal.entries().length;
    await abortAtGate(upgrade);
  }
  await upgrade.operate();
  const { steps } = await upgrade.status();
  const seen = new Map<string, number>();
  const known = new Set<string>();
  const made = rehearsal.sandbox.journal
    .entries({ kind: 'call' })
    .filter(({ seq, name }) => seq > begin && !OPERATORS_OWN.includes(name));
  return made.flatMap((entry) => {
    const key = `${entry.system} ${entry.name}`;
    const nth = seen.get(key) ?? 0;
    seen.set(key, nth + 1);
    if (entry.seq <= turn) return [];
    const step = story.comesBack ? 'undo' : stepAt(steps, entry.at);
    if (known.has(`${step} ${key}`)) return [];
    known.add(`${step} ${key}`);
    const anonymous = entry.provider === undefined && entry.host === undefined;
    return [{ story, system: entry.system, name: entry.name, nth, step, anonymous }];
  });
}

const stepAt = (steps: StepStatus[], at: string): string =>
  steps.findLast(({ startedAt }) => startedAt !== undefined && startedAt <= at)?.name ?? 'preflight';
