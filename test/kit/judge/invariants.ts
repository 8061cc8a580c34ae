/**
 * The twelve invariants of an upgrade, judged by the sandbox's journal, its final state and Temporal's history; what the
 * workflow says of itself counts only where the invariant is about what it says. Pure: ./evidence.ts gathers what is
 * judged here, and every rehearsal does so at the end of each test.
 */
import type { HostIdentity } from '../../../src/contract/facts';
import type { SimulatedVersion } from '../../../src/contract/simulation';
import type { AuditEntry, UpgradeResult, UpgradeStatus } from '../../../src/contract/status';
import { withoutRelease } from '../../../src/contract/versions';
import type { JournalEntry } from '../../../src/sandbox/journal';
import type { SandboxState } from '../../../src/sandbox/server';

export type InvariantName = `I${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12}`;

/** An activity that the workflow has scheduled, in the order of the history. */
export interface ScheduledActivity {
  name: string;
  /** Its one argument. */
  input: unknown;
}

/** A message of a person, as Temporal has recorded it. */
export interface RecordedMessage {
  channel: 'signal' | 'update';
  name: string;
  /** Who says to have sent it; `unknown` where it does not say. */
  by: string;
}

/** One run of the workflow, from its start to its end or to now. */
export interface RunEvidence {
  startedAt: string;
  /** When the first one began of those that go on from what it has found: it was reset, or is finished by another. */
  begunAt: string;
  closedAt?: string;
  /** How Temporal says that it ended: `COMPLETED`, `FAILED`, `CANCELLED`, `TERMINATED`; `RUNNING` where it did not. */
  closed: string;
  /** The provider when the run began. */
  before: SandboxState;
  status: UpgradeStatus;
  /** What it ended with, where it has completed. */
  result?: UpgradeResult;
  audit: AuditEntry[];
  messages: RecordedMessage[];
  activities: ScheduledActivity[];
  /** Events of its history when it was looked at first. */
  historyLength: number;
  /** How many notices to people were begun. */
  notices: number;
  /** Failures of workflow tasks that only a defect of ours can cause. */
  defects: string[];
  /** What an open run waits for, as the server sees it: activities, timers, a workflow task. */
  pending: string[];
  /** Every text that Temporal keeps of it. */
  stored: string[];
}

/** What an operation keeps on a host's own disk. */
export interface HostRecord {
  host: string;
  /** Below the work directory: `records/...` or `backups/...`. */
  folder: string;
  kind: 'setupStarted' | 'setupEnded' | 'reset' | 'restored' | 'backup';
  operation: string;
  at: string;
  /** `<site>/<application>`, of those that are about one. */
  object?: string;
}

/** Everything that is known about what happened to one provider. */
export interface Evidence {
  provider: string;
  /** For whoever wants to see it again: the seed or the case. */
  seed?: string | undefined;
  /** Of the provider and of its endpoint hosts, in order. */
  journal: JournalEntry[];
  after: SandboxState;
  /** The versions that its sandbox knows. */
  versions: readonly SimulatedVersion[];
  /** In the order of their start. */
  runs: RunEvidence[];
  /** What was begun by runs that were ended while a workflow task of theirs waited: Temporal answers no question about them. */
  begunInSilence: ScheduledActivity[];
  /** Office 365 tasks that have to be processed before anything disruptive: by id, periodic ones left out. */
  tasksAtStart: number[];
  office365Tasks: number[];
  /** The provider's instances as the sandbox has created them. */
  instances: { id: number; cloud: string; resourceId: string; host: string }[];
  /** Whether an adapter proves consents; with the others a person confirms them. */
  verifiesConsent: boolean;
  /** Restarts of the Internet services that are known on the host's own disk to have ended well. */
  resets: { host: string; operation: string; at: string; covers: string[] }[];
  /** Everything that operations keep on the provider's hosts, those of other providers and of earlier upgrades as well. */
  records: HostRecord[];
  /** Passwords and tokens. */
  secrets: string[];
  /** Where the entry of the provider says that its systems are. */
  addresses: string[];
}

export interface Violation {
  invariant: InvariantName;
  /** What happened, and what should have. */
  says: string;
  /** The journal entries that show it. */
  entries: JournalEntry[];
}

interface Invariant {
  name: InvariantName;
  /** The promise, in one sentence. */
  promises: string;
  examine(evidence: Evidence): Omit<Violation, 'invariant'>[];
}

type Findings = ReturnType<Invariant['examine']>;

export const INVARIANTS: readonly Invariant[] = [
  {
    name: 'I1',
    promises: 'every change is effective exactly once, or not at all where the upgrade came back',
    examine: (evidence) => [
      ...repeatedEffects(evidence),
      ...repeatedSetups(evidence),
      ...repeatedResets(evidence),
      ...repeatedRestarts(evidence),
      ...wrongEnds(evidence),
    ],
  },
  {
    name: 'I2',
    promises: 'nothing is undone after the import was accepted or may have been',
    examine: undoneAfterCrossing,
  },
  {
    name: 'I3',
    promises:
      'nothing is disrupted before what the path switches off is off, and every task that it waits for is processed',
    examine: disruptedTooEarly,
  },
  {
    name: 'I4',
    promises: 'whatever was switched off is on again at the end, or the run waits for somebody who was told',
    examine: (evidence) => [...leftOff(evidence), ...clocksLeft(evidence)],
  },
  { name: 'I5', promises: 'never two upgrades at once on one provider or one endpoint host', examine: twoAtOnce },
  {
    name: 'I6',
    promises: 'once an upgrade turns back, nothing of the way forward is begun any more',
    examine: begunAfterTurningBack,
  },
  { name: 'I7', promises: 'a provider that must not be upgraded is not changed', examine: changedAlthoughRefused },
  {
    name: 'I8',
    promises:
      'no secret in history, status, audit trail or journal; no secret reference and no address of the entry in a history',
    examine: (evidence) => [...secretsShown(evidence), ...entryShown(evidence)],
  },
  {
    name: 'I9',
    promises: 'every message of a person has exactly one entry in the audit trail, and a gate is passed by one answer',
    examine: answersLost,
  },
  {
    name: 'I10',
    promises: 'every run says how it ended once it is closed and never before, or waits for something that has a name',
    examine: silentStalls,
  },
  {
    name: 'I11',
    promises: 'what an upgrade leaves on hosts carries its operation, and is mixed with nothing of another',
    examine: recordsOfOthers,
  },
  {
    name: 'I12',
    promises: 'a host is changed on the machine that the preflight has seen, and for the operation that has claimed it',
    examine: (evidence) => [...changedElsewhere(evidence), ...changedUnclaimed(evidence)],
  },
];

