/**
 * A look before the upgrade: what its preflight would find, what its first steps would ask, what each step would change. It is made of
 * the same checks and the same steps, and changes nothing: it takes hold of nothing, and asks nobody.
 */
import { ApplicationFailure, TemporalFailure, isCancellation } from '@temporalio/workflow';
import { entryOf, type FrozenProfile } from '../../src/contract/entry';
import { ownApplication } from '../../src/contract/facts';
import { heldBy, instancesOf, leavesSomething, leftBy } from '../../src/contract/ledger';
import type { OffFor, PreflightReport, PreflightRequest } from '../../src/contract/preflight';
import type { CheckResult, PlannedStep, Question } from '../../src/contract/status';
import { activitiesFor } from '../kit/activities';
import { listed } from '../kit/listed';
import { now } from '../kit/now';
import { problemOf } from '../kit/problem';
import { answered, type reading as readingOf } from '../kit/reading';
import { AT_ONCE, settleEach } from '../kit/settle-all';
import type { Catalogue, Chosen } from './catalogue';
import { examine, type Examination } from './examination';
import { Installation } from './installation';
import { stepsOf, type Placed } from './path';
import { plannedPath, plannedPreflight } from './planned-steps';
import type { PreflightFacts } from './preflight-facts';
import { installationRefusal } from './preflight';
import type { ReadingStep, StepContext } from './step';

/** @param run of the workflow that looks. @param reading how each system is read. */
export async function lookBefore(
  profile: FrozenProfile,
  catalogue: Catalogue,
  { to, startedBy }: PreflightRequest,
  run: { workflowId: string; firstRun: string },
  reading: typeof readingOf,
): Promise<PreflightReport> {
  const seen = await examine(profile, catalogue, { to, startedBy }, reading);
  const { choice, facts, results } = seen;
  const chosen = choice?.chosen;
  const [ledger, first, besides] = await Promise.all([
    lookAtLedger(profile, seen, reading),
    chosen && facts ? takeFirstLooks(profile, chosen, facts, run) : undefined,
    facts ? lookBesides(profile, facts, reading) : [],
  ]);
  const checks = [...results, ...ledger, ...(first?.checks ?? []), ...besides];
  const steps = chosen ? planOf(profile, chosen, seen, first?.asks) : [];
  return {
    provider: profile.provider,
    at: now(),
    verdict: checks.some(({ verdict }) => verdict === 'refusal') ? 'refused' : 'clear',
    ...(chosen ? { path: { from: chosen.from, to: chosen.release.version } } : {}),
    checks,
    steps,
    off: chosen ? offIn(chosen, steps) : [],
  };
}

/** Whether another upgrade has the installation, or has left something; an upgrade would be refused for it. */
async function lookAtLedger(
  { provider, timings }: FrozenProfile,
  { readings: { operations } }: Examination,
  reading: typeof readingOf,
): Promise<CheckResult[]> {
  const instances = answered(operations) ? instancesOf(operations.value.instances) : [];
  if (instances.length === 0) return [];
  const { ledger } = activitiesFor(timings);
  const read = await reading('the ledger', () => ledger.readLedger('read the ledger', { provider, instances }));
  if (!answered(read)) return [installationRefusal(read.problem)];
  const { kept: known } = read.value;
  const holder = known?.ledger.holder;
  if (!known || !holder) return [];
  if (known.holderRuns && !known.ledger.left) return [installationRefusal(heldBy(holder))];
  return leavesSomething(known.ledger) ? [installationRefusal(leftBy(known.ledger))] : [];
}

/** Looks that come before the first change are taken as the upgrade takes them; what it would ask then is noted. */
async function takeFirstLooks(
  profile: FrozenProfile,
  { path, from, release: { version: to } }: Chosen,
  facts: PreflightFacts,
  { workflowId, firstRun }: { workflowId: string; firstRun: string },
): Promise<{ checks: CheckResult[]; asks: Record<string, Question[]> }> {
  const activities = activitiesFor(profile.timings);
  const operation = { provider: profile.provider, from, to, firstRun, workflowId };
  const checks: CheckResult[] = [];
  const asks: Record<string, Question[]> = {};
  let known: object = { ...facts, ...path.already };
  for (const { heading, step } of firstLooks(path.before)) {
    const asked: Question[] = [];
    const context: StepContext = {
      profile,
      activities,
      operation,
      installation: new Installation(activities.ledger, { installation: '', operation, instances: [] }),
      from,
      to,
      note: () => undefined,
      warn: () => undefined,
      checkpoint: async () => undefined,
      lookAgain: async () => undefined,
      forwardOnly: () => undefined,
      waits: () => 0,
      hosts: { areFree: () => true, say: () => undefined },
      ask: ({ asked: whom, title }) => {
        asked.push({ asked: whom, what: title, times: 1 });
        throw ApplicationFailure.nonRetryable(`Only looked: ${title}`, ONLY_LOOKED);
      },
      awaitHost: () => undefined,
      switched: () => undefined,
    };
    asks[step.name] = asked;
    try {
      known = { ...known, ...(await step.run(context, known as never)) };
    } catch (error) {
      if (!(error instanceof TemporalFailure) || isCancellation(error)) throw error;
      // What comes after an answer is not known without it.
      if (error instanceof ApplicationFailure && error.type === ONLY_LOOKED) break;
      checks.push({ name: step.name, source: heading, verdict: 'refusal', message: problemOf(error) });
      break;
    }
  }
  return { checks, asks };
}

