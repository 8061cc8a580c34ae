/** One upgrade of one provider: validate, look, choose the path, walk it, say how it ends. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  TemporalFailure,
  defineQuery,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import { upgradeWorkflowId, type ProviderProfile } from '../../src/contract/provider';
import type { FleetMembership } from '../../src/contract/fleet';
import { upgradeInput, type UpgradeInput, type UpgradeRequest } from '../../src/contract/messages';
import {
  QUERY,
  type AuditEntry,
  type UpgradePlan,
  type UpgradeResult,
  type UpgradeStatus,
} from '../../src/contract/status';
import type { EndFacts } from '../steps/facts';
import { PATHS } from '../releases/index';
import { abortable } from '../engine/abortable';
import { inventory } from '../kit/activities';
import { People } from '../people/answers';
import { failedState, type UpgradeEnd } from './outcome';
import { WindowBlocker } from './maintenance-window';
import { Membership } from './fleet-membership';
import type { UpgradePath } from '../engine/path';
import { problemOf, problemsOf } from '../kit/problem';
import { Reminders } from '../people/reminders';
import { runPath, type Upgrade } from '../engine/run-path';
import { UpgradeRecord, now } from './upgrade-record';
import { preflight, runPreflight } from '../steps/preflight';

/** Input `{"provider":"contoso"}`; all else comes from the inventory, read once and frozen. A fleet brings what it has frozen. */
export const upgradeProvider = upgradeAlong(PATHS);

/** The workflow for a set of paths, so that a test can bring its own. */
export function upgradeAlong(paths: readonly UpgradePath[]): (input: UpgradeInput) => Promise<UpgradeResult> {
  return async (input) => {
    const { provider, startedBy, fleet } = read(input);
    const record = new UpgradeRecord(provider, workflowInfo().workflowId, startedBy);
    const people = new People(record);
    setHandler(defineQuery<UpgradeStatus>(QUERY.status), () => record.status);
    setHandler(defineQuery<UpgradePlan>(QUERY.plan), () => record.answerPlan());
    setHandler(defineQuery<AuditEntry[]>(QUERY.audit), () => record.audit);
    const membership = fleet && new Membership(fleet, record);
    people.listen();
    membership?.listen();
    refuseLateCancellation(record);

    record.begins([preflight]);
    void CancellationScope.nonCancellable(() => record.run());
    const profile = await profileOf(provider, fleet);
    const end =
      profile instanceof TemporalFailure
        ? failed(record, profile)
        : await upgradeOf(profile, record, people, paths, membership);
    // An upgrade is over when its workflow closes, and says so in the same workflow task: nothing is awaited from here on.
    record.closes(end);
    if (end.failure) throw end.failure;
    return end.result;
  };
}

/** @returns a failure where nobody knows the provider: then nobody is known either who could be told. */
async function profileOf(
  provider: string,
  fleet: FleetMembership | undefined,
): Promise<ProviderProfile | TemporalFailure> {
  try {
    return fleet?.profile ?? (await loadProfile(provider));
  } catch (error) {
    if (error instanceof TemporalFailure) return error;
    throw error;
  }
}

/** What is wrong with the inventory is what the workflow fails with, not that an activity failed. */
async function loadProfile(provider: string): Promise<ProviderProfile> {
  try {
    return await inventory.loadProvider(`read ${provider} from the inventory`, { provider });
  } catch (error) {
    throw error instanceof ActivityFailure && error.cause instanceof ApplicationFailure ? error.cause : error;
  }
}

async function upgradeOf(
  profile: ProviderProfile,
  record: UpgradeRecord,
  people: People,
  paths: readonly UpgradePath[],
  membership: Membership | undefined,
): Promise<UpgradeEnd> {
  const reminders = new Reminders(record, profile);
  const upgrade: Upgrade = { profile, record, people, tell: (...notice) => reminders.tell(...notice) };
  void CancellationScope.nonCancellable(() => reminders.run());
  if (membership) {
    people.addBlocker(membership);
    void CancellationScope.nonCancellable(() => membership.run());
  }
  const window = profile.maintenance && new WindowBlocker(record, profile.maintenance, upgrade.tell);
  if (window) people.addBlocker(window);
  const end = await walk(upgrade, paths);
  people.closes('it is about to end');
  window?.ends();
  // Side by side: a notice that is delivered before the upgrade closes costs it a workflow task more.
  await Promise.all([tellTheEnd(reminders, profile, end), membership?.ends(end)]);
  return end;
}