export function violationsIn(evidence: Evidence): Violation[] {
  return INVARIANTS.flatMap(({ name, examine }) => examine(evidence).map((found) => ({ invariant: name, ...found })));
}

export class InvariantsBroken extends Error {
  override readonly name = 'InvariantsBroken';

  constructor(
    { provider, seed }: Pick<Evidence, 'provider' | 'seed'>,
    readonly violations: Violation[],
  ) {
    const promises = Object.fromEntries(INVARIANTS.map(({ name, promises: promise }) => [name, promise]));
    const lines = violations.map(({ invariant, says, entries }) =>
      [`${invariant} (${promises[invariant]}): ${says}`, ...entries.map((entry) => `    ${shown(entry)}`)].join('\n'),
    );
    super(
      `Invariants broken by the upgrade of ${provider}${seed === undefined ? '' : `, ${seed}`}:\n${lines.join('\n')}`,
    );
  }
}

/** @throws InvariantsBroken with every invariant that does not hold, the journal entries, and the seed. */
export function expectInvariantsIn(evidence: Evidence): void {
  const violations = violationsIn(evidence);
  if (violations.length > 0) throw new InvariantsBroken(evidence, violations);
}

function shown({ seq, at, kind, system, host, name, object, outcome, detail }: JournalEntry): string {
  const about = [host, object, outcome, detail && JSON.stringify(detail)].filter((part) => part !== undefined);
  return `#${seq} ${at} ${kind} ${system} ${name} ${about.join(' ')}`;
}

// I1

/** Changes that nobody takes back, by what they are made to: at most one each in the life of a provider. */
const ONCE = [
  'packageImported',
  'instanceUpgradeStarted',
  'instanceUpgraded',
  'parameterRemoved',
  'storeSynchronised',
  'customizationUpdated',
];
/** At most one each in one run. */
const ONCE_PER_RUN = ['templateDeactivated', 'templateActivated'];

function repeatedEffects({ journal, runs }: Evidence): Findings {
  // What somebody else has switched on again may be switched off again.
  const reopened = (entries: JournalEntry[], { seq, object }: JournalEntry) =>
    entries.filter((each) => each.name === 'templateReopened' && each.object === object && each.seq < seq).length;
  const repeated = (names: string[], entries: JournalEntry[]): Findings =>
    groups(
      entries.filter(({ kind, name }) => kind === 'effect' && names.includes(name)),
      (entry) => `${entry.name} ${entry.object ?? ''}${' again'.repeat(reopened(entries, entry))}`,
    )
      .filter(({ members }) => members.length > 1)
      .map(({ key, members }) => ({ says: `${key} happened ${members.length} times`, entries: members }));
  return [...repeated(ONCE, journal), ...runs.flatMap((run) => repeated(ONCE_PER_RUN, during(journal, run)))];
}

/** A setup.cmd that died half-way is run again; one that has done its work is not, unless the site was put back since. */
function repeatedSetups({ journal, provider }: Evidence): Findings {
  const onSites = journal.filter(
    (entry) =>
      entry.kind === 'effect' && entry.provider === provider && ['setupRan', 'siteRestored'].includes(entry.name),
  );
  return groups(onSites, ({ host, object }) => `${object ?? ''} on ${host ?? ''}`).flatMap(({ key, members }) => {
    const again = members.filter((entry, index) => {
      const previous = members[index - 1];
      return entry.name === 'setupRan' && previous !== undefined && isSetUp(previous);
    });
    return again.length > 0
      ? [{ says: `setup.cmd had done its work for ${key} and was run again`, entries: members }]
      : [];
  });
}

const isSetUp = ({ name, detail }: JournalEntry): boolean => name === 'setupRan' && detail?.['files'] === 'all';

/**
 * Judged by the records on the host's disk, which are what a later attempt can know: a restart whose end nobody has seen is
 * repeated, and that costs a second interruption but no state. So is one of an earlier operation, whose records say nothing to
 * the next.
 */
function repeatedResets({ resets, journal }: Evidence): Findings {
  return groups(resets, ({ host, operation }) => `${host} for ${operation}`).flatMap(({ key, members }) => {
    const host = members[0]?.host;
    const inOrder = members.sort((a, b) => a.at.localeCompare(b.at));
    const needless = inOrder.filter((reset, index) =>
      inOrder.slice(0, index).some(({ covers }) => reset.covers.every((change) => covers.includes(change))),
    );
    const effects = journal.filter(
      (entry) => entry.kind === 'effect' && entry.name === 'iisReset' && entry.host === host,
    );
    return needless.map(({ at }) => ({
      says: `iisreset of ${key} at ${at} came after one that had covered every change`,
      entries: effects,
    }));
  });
}

