/** Upgrade of one application instance (systems.md 1.4.2). */
import { Context } from '@temporalio/activity';
import { FAILURE } from '../src/contract/activities';
import { isNewer, withoutRelease } from '../src/contract/versions';
import type { Office365Application } from '../src/systems/office365-application';
import type { OperationsClient } from '../src/systems/operations';
import { SystemError, isSystemError } from '../src/systems/system-error';
import { poll, type Polling, type Report, type Wait } from './polling';

/**
 * How far the upgrade is, as a later attempt finds it: `asked` before the call that starts it, `accepted` after its answer,
 * `upgrading` once Operations shows so. Nothing is reported before, so that the first report goes out without delay.
 */
type Phase = 'asked' | 'accepted' | 'upgrading';

/** Starts the upgrade unless it is done or on its way, and returns when the instance is `Ready` with the new version. */
export async function upgradeInstance(
  operations: OperationsClient,
  application: Office365Application,
  input: { instanceId: number; version: string },
  polling: Polling,
  report: Report,
): Promise<void> {
  const { instanceId, version } = input;
  let phase = reportedPhase();
  const enter = (next: Phase) => {
    phase = next;
    report({ phase });
  };
  const start = async () => {
    await refuseNewer(application, version);
    enter('asked');
    try {
      await operations.upgradeApplicationInstance(instanceId, version);
    } catch (error) {
      // Certainly not started: the next attempt may ask at once.
      if (isSystemError(error, FAILURE.unreachable, FAILURE.rejected)) report({});
      throw error;
    }
    enter('accepted');
  };

  const began = performance.now();
  const wait: Wait = {
    system: 'Operations',
    call: 'pem.APS.upgradeApplicationInstance',
    object: `application instance ${instanceId}`,
    next: 'Find its task under Operations > Tasks, repair what keeps it, resubmit it, then retry.',
  };
  await poll(polling, wait, async () => {
    const now = await operations.applicationInstance(instanceId);
    const open = { open: `it is ${now.status} on ${now.packageVersion}` };
    const upgraded = withoutRelease(now.packageVersion) === withoutRelease(version);
    if (now.status !== 'Ready') {
      if (now.status === 'Upgrading') enter('upgrading');
      return open;
    }
    if (upgraded) return { found: now };
    switch (phase) {
      case undefined:
        await start();
        break;
      case 'asked':
        // An earlier attempt asked and got no answer: its task may still be in the queue.
        if (performance.now() - began >= polling.absenceMs) await start();
        break;
      case 'accepted':
        break;
      case 'upgrading':
        throw new SystemError({
          type: FAILURE.rejected,
          system: 'Operations',
          call: 'pem.APS.upgradeApplicationInstance',
          object: `application instance ${instanceId}`,
          problem: `ended without success: the instance is Ready and still of version ${now.packageVersion}`,
          next: 'Look for its task under Operations > Tasks and in the task log, repair the cause, then retry.',
        });
    }
    return open;
  });
}

/** Where the platform does not heed which version it is asked for, an instance gets the newest one that is enabled (systems.md 1.4). */
async function refuseNewer(application: Office365Application, version: string): Promise<void> {
  const { enabledVersions, disabledVersions = [] } = await application.packageList();
  if (disabledVersions.includes(version))
    throw new SystemError({
      type: FAILURE.rejected,
      system: 'APS controller',
      call: 'the package list',
      object: version,
      problem: 'is not enabled: no instance can be upgraded to it',
      next: 'Enable it in the Provider Control Panel, under Versions of the application, then retry.',
    });
  const newer = enabledVersions.filter((enabled) => isNewer(enabled, version));
  if (newer.length === 0) return;
  throw new SystemError({
    type: FAILURE.rejected,
    system: 'APS controller',
    call: 'the package list',
    object: newer.join(', '),
    problem: `is enabled and newer than ${version}: instances would get it instead`,
    next: 'Disable it in the Provider Control Panel, under Versions of the application, then retry.',
  });
}

function reportedPhase(): Phase | undefined {
  const details: unknown = Context.current().info.heartbeatDetails;
  if (typeof details !== 'object' || details === null || !('phase' in details)) return undefined;
  const { phase } = details;
  return phase === 'asked' || phase === 'accepted' || phase === 'upgrading' ? phase : undefined;
}
