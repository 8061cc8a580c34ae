import { randomUUID } from 'node:crypto';
import { FAILURE, type EndpointActivities } from '../src/contract/activities';
import { unsafeForCommandLine } from '../src/contract/command-line';
import type { SetupResult } from '../src/contract/facts';
import { operationId } from '../src/contract/operation';
import { redact } from '../src/inventory/secrets';
import { differences } from '../src/systems/endpoint/planned-site';
import type { Inspection, SetupEnded } from '../src/systems/endpoint/scripts';
import { siteVersion } from '../src/systems/endpoint/site-version';
import { lastSetup, recordedChanges, recordsFolder } from '../src/systems/endpoint/upgrade-records';
import { isSystemError } from '../src/systems/system-error';
import { keyOf, nameOf, only, type HostWork } from './host-work';
import { allowedPackage } from './stage-package';

type Input = Parameters<EndpointActivities['runSetup']>[0];

/** Windows Installer has done its work, and wants a restart: on its way already, or not. */
const RESTART_WANTED: ReadonlySet<number> = new Set([1641, 3010]);
/**
 * Lines of its log that speak of trouble. Assumption: setup.cmd speaks English. KB 125792: it says that the database has drifted from its
 * data-tier application, and ends with 0 or 1, with all files new.
 */
const DRIFT = String.raw`\bdrift`;
const REMARKABLE = String.raw`${DRIFT}|(?<!\b(?:0|no|without) )\b(?:errors?|exceptions?|failed|failures?)\b(?!\W+0\b)`;

/**
 * Runs setup.cmd unless it has done its work already. One that still runs is waited for, never joined by a second one; files
 * of both versions are what a setup.cmd that died leaves behind, and are set up again.
 */
export async function runSetup(work: HostWork, input: Input): Promise<SetupResult> {
  const { site, operation, sha256 } = input;
  refuseUnsafeNames(work, input);
  allowedPackage(work, operation, sha256);
  const before = await work.untilNoSetupRuns([site], operation);
  refuseOtherSite(work, input, before);
  const done = finished(before, input);
  if (done !== undefined) return done;
  try {
    return await setUp(work, input, before);
  } catch (error) {
    if (!isSystemError(error, FAILURE.outcomeUnknown)) throw error;
    const result = finished(await work.untilNoSetupRuns([site], operation), input);
    if (result === undefined) throw error;
    return result;
  }
}

/** How setup.cmd has ended, when the files say that it has; its exit code alone, or theirs, is not enough. */
function finished(seen: Inspection, { site, operation }: Input): SetupResult | undefined {
  const { from, to } = operation;
  if (siteVersion(only(seen), from, to, site.host).deployed !== 'new') return undefined;
  const last = lastSetup(seen, site);
  if (last === undefined)
    return {
      exitCode: 0,
      log: `The files are those of ${to}; how setup.cmd ended was not seen.`,
      remarks: [],
      restartWanted: false,
    };
  return hasDone(last) ? resultOf(last, seen) : undefined;
}

/** By its exit code, where the files are those of the new version. */
const hasDone = ({ exitCode, remarks }: SetupEnded): boolean =>
  exitCode === 0 || RESTART_WANTED.has(exitCode) || remarks.some((line) => new RegExp(DRIFT, 'i').test(line));

const resultOf = ({ exitCode, log, remarks, at }: SetupEnded, { bootTime }: Inspection): SetupResult => ({
  exitCode,
  log: redact(log),
  remarks: remarks.map((line) => redact(line)),
  restartWanted: RESTART_WANTED.has(exitCode) && Date.parse(bootTime) <= Date.parse(at),
});

async function setUp({ host, run, inspect, fail }: HostWork, input: Input, before: Inspection): Promise<SetupResult> {
  const { site, sha256, operation } = input;
  const about = { call: 'setup.cmd', object: nameOf(site) };
  const wantsRestart = (exitCode: number) =>
    fail({
      ...about,
      type: FAILURE.restartWanted,
      problem: `ended with exit code ${exitCode}: a restart of ${host.name} is wanted before its files are those of ${operation.to}`,
      next: `Restart ${host.name}, then retry.`,
    });
  const last = lastSetup(before, site);
  if (last !== undefined && resultOf(last, before).restartWanted) throw wantsRestart(last.exitCode);
  const ended = await run('setup', {
    operation: operationId(operation),
    ...keyOf(site),
    records: recordsFolder(operation),
    seen: recordedChanges(before),
    id: randomUUID(),
    sha256,
    ip: site.ip,
    hostname: site.hostname,
    remarkable: REMARKABLE,
  });
  const { exitCode, log } = ended;
  if (!hasDone(ended)) {
    throw fail({
      ...about,
      type: FAILURE.rejected,
      problem: `ended with exit code ${exitCode}: ${log}`,
      next: 'Put right what setup.cmd complains of, then retry.',
    });
  }
  const { from, to } = operation;
  const after = await inspect([site], operation);
  const { deployed, assemblyVersions } = siteVersion(only(after), from, to, host.name);
  if (deployed !== 'new') {
    if (RESTART_WANTED.has(exitCode)) throw wantsRestart(exitCode);
    throw fail({
      ...about,
      type: FAILURE.unexpectedState,
      problem: `ended with exit code ${exitCode}, but the files are ${assemblyVersions.join(', ') || 'without a version'}: ${log}`,
      next: 'Read the log of setup.cmd on the host, then retry.',
    });
  }
  return resultOf(ended, after);
}

/** The preflight has looked at the names; a person may have named another site since. */
function refuseUnsafeNames({ fail }: HostWork, { site }: Input): void {
  const unsafe = unsafeForCommandLine({
    site: site.site,
    application: site.application,
    address: site.ip,
    hostname: site.hostname,
  });
  if (unsafe.length === 0) return;
  throw fail({
    type: FAILURE.rejected,
    call: 'setup.cmd',
    object: nameOf(site),
    problem: `cannot be given ${unsafe.join(', ')}: a batch file would misread it`,
    next: 'Run setup.cmd by hand as the procedure says, then retry.',
  });
}

/** "The names of the Office 365 gateway sites must not be changed after the installation": read afresh, not from the plan. */
function refuseOtherSite({ fail }: HostWork, { site }: Input, seen: Inspection): void {
  const problems = differences(site, only(seen));
  if (problems.length === 0) return;
  throw fail({
    type: FAILURE.unexpectedState,
    call: 'the planned site',
    object: nameOf(site),
    problem: `is not what the host has: ${problems.join('; ')}`,
    next: 'Reinstate the name and address from the installation of the endpoint, then retry.',
  });
}