/** What a release brings to a host is installed there once, and the host is restarted once for it. */
function repeatedRestarts({ journal }: Evidence): Findings {
  const onHosts = journal.filter(
    ({ kind, name }) => kind === 'effect' && ['prerequisiteInstalled', 'hostRestarted'].includes(name),
  );
  return groups(onHosts, ({ host }) => host ?? '').flatMap(({ key, members }) => {
    const restarts = members.filter(
      ({ name }, index) => name === 'hostRestarted' && members[index - 1]?.name === 'hostRestarted',
    );
    const installed = groups(
      members.filter(({ name }) => name === 'prerequisiteInstalled'),
      ({ object = '' }) => object,
    ).filter((each) => each.members.length > 1);
    return [
      ...(restarts.length > 0
        ? [{ says: `${key} was restarted again although nothing was installed since`, entries: members }]
        : []),
      ...installed.map((each) => ({
        says: `${each.key} was installed on ${key} ${each.members.length} times`,
        entries: each.members,
      })),
    ];
  });
}

function wrongEnds(evidence: Evidence): Findings {
  const last = evidence.runs.at(-1);
  if (!last) return [];
  const problems =
    last.closed === 'COMPLETED'
      ? unfinished(evidence, last)
      : last.status.state === 'rolledBack'
        ? differences(
            withoutGrowth(asOthersLeft(evidence, last), evidence, last),
            withoutGrowth(evidence.after, evidence, last),
          ).map((part) => `it was rolled back, and ${part} is not as before`)
        : [];
  return problems.map((says) => ({ says, entries: [] }));
}

/** What others have removed meanwhile is nobody's to restore, and what a person has answered for is his. */
function asOthersLeft({ journal, after }: Evidence, { before, status }: RunEvidence): SandboxState {
  const isThere = (name: string) => (each: { id: number }) =>
    !journal.some((entry) => entry.name === name && entry.object === String(each.id));
  return {
    ...before,
    ...(status.kept.some((each) => each.includes('a person has seen to')) ? { gateways: after.gateways } : {}),
    instances: before.instances.filter(isThere('instanceRemoved')),
    templates: before.templates.filter(isThere('templateRemoved')),
  };
}

/** What others have added, before its last run or since, is no matter of the upgrade's undo. */
function withoutGrowth(state: SandboxState, { journal }: Evidence, { before }: RunEvidence): SandboxState {
  const has = (name: string, id: string | number) =>
    journal.some((entry) => entry.name === name && entry.object === String(id));
  return {
    ...state,
    packages: state.packages.filter((version) => !has('packageAdded', version)),
    instances: state.instances.filter(({ id }) => !has('instanceAdded', id)),
    templates: state.templates
      .filter(({ id }) => !has('templateAdded', id))
      .map((one) => (has('templateReopened', one.id) ? { ...one, active: wasActive(before, one.id) } : one)),
    gateways: state.gateways.filter(({ host, site }) =>
      before.gateways.some((one) => one.host === host && one.site === site),
    ),
  };
}

const wasActive = ({ templates }: SandboxState, template: number): boolean =>
  templates.some(({ id, active }) => id === template && active);

/** Templates that are not active exactly as they were, or as others have wanted them since. */
function wronglySwitched({ after, journal }: Evidence, { before }: RunEvidence): number[] {
  const opened = (id: number) =>
    journal.some(({ name, object }) => ['templateAdded', 'templateReopened'].includes(name) && object === String(id));
  return after.templates.flatMap(({ id, active }) => (active === (opened(id) || wasActive(before, id)) ? [] : [id]));
}

/** What a completed upgrade has not done. */
function unfinished(evidence: Evidence, run: RunEvidence): string[] {
  const { after, journal, verifiesConsent, versions, instances } = evidence;
  const { before, status } = run;
  const problems: string[] = [];
  const expect = (holds: boolean, problem: string) => {
    if (!holds) problems.push(`it is completed, and ${problem}`);
  };
  const happened = (name: string, object: string) =>
    journal.some((entry) => entry.kind === 'effect' && entry.name === name && entry.object === object);
  const target = targetOf([{ status }]);
  const known = (version: string | undefined) => versions.find((one) => one.version === version);
  const isTarget = (packageVersion: string) => withoutRelease(packageVersion) === target;

  expect(after.packages.some(isTarget), `${target} is not imported`);
  const lastLook = journal.findLast(({ kind, name }) => kind === 'call' && name === 'pem.APS.getApplicationInstances');
  for (const { id, packageVersion, status: ready, consentOf } of after.instances) {
    const added = journal.find(({ name, object }) => name === 'instanceAdded' && object === String(id));
    // It came when all was over but the last words.
    if (added && added.seq > (lastLook?.seq ?? 0)) continue;
    expect(isTarget(packageVersion) && ready === 'Ready', `instance ${id} is ${ready} on ${packageVersion}`);
    const was = added
      ? (added.detail as { packageVersion: string })
      : before.instances.find((instance) => instance.id === id);
    const needed = was !== undefined && !isTarget(was.packageVersion);
    const { resourceId } = instances.find((instance) => instance.id === id) ?? {};
    const tests = journal.filter(({ name, object }) => name === 'GET testConnection' && object === resourceId);
    expect(!verifiesConsent || tests.length > 0, `Test Connection of instance ${id} was never pressed`);
    expect(
      happened('instanceUpgraded', String(id)) === needed,
      `instance ${id}, which was on ${was?.packageVersion ?? 'nothing'}, was ${needed ? 'never' : 'needlessly'} upgraded`,
    );
    expect(!verifiesConsent || consentOf !== null, `instance ${id} has no refresh token`);
  }
  const wrong = wronglySwitched(evidence, run);
  expect(wrong.length === 0, `service templates ${wrong.join(', ')} are not active exactly as before`);
  expect(after.synchronisation === before.synchronisation, `the synchronisation is ${after.synchronisation}`);
  const keepsEndpoint = status.steps.some(
    ({ name, state }) => name === 'upgradeEndpoints' && ['skipped', 'declined'].includes(state),
  );
  if (keepsEndpoint) expect(same(after.gateways, before.gateways), 'gateway sites are not as before');
  else
    for (const { host, site, state } of after.gateways)
      expect(isServed(state, known(target)), `"${site}" on ${host} is ${JSON.stringify(state)}`);
  const kept = known(target)?.parameters ?? [];
  const gone = (known(status.path?.from)?.parameters ?? []).filter((name) => !kept.includes(name));
  for (const name of gone) {
    const left = after.billingTemplates.filter(({ parameters }) => parameters.includes(name));
    expect(left.length === 0, `${name} is left on ${left.map(({ id }) => id).join(', ')}`);
  }
  for (const { id, parameters } of before.billingTemplates) {
    const has = after.billingTemplates.find((template) => template.id === id)?.parameters ?? [];
    const lost = parameters.filter((name) => !gone.includes(name) && !has.includes(name));
    expect(lost.length === 0, `billing template ${id} has lost ${lost.join(', ')}`);
  }
  return problems;
}