const ONLY_LOOKED = 'OnlyLooked';

function firstLooks(before: Chosen['path']['before']): Placed<ReadingStep<never, object>>[] {
  const looks: Placed<ReadingStep<never, object>>[] = [];
  for (const { heading, step } of before) {
    if (step.kind !== 'reading' || step.keepsQuiet) break;
    looks.push({ heading, step });
  }
  return looks;
}

/** What stands against no upgrade today, and is better known before. */
async function lookBesides(
  profile: FrozenProfile,
  { operations: facts }: PreflightFacts,
  reading: typeof readingOf,
): Promise<CheckResult[]> {
  const { operations, microsoft } = activitiesFor(profile.timings);
  const tasks = async (): Promise<CheckResult[]> => {
    if (profile.taskMonitor.adapter === 'gate') return [];
    const said = await reading('task monitor', () =>
      operations.readOpenTasks('read the open Office 365 tasks', {
        entry: entryOf(profile, 'taskMonitor'),
        application: ownApplication(facts),
      }),
    );
    const check = { name: 'openTasks', source: 'Upgrade Procedure: all Office 365 tasks are processed' };
    if (!answered(said)) return [{ ...check, verdict: 'warning', message: `The task monitor: ${said.problem}` }];
    const { open } = said.value;
    if (open.length === 0) return [{ ...check, verdict: 'pass', message: 'No Office 365 task is open.' }];
    const named = listed(open.map(({ id, name, status }) => `#${id} ${name} (${status})`));
    return [
      {
        ...check,
        verdict: 'warning',
        message: `Open now: ${named}. The upgrade waits for them with provisioning off, and stops where one has failed. Resubmit or cancel those under Operations > Tasks.`,
      },
    ];
  };
  const connections = async (): Promise<CheckResult[]> => {
    if (profile.connectionTest.adapter === 'gate') return [];
    return await settleEach(facts.instances, AT_ONCE, async ({ id, name, resourceId }): Promise<CheckResult> => {
      const said = await reading(`Test Connection of "${name}"`, () =>
        microsoft.testConnection(`test the connection of "${name}"`, {
          entry: entryOf(profile, 'connectionTest'),
          instance: { id, name, resourceId },
        }),
      );
      const check = { name: 'connections', source: 'Perform post-upgrade validation: Test Connection' };
      if (!answered(said)) return { ...check, verdict: 'warning', message: `${said.what}: ${said.problem}` };
      if (said.value.ok) return { ...check, verdict: 'pass', message: `${said.what} succeeds.` };
      const failed = said.value.checks.filter(({ ok }) => !ok);
      return {
        ...check,
        verdict: 'warning',
        message: `${said.what} fails today. ${failed.map((each) => `${each.name}: ${each.message ?? 'no reason given'}`).join('; ')}`,
      };
    });
  };
  return (await Promise.all([tasks(), connections()])).flat();
}

function planOf(
  profile: FrozenProfile,
  { path, release }: Chosen,
  { facts, found }: Examination,
  asks: Record<string, Question[]> = {},
): PlannedStep[] {
  const asked = found.flatMap(({ finding }): Question[] =>
    finding.verdict === 'ask' ? [{ asked: 'operator', what: finding.message, times: 1 }] : [],
  );
  const foreseen = facts && { profile, to: release.version, facts };
  return [{ ...plannedPreflight(), asks: asked }, ...plannedPath(path, release, foreseen)].map((step) =>
    asks[step.name] ? { ...step, asks: [...(step.asks ?? []), ...(asks[step.name] ?? [])] } : step,
  );
}

function offIn({ path }: Chosen, planned: readonly PlannedStep[]): OffFor[] {
  const steps = stepsOf(path).map(({ step }) => step);
  return steps.flatMap((step) => {
    if (step.kind !== 'reversible' || step.switchesOff === undefined) return [];
    const { name: from, switchesOff: what } = step;
    const on = steps.find((other) => other.kind === 'forward' && other.switchesOn === what);
    if (!on) return [];
    const indexOf = (wanted: string): number => planned.findIndex(({ name }) => name === wanted);
    const between = planned.slice(indexOf(from), indexOf(on.name) + 1).filter(({ applies }) => applies !== false);
    const sum = (numbers: number[]): number => numbers.reduce((all, each) => all + each, 0);
    return [
      {
        what,
        from,
        to: on.name,
        seconds: sum(between.map(({ takes = 0 }) => takes)),
        questions: sum(between.flatMap(({ asks = [] }) => asks.map(({ times }) => times))),
      },
    ];
  });
}
