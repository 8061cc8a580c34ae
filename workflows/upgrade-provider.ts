/** One upgrade of one provider: validate, look, choose the path, walk it, say how it ended. */
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
import { FAILURE } from '../src/contract/activities';
import { upgradeWorkflowId, type ProviderProfile } from '../src/contract/provider';
import { upgradeInput, type UpgradeInput, type UpgradeRequest } from '../src/contract/messages';
import {
  QUERY,
  type AuditEntry,
  type UpgradePlan,
  type UpgradeResult,
  type UpgradeStatus,
} from '../src/contract/status';
import type { EndFacts } from './facts';
import { PATHS } from './paths';
import { abortable } from './pipeline/abortable';
import { inventory } from './pipeline/activities';
import { Desk } from './pipeline/desk';
import { MaintenanceWindow } from './pipeline/maintenance-window';
import { Membership } from './pipeline/membership';
import type { UpgradePath } from './pipeline/path';
import { problemOf, problemsOf } from './pipeline/problem';
import { Reminders } from './pipeline/reminders';
import { runPath, type Upgrade } from './pipeline/run-path';
import { UpgradeRecord, now } from './pipeline/upgrade-record';
import { preflight, runPreflight } from './steps/preflight';

/** Input `{"provider":"contoso"}`; all else comes from the inventory, read once and frozen. A fleet brings what it has frozen. */
export const upgradeProvider = upgradeAlong(PATHS);

/** The workflow for a set of paths, so that a test can bring its own. */
export function upgradeAlong(paths: readonly UpgradePath[]): (input: UpgradeInput) => Promise<UpgradeResult> {
  return async (input) => {
    const { provider, startedBy, fleet } = read(input);
    const record = new UpgradeRecord(provider, workflowInfo().workflowId, startedBy);
    const desk = new Desk(record);
    setHandler(defineQuery<UpgradeStatus>(QUERY.status), () => record.status);
    setHandler(defineQuery<UpgradePlan>(QUERY.plan), () => record.answerPlan());
    setHandler(defineQuery<AuditEntry[]>(QUERY.audit), () => record.audit);
    const membership = fleet && new Membership(fleet, record);
    desk.listen();
    membership?.listen();
    refuseLateCancellation(record);

    record.begins([preflight]);
    void CancellationScope.nonCancellable(() => record.run());
    try {
      const profile = fleet?.profile ?? (await loadProfile(provider));
      return await upgradeOf(profile, record, desk, paths, membership);
    } catch (error) {
      if (!(error instanceof TemporalFailure)) throw error;
      if (record.status.endedAt === undefined) record.enterPhase(endBeforeAnyStep(error));
      record.publish();
      throw error;
    }
  };
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
  desk: Desk,
  paths: readonly UpgradePath[],
  membership: Membership | undefined,
): Promise<UpgradeResult> {
  const reminders = new Reminders(record, profile);
  const upgrade: Upgrade = { profile, record, desk, tell: (...notice) => reminders.tell(...notice) };
  void CancellationScope.nonCancellable(() => reminders.run());
  if (membership) {
    desk.heeds(membership);
    void CancellationScope.nonCancellable(() => membership.run());
  }
  if (profile.maintenance) desk.heeds(new MaintenanceWindow(record, profile.maintenance, upgrade.tell));
  try {
    const { path, facts } = await abortable(desk, () => runPreflight(upgrade, paths));
    record.follows(path);
    const end = await runPath(upgrade, path, facts);
    desk.closes();
    record.enterPhase('completed');
    const result = resultOf(record, path, end);
    await membership?.ends();
    await reminders.tellTheEnd('completed', `${profile.provider} runs ${path.to}`, summaryOf(result));
    return result;
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error;
    desk.closes();
    if (record.status.endedAt === undefined) record.enterPhase(endBeforeAnyStep(error));
    await membership?.ends(error);
    await reminders.tellTheEnd(
      'failed',
      `The upgrade of ${profile.provider} ended: ${record.status.state}`,
      problemOf(error),
    );
    throw error;
  }
}

/** Nothing was changed yet: either the provider may not be upgraded, or somebody stopped in time. */
function endBeforeAnyStep(error: TemporalFailure): 'refused' | 'rolledBack' {
  return isCancellation(error) || (error instanceof ApplicationFailure && error.type === FAILURE.aborted)
    ? 'rolledBack'
    : 'refused';
}

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

function resultOf({ status }: UpgradeRecord, { from, to }: UpgradePath, facts: EndFacts): UpgradeResult {
  const { provider, startedAt, crossedAt = '', endedAt = '', checks, provisioningOffSeconds = 0 } = status;
  return {
    provider,
    from,
    to,
    startedAt,
    crossedAt,
    completedAt: endedAt,
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