/** The files are those of the new version, and the services have loaded them. */
function isServed(state: unknown, target: SimulatedVersion | undefined): boolean {
  const { versions, served } = state as { versions?: string[]; served?: string[] };
  const isNew = (found: string[] | undefined) => found?.length === 1 && found[0] === target?.assemblyVersion;
  return isNew(versions) && isNew(served);
}

/** Parts of the provider's state that are not equal. */
function differences(before: SandboxState, after: SandboxState): string[] {
  return (Object.keys(before) as (keyof SandboxState)[]).filter((part) => !same(before[part], after[part]));
}

// I2

/** The caller was told no, or never got through: such an import is none. */
const REFUSED_IMPORT = /^(fault|refuse|401|error:)/;

/** The first import that stands, or of which its caller cannot know. */
function importOf(journal: JournalEntry[]): JournalEntry | undefined {
  return journal.find(
    ({ kind, name, outcome = '' }) =>
      (kind === 'call' && name === 'pem.APS.importPackage' && !REFUSED_IMPORT.test(outcome)) ||
      (kind === 'effect' && name === 'packageImported'),
  );
}

function undoneAfterCrossing({ journal, provider, runs }: Evidence): Findings {
  const crossing = importOf(journal);
  if (!crossing) return [];
  const since = journal.filter((entry) => entry.seq > crossing.seq);
  const undone = since.filter(
    (entry) =>
      (entry.kind === 'call' && entry.name === 'txn.Rollback') ||
      (entry.kind === 'call' && entry.name === 'restore' && entry.provider === provider) ||
      (entry.kind === 'effect' && entry.name === 'siteRestored' && entry.provider === provider),
  );
  const outdated = new Set(runs[0]?.before.instances.map(({ id }) => String(id)));
  const early = since.filter(({ kind, name, object = '' }) => {
    if (kind === 'effect' && name === 'instanceUpgraded') outdated.delete(object);
    return kind === 'effect' && name === 'templateActivated' && outdated.size > upgradedBefore(runs);
  });
  return [
    ...(undone.length > 0 ? [{ says: 'something was undone after the import', entries: [crossing, ...undone] }] : []),
    ...(early.length > 0
      ? [
          {
            says: 'provisioning was switched on after the import, before every instance was upgraded',
            entries: [crossing, ...early],
          },
        ]
      : []),
    ...runs
      .filter(({ status }) => ['rollingBack', 'rolledBack', 'rollbackIncomplete'].includes(status.state))
      .filter(
        ({ startedAt, closedAt }) => crossing.at >= startedAt && (closedAt === undefined || crossing.at <= closedAt),
      )
      .map(({ status }) => ({ says: `the run that imported the package is ${status.state}`, entries: [crossing] })),
  ];
}

function upgradedBefore(runs: RunEvidence[]): number {
  const target = targetOf(runs);
  return (
    runs[0]?.before.instances.filter(({ packageVersion }) => withoutRelease(packageVersion) === target).length ?? 0
  );
}

/** The version that the upgrade leads to; empty while no run knows its path. */
const targetOf = (runs: Pick<RunEvidence, 'status'>[]): string =>
  runs.find(({ status }) => status.path)?.status.path?.to ?? '';

// I3

const DISRUPTIVE = ['setup.cmd', 'iisreset', 'pem.APS.importPackage', 'pem.APS.upgradeApplicationInstance'];

function disruptedTooEarly(evidence: Evidence): Findings {
  return evidence.runs.flatMap((run) => [...disruptedTooEarlyIn(run, evidence), ...disruptedUnseen(run)]);
}

/** Each setup.cmd, each iisreset and the import has a look at the tasks of its own before it, where a program can look. */
function disruptedUnseen({ activities }: RunEvidence): Findings {
  // The first is that of the step which waits for the tasks.
  let looks = -1;
  for (const { name, input } of activities) {
    if (name === 'awaitTasksProcessed') looks += 1;
    const disrupts =
      ['runSetup', 'importPackage'].includes(name) ||
      (name === 'resetIis' && (input as { purpose?: string }).purpose === 'upgrade');
    if (!disrupts) continue;
    looks -= 1;
    // Without any there is no program that could look, or tasks do not matter on this path.
    if (looks < 0 && activities.some((each) => each.name === 'awaitTasksProcessed'))
      return [{ says: `${name} was begun without a look at the tasks directly before it`, entries: [] }];
    if (name === 'importPackage') break;
  }
  return [];
}