async function tellTheEnd(reminders: Reminders, { provider }: ProviderProfile, end: UpgradeEnd): Promise<void> {
  if (end.failure)
    await reminders.tellTheEnd('failed', `The upgrade of ${provider} ended: ${end.state}`, problemOf(end.failure));
  else await reminders.tellTheEnd('completed', `${provider} runs ${end.result.to}`, summaryOf(end.result));
}

async function walk(upgrade: Upgrade, paths: readonly UpgradePath[]): Promise<UpgradeEnd> {
  const { people, record } = upgrade;
  try {
    const { path, facts } = await abortable(people, () => runPreflight(upgrade, paths));
    record.follows(path);
    const given = await runPath(upgrade, path, facts);
    const endedAt = now();
    return { state: 'completed', endedAt, result: resultOf(record, path, given, endedAt) };
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error;
    return failed(record, error);
  }
}

const failed = ({ status }: UpgradeRecord, failure: TemporalFailure): UpgradeEnd => ({
  state: failedState(status, failure),
  endedAt: now(),
  failure,
});

/**
 * All problems of the input in one failure, before anything else happens. The workflow's id is one of them: it is what
 * keeps two upgrades of one provider apart.
 */
function read(input: unknown): UpgradeRequest {
  const parsed = upgradeInput.safeParse(input);
  const expected = parsed.success ? upgradeWorkflowId(parsed.data.provider) : undefined;
  const { workflowId } = workflowInfo();
  if (parsed.success && workflowId === expected) return parsed.data;
  const problem = parsed.success
    ? `the workflow id is "${workflowId}" and has to be "${expected}", so that no provider is upgraded twice at once`
    : problemsOf(parsed.error);
  throw ApplicationFailure.nonRetryable(
    `upgradeProvider cannot start: ${problem}. The input reads {"provider":"<id in the inventory>"}, with "startedBy" where the crossing needs an approval.`,
    FAILURE.invalidInput,
  );
}

/** Before the crossing a cancellation undoes everything; after it, it reaches nothing, and whoever asked can read why. */
function refuseLateCancellation(record: UpgradeRecord): void {
  CancellationScope.current().cancelRequested.catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
    record.write({
      by: 'unknown',
      what: 'cancel',
      ...(record.status.crossed
        ? {
            verdict: 'refused',
            detail: `${FAILURE.pastPointOfNoReturn}: the package import has begun, nothing can be undone any more. The upgrade goes on.`,
          }
        : { verdict: 'accepted', detail: 'Everything done so far is being undone.' }),
    });
    if (record.status.crossed) record.status.cancelRefusedAt = now();
    record.show();
  });
}

function resultOf(
  { status }: UpgradeRecord,
  { from, to }: UpgradePath,
  facts: EndFacts,
  completedAt: string,
): UpgradeResult {
  const { provider, startedAt, crossedAt = '', checks, provisioningOffSeconds = 0 } = status;
  return {
    provider,
    from,
    to,
    startedAt,
    crossedAt,
    completedAt,
    packageVersion: facts.imported.packageVersion,
    instances: facts.operations.instances.length,
    sites: facts.sites.length,
    provisioningOffSeconds,
    warnings: checks.filter(({ verdict }) => verdict === 'warning').map(({ message }) => message),
  };
}

const summaryOf = ({ from, to, instances, sites, provisioningOffSeconds, warnings }: UpgradeResult): string =>
  [
    `${instances} instances and ${sites} gateway sites went from ${from} to ${to}.`,
    `Provisioning was off for ${provisioningOffSeconds} s.`,
    ...warnings.map((warning) => `- ${warning}`),
  ].join('\n');