function disruptedTooEarlyIn(
  run: RunEvidence,
  { journal, provider, tasksAtStart, office365Tasks }: Evidence,
): Findings {
  // On a host that several providers share, a restart says of nobody whose it is; the setup.cmd before it does.
  const first = during(journal, run).find(
    (entry) => entry.kind === 'call' && DISRUPTIVE.includes(entry.name) && entry.provider === provider,
  );
  if (!first) return [];
  // What others do between the look and the call can be seen by nobody.
  const lookedAt = (name: string) =>
    journal.findLast((entry) => entry.kind === 'call' && entry.name === name && entry.seq < first.seq)?.seq ??
    first.seq;
  const unseen = ({ name, seq }: JournalEntry) =>
    (name === 'taskCreated' && seq > lookedAt('GET tasks')) ||
    (name === 'templateReopened' && seq > lookedAt('pem.getServiceTemplateList'));
  const earlier = journal.filter((entry) => entry.kind === 'effect' && entry.seq < first.seq && !unseen(entry));
  const named = (name: string) => earlier.filter((entry) => entry.name === name).map(({ object }) => Number(object));
  const processed = named('taskProcessed');
  const has = (step: string): boolean => run.status.steps.some(({ name }) => name === step);
  const open = [...tasksAtStart, ...named('taskCreated').filter((id) => office365Tasks.includes(id))].filter(
    (id) => has('drainTasks') && !processed.includes(id),
  );
  const since = during(earlier, { ...run, startedAt: run.begunAt });
  const synchronised =
    has('stopSynchronisation') &&
    run.before.synchronisation === 'on' &&
    !since.some(({ name }) => name === 'synchronisationStopped');
  const active = stillActive(run, since);
  return [
    ...(open.length > 0
      ? [{ says: `Office 365 tasks ${open.join(', ')} were not processed yet`, entries: [first] }]
      : []),
    ...(active.length > 0
      ? [{ says: `service templates ${active.join(', ')} were still active`, entries: [first] }]
      : []),
    ...(synchronised ? [{ says: 'the synchronisation was still on', entries: [first] }] : []),
  ];
}

/** Office 365 templates that were active when the run began, and that it has not switched off. */
function stillActive({ activities, before }: RunEvidence, effects: JournalEntry[]): number[] {
  const stopped = inputs(activities, 'deactivateTemplates', 'templateIds');
  const active = new Set(before.templates.filter((one) => one.active).map(({ id }) => id));
  for (const { name, object } of effects) {
    if (name === 'templateActivated' || name === 'templateReopened') active.add(Number(object));
    if (name === 'templateDeactivated') active.delete(Number(object));
  }
  return [...active].filter((id) => stopped.includes(id));
}

function inputs(activities: ScheduledActivity[], name: string, member: string): unknown[] {
  return activities
    .filter((activity) => activity.name === name)
    .flatMap(({ input }) => (input as Record<string, unknown>)[member]);
}

// I4

/** A run that somebody has ended by force, or that was never over, can promise nothing about its end. */
const isForced = ({ closed }: RunEvidence): boolean => closed === 'TERMINATED' || closed === 'TIMED_OUT';

/** Somebody wants it to stand still: a person, its fleet, or the windows of its provider. */
const restsBySomebody = ({ paused, fleet, window }: UpgradeStatus): boolean =>
  [paused, fleet?.paused, fleet?.parkedSince, window?.opensAt].some((rest) => rest !== undefined);

/** What was on when the run began and is off now, each with the changes that show it. */
function offNow(
  { before }: RunEvidence,
  { after, journal }: Evidence,
): { what: string; isOff: string; entries: JournalEntry[] }[] {
  const templates = before.templates
    .filter(({ id, active }) => active && after.templates.some((template) => template.id === id && !template.active))
    .map(({ id }) => id);
  const entries = journal.filter(
    ({ kind, name, object }) =>
      kind === 'effect' && name === 'templateDeactivated' && templates.some((id) => String(id) === object),
  );
  return [
    ...(templates.length > 0
      ? [{ what: 'provisioning', isOff: `service templates ${templates.join(', ')} are off`, entries }]
      : []),
    ...(before.synchronisation === 'on' && after.synchronisation === 'off'
      ? [{ what: 'synchronisation', isOff: 'the synchronisation is off', entries: [] }]
      : []),
  ];
}

function leftOff(evidence: Evidence): Findings {
  const last = evidence.runs.at(-1);
  if (!last || isForced(last)) return [];
  return offNow(last, evidence).flatMap(({ what, isOff, entries }) =>
    leftOffBy(last, what).map((but) => ({ says: `${isOff} ${but}`, entries })),
  );
}

function leftOffBy(run: RunEvidence, what: string): string[] {
  const { state, gates, holds, window, notUndone, switchedOff } = run.status;
  if (run.closed === 'RUNNING') {
    const waitsForPeople = gates.length + holds.length > 0;
    if (!waitsForPeople && !restsBySomebody(run.status) && run.pending.length === 0)
      return [`and the upgrade, ${state}, waits for nobody`];
    if (waitsForPeople && run.notices === 0) return ['and nobody was told of the open gates'];
    if (window?.opensAt !== undefined && run.notices === 0)
      return [`until a window opens at ${window.opensAt}, and nobody was told`];
    const says = switchedOff.some((off) => off.what === what);
    return says || state === 'rollingBack' ? [] : [`and the upgrade, ${state}, does not say so`];
  }
  const parked = state === 'rollbackIncomplete' && notUndone.length > 0;
  if (!parked) return [`and the upgrade ended as ${state}`];
  return run.notices > 0 ? [] : [`and the upgrade is ${state}, and nobody was told`];
}

/** What the upgrade says of everything that it has switched off, and for how long. */
function clocksLeft({ runs }: Evidence): Findings {
  return runs
    .filter((run) => !isForced(run) && run.closed !== 'RUNNING')
    .flatMap((run) => clocksLeftBy(run).map((says) => ({ says, entries: [] })));
}

function clocksLeftBy(run: RunEvidence): string[] {
  const { status, result, startedAt, closedAt = '' } = run;
  const { state, switchedOff, switchedOffSeconds, notUndone } = status;
  const told = ({ what }: { what: string }) => notUndone.some((each) => each.startsWith(`${what}:`));
  const left = switchedOff.filter((off) => state !== 'rollbackIncomplete' || !told(off)).map(({ what }) => what);
  const stopped = left.length > 0 ? [] : switchedOffBy(run).filter((what) => switchedOffSeconds[what] === undefined);
  // A run that was reset goes on from where it was: its story began before Temporal started it.
  const began = Math.min(Date.parse(startedAt), Date.parse(status.startedAt));
  const longest = Math.ceil((Date.parse(closedAt) - began) / 1000) + 1;
  const odd = Object.entries(switchedOffSeconds).filter(([, seconds]) => !(seconds >= 0 && seconds <= longest));
  return [
    ...left.map((what) => `${what} is off, and the upgrade ended as ${state}`),
    ...(state === 'completed' || state === 'rolledBack'
      ? stopped.map((what) => `${what} was off, and nothing says for how long`)
      : []),
    ...odd.map(([what, seconds]) => `${what} is said to have been off for ${seconds} s of ${longest} s`),
    ...(result && !same(result.switchedOffSeconds, switchedOffSeconds)
      ? [`the result says ${JSON.stringify(result.switchedOffSeconds)} and the status another time`]
      : []),
  ];
}

/** What it is known to have switched off: a step that is called stopProvisioning switches provisioning off. */
function switchedOffBy({ activities, status }: RunEvidence): string[] {
  const steps = status.steps.flatMap(({ name, state }) => {
    const [, what] = /^stop([A-Z].*)$/.exec(name) ?? [];
    return what !== undefined && state === 'done' ? [what.charAt(0).toLowerCase() + what.slice(1)] : [];
  });
  const provisioning = inputs(activities, 'deactivateTemplates', 'templateIds').length > 0 ? ['provisioning'] : [];
  return [...new Set([...steps, ...provisioning])];
}

// I5

function twoAtOnce(evidence: Evidence): Findings {
  const { journal, runs, provider } = evidence;
  const overlapping = runs.filter((run, index) => {
    const next = runs[index + 1];
    return next !== undefined && (run.closedAt === undefined || run.closedAt > next.startedAt);
  });
  return [
    ...overlapping.map(({ startedAt }) => ({
      says: `the run of ${provider} that began at ${startedAt} was not over when the next one began`,
      entries: [],
    })),
    ...sharedHosts(journal),
    ...resetsDuringUpgrades(evidence),
  ];
}

/** While an instance is being upgraded, nobody restarts the services of the host through which that happens. */
function resetsDuringUpgrades({ journal, instances }: Evidence): Findings {
  return journal.flatMap((begun) => {
    if (begun.kind !== 'effect' || begun.name !== 'instanceUpgradeStarted') return [];
    const { host } = instances.find(({ id }) => String(id) === begun.object) ?? {};
    const since = journal.filter(({ kind, seq }) => kind === 'effect' && seq > begun.seq);
    const ended = since.find(({ name, object }) => name === 'instanceUpgraded' && object === begun.object);
    const resets = since.filter(
      (entry) => entry.name === 'iisReset' && entry.host === host && entry.seq < (ended?.seq ?? 0),
    );
    return resets.map((reset) => ({
      says: `${host ?? ''} was reset while instance ${begun.object ?? ''} was being upgraded`,
      entries: [begun, reset],
    }));
  });
}

/** From the first change of a site to the restart that covers it, a host belongs to one upgrade. */
function sharedHosts(journal: JournalEntry[]): Findings {
  const onHosts = journal.filter(
    ({ kind, system, name }) =>
      kind === 'effect' && system === 'host' && ['setupRan', 'siteRestored', 'iisReset'].includes(name),
  );
  return groups(onHosts, ({ host }) => host ?? '').flatMap(({ key, members }) => {
    const found: Findings = [];
    let owner: JournalEntry | undefined;
    for (const entry of members) {
      if (entry.name === 'iisReset') owner = undefined;
      else if (owner !== undefined && owner.provider !== entry.provider)
        found.push({ says: `${owner.provider} and ${entry.provider} changed ${key} at once`, entries: [owner, entry] });
      else owner = entry;
    }
    return found;
  });
}

// I6

/** What only an upgrade on its way forward asks for. */
const FORWARD = [
  'deactivateTemplates',
  'awaitTasksProcessed',
  'backupSite',
  'stagePackage',
  'runHostScript',
  'restartHost',
  'runSetup',
  'importPackage',
  'upgradeInstance',
];

function begunAfterTurningBack({ runs }: Evidence): Findings {
  return runs.flatMap(({ activities }) => {
    const crossing = activities.findIndex(({ name }) => name === 'importPackage');
    const turn = activities.findIndex(
      ({ name, input }, index) =>
        (crossing < 0 || index < crossing) &&
        (name === 'restoreSite' ||
          name === 'activateTemplates' ||
          (name === 'resetIis' && (input as { purpose?: string }).purpose === 'rollback')),
    );
    if (turn < 0) return [];
    const begun = activities.slice(turn).filter(({ name }) => FORWARD.includes(name));
    return begun.map(({ name }) => ({
      says: `${name} was begun after ${activities[turn]?.name ?? ''} had begun to undo`,
      entries: [],
    }));
  });
}

// I7

/** Effects that customers, the clock and people bring about by themselves. */
const NOT_OURS = ['taskProcessed', 'taskCreated', 'consentGiven'];
/** Calls of a host that change it. */
export const CHANGING_CALLS: readonly string[] = [
  'pem.deactivateST',
  'pem.activateST',
  'txn.Begin',
  'pem.APS.importPackage',
  'txn.Commit',
  'pem.APS.upgradeApplicationInstance',
  'setup.cmd',
  'shutdown.exe',
  'Install-WindowsFeature',
  'run-script',
  'restart',
  'backup',
  'stage',
  'setup',
  'reset',
  'restore',
];

function changedAlthoughRefused({ journal, runs, instances, provider, versions: known }: Evidence): Findings {
  return runs.flatMap((run) => {
    const germany = instances.filter(
      ({ id, cloud }) => cloud === 'germany' && run.before.instances.some((one) => one.id === id),
    );
    const versions = run.before.instances.map(({ packageVersion }) => withoutRelease(packageVersion));
    const foreign = versions.filter((version) => !known.some((one) => one.version === version));
    const why =
      germany.length > 0
        ? `instance ${germany[0]?.id} is in Microsoft Cloud Germany`
        : foreign.length > 0
          ? `an instance is of version ${foreign[0]}`
          : run.status.state === 'refused'
            ? 'the upgrade is refused'
            : undefined;
    if (why === undefined) return [];
    const changes = during(journal, run).filter(
      (entry) =>
        entry.provider === provider &&
        (entry.kind === 'effect'
          ? entry.system !== 'sim' && !NOT_OURS.includes(entry.name)
          : CHANGING_CALLS.includes(entry.name)),
    );
    return changes.length > 0 ? [{ says: `${why}, and something was changed`, entries: changes }] : [];
  });
}

// I8

function secretsShown({ journal, runs, secrets }: Evidence): Findings {
  const places: [string, string[]][] = [
    ...runs.flatMap(({ stored, status, audit }): [string, string[]][] => [
      ['the history', stored],
      ['the status', [JSON.stringify(status)]],
      ['the audit trail', [JSON.stringify(audit)]],
    ]),
  ];
  const index = (texts: string[], secret: string) =>
    texts.find((text) => text.includes(secret) || text.includes(base64(secret)));
  return secrets.flatMap((secret) => [
    ...places.flatMap(([place, texts]) => {
      const found = index(texts, secret);
      return found === undefined
        ? []
        : [{ says: `${place} shows the secret that begins with ${secret.slice(0, 4)}`, entries: [] }];
    }),
    ...journal
      .filter((entry) => JSON.stringify(entry).includes(secret))
      .map((entry) => ({
        says: `the journal shows the secret that begins with ${secret.slice(0, 4)}`,
        entries: [entry],
      })),
  ]);
}

/** Whoever reads a history learns nothing that only the inventory has to know. */
function entryShown({ runs, addresses }: Evidence): Findings {
  return runs.flatMap(({ stored }) => [
    ...addresses
      .filter((address) => stored.some((text) => text.includes(address)))
      .map((address) => ({ says: `the history shows ${address}, which is an address of the entry`, entries: [] })),
    ...stored
      .flatMap((text) => /"(?:env|file):[^"]+"/.exec(text) ?? [])
      .map((reference) => ({ says: `the history shows the secret reference ${reference}`, entries: [] })),
  ]);
}

const base64 = (text: string): string => Buffer.from(text).toString('base64').replace(/=+$/, '');

// I9

/** The audit trail keeps no more than its newest 200 refusals. */
const MAX_REFUSALS = 200;

function answersLost({ runs }: Evidence): Findings {
  return runs.flatMap((run) => [...auditedOtherwise(run), ...passedOtherwise(run)]);
}

function auditedOtherwise({ audit, messages, closed }: RunEvidence): Findings {
  if (closed === 'TERMINATED' || audit.filter(({ verdict }) => verdict === 'refused').length >= MAX_REFUSALS) return [];
  const sent = counts(messages.map(({ channel, name, by }) => `${channel}:${name} of ${by}`));
  const kept = counts(
    audit.filter(({ what }) => /^(signal|update):/.test(what)).map(({ what, by }) => `${what} of ${by}`),
  );
  return [...new Set([...sent.keys(), ...kept.keys()])]
    .filter((message) => sent.get(message) !== kept.get(message))
    .map((message) => ({
      says: `${message} was sent ${sent.get(message) ?? 0} times, and stands in the audit trail ${kept.get(message) ?? 0} times`,
      entries: [],
    }));
}

/** A gate is opened, answered until an answer stands, and passed once; then it takes no answer until it is opened again. */
function passedOtherwise({ audit }: RunEvidence): Findings {
  const state = new Map<string, 'open' | 'verifying' | 'shut'>();
  const found: Findings = [];
  for (const { what, subject = '', verdict, detail, by } of audit) {
    const now = state.get(subject);
    if (what === 'gate' && detail.startsWith('opened')) state.set(subject, 'open');
    else if (/:(consentCompleted|confirmStep|decideStep|approveCrossing)$/.test(what) && verdict === 'accepted') {
      if (now !== 'open')
        found.push({ says: `an answer of ${by} to ${subject} was taken, which is ${now ?? 'no gate'}`, entries: [] });
      state.set(subject, 'verifying');
    } else if (what === 'gate') {
      if (now !== 'verifying')
        found.push({ says: `gate ${subject} says "${detail}" without an answer that was being verified`, entries: [] });
      state.set(subject, verdict === 'done' ? 'shut' : 'open');
    }
  }
  return found;
}

// I10

const ENDS: Record<string, UpgradeStatus['state'][]> = {
  COMPLETED: ['completed'],
  FAILED: ['refused', 'rolledBack', 'rollbackIncomplete'],
  CANCELLED: ['rolledBack'],
};

function silentStalls({ runs }: Evidence): Findings {
  return runs.flatMap((run) => {
    const { closed, status, pending, defects } = run;
    const found: Findings = defects.map((defect) => ({ says: `a workflow task failed: ${defect}`, entries: [] }));
    if (isForced(run)) return found;
    const { state, gates, holds } = status;
    if (closed === 'RUNNING') {
      const named = gates.length > 0 || holds.length > 0 || restsBySomebody(status) || pending.length > 0;
      if (status.endedAt !== undefined)
        found.push({ says: `it says that it ended as ${state}, and still runs`, entries: [] });
      else if (!named)
        found.push({ says: `it is ${state} in ${status.step ?? 'no step'} and waits for nothing`, entries: [] });
    } else if (!ENDS[closed]?.includes(state)) {
      found.push({ says: `it is ${closed} and says that it is ${state}`, entries: [] });
    } else if (gates.length + holds.length > 0) {
      found.push({ says: `it is ${closed} and still shows open gates or holds`, entries: [] });
    }
    return found;
  });
}

// I11

function recordsOfOthers({ records, runs, provider, journal }: Evidence): Findings {
  const mixed = groups(records, ({ host, folder }) => `${folder} on ${host}`).flatMap(({ key, members }) => {
    const operations = [...new Set(members.map(({ operation }) => operation))];
    return operations.length > 1 ? [`${key} is kept by ${operations.join(' and by ')}`] : [];
  });
  const own = records.filter(({ operation }) => operation.startsWith(`${provider}/`));
  // What a run that was ended by force had begun on a host goes on there, and may end in the time of the next one.
  const clear = runs.filter((_, index) => runs.slice(0, index).every((earlier) => !isForced(earlier)));
  return [...mixed, ...clear.flatMap((run) => keptOtherwise(run, own, during(journal, run), provider))].map((says) => ({
    says,
    entries: [],
  }));
}

function keptOtherwise(
  { status, result, closed, startedAt, closedAt }: RunEvidence,
  records: HostRecord[],
  journal: JournalEntry[],
  provider: string,
): string[] {
  const { operation } = status;
  const inTime = records.filter(({ at }) => at >= startedAt && (closedAt === undefined || at <= closedAt));
  const foreign = inTime.filter((record) => record.operation !== operation);
  const has = (kind: HostRecord['kind'], { host, object }: JournalEntry) =>
    records.some(
      (one) => one.kind === kind && one.operation === operation && one.host === host && one.object === object,
    );
  const setUp = journal.filter(
    (entry) => entry.kind === 'effect' && entry.name === 'setupRan' && entry.provider === provider,
  );
  return [
    ...foreign.map(
      ({ kind, folder, operation: whose }) =>
        `${kind} in ${folder} is of ${whose}, and ${operation ?? 'no operation'} was at work`,
    ),
    ...(closed === 'COMPLETED' && (operation === undefined || result?.operation !== operation)
      ? [`it is completed as ${result?.operation ?? 'no operation'}, and its status names ${operation ?? 'none'}`]
      : []),
    ...setUp.flatMap((entry) =>
      (['backup', 'setupStarted'] as const)
        .filter((kind) => !has(kind, entry))
        .map((kind) => `setup.cmd ran for ${entry.object ?? ''}, and there is no ${kind} of ${operation ?? 'it'}`),
    ),
  ];
}

// I12

/** What scripts of Onward do to a host. It may be restarted by anybody. */
const CHANGES_OF_HOSTS = ['setupRan', 'siteRestored', 'iisReset', 'prerequisiteInstalled', 'registryValueSet'];

const changesOfHosts = (journal: JournalEntry[]): JournalEntry[] =>
  journal.filter(({ kind, system, name }) => kind === 'effect' && system === 'host' && CHANGES_OF_HOSTS.includes(name));

/** Judged by the machine that each change happened on, and the machines that activities were sent to. */
function changedElsewhere({ journal, runs, begunInSilence, provider }: Evidence): Findings {
  const begun = [...begunInSilence, ...runs.flatMap(({ activities }) => activities)];
  const frozen = new Set(begun.flatMap(({ input }) => machineOf(input) ?? []));
  const elsewhere = changesOfHosts(journal).filter(
    (entry) => entry.provider === provider && !frozen.has(String(entry.detail?.['machine'])),
  );
  return elsewhere.length === 0
    ? []
    : [{ says: 'a host was changed on a machine that the preflight had not seen', entries: elsewhere }];
}

function machineOf(input: unknown): string | undefined {
  const { host } = (input ?? {}) as { host?: { identity?: HostIdentity } };
  return typeof host === 'object' ? host.identity?.smbiosUuid : undefined;
}

function changedUnclaimed({ journal, provider }: Evidence): Findings {
  const unclaimed = changesOfHosts(journal).filter(
    (entry) => entry.provider === provider && !String(entry.detail?.['claimedBy']).startsWith(`${provider}/`),
  );
  return unclaimed.length === 0
    ? []
    : [{ says: 'a host was changed that no operation of the provider had claimed', entries: unclaimed }];
}

// For all

const during = (journal: JournalEntry[], { startedAt, closedAt }: RunEvidence): JournalEntry[] =>
  journal.filter(({ at }) => at >= startedAt && (closedAt === undefined || at <= closedAt));

function groups<T>(items: T[], keyOf: (item: T) => string): { key: string; members: T[] }[] {
  const found = new Map<string, T[]>();
  for (const item of items) found.set(keyOf(item), [...(found.get(keyOf(item)) ?? []), item]);
  return [...found].map(([key, members]) => ({ key, members }));
}

const counts = (texts: string[]): Map<string, number> =>
  new Map(groups(texts, (text) => text).map(({ key, members }) => [key, members.length]));

/** Both are plain data in canonical order. */
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
