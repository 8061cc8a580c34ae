/** What an operation has done on a host so far, read from the records that its scripts keep there. */
import { createHash } from 'node:crypto';
import type { SiteKey } from '../../contract/activities';
import { sameName } from '../../contract/names';
import { operationId, type Operation } from '../../contract/operation';
import type { Inspection, ResetDone } from './scripts';

/** Name of the folder that keeps an operation's records. */
export const recordsFolder = (operation: Operation): string => folderName(shown(operation), [operationId(operation)]);

/** Name of the folder that keeps an operation's copy of a gateway application. */
export const backupFolder = (operation: Operation, { site, application }: SiteKey): string =>
  folderName(
    [...shown(operation), site, application],
    [operationId(operation), site.toLowerCase(), application.toLowerCase()],
  );

/** The run, a UUID, only tells operations apart, which the hash does as well: paths on Windows end at 260 characters. */
const shown = ({ provider, from, to }: Operation): string[] => [provider, `${from}-${to}`];

/** Name of the record that a restart was asked for of a Windows that was started then. */
export const restartRecord = (bootTime: string): string => bootTime.replace(/[^0-9A-Za-z]+/g, '-');

/**
 * Windows tells its boot time by its clock, and tells another one when the clock is set; it takes longer than that to start.
 * In milliseconds.
 */
export const LATER_BY_MS = 2_000;
export const isLater = (bootTime: string, before: string): boolean =>
  Date.parse(bootTime) >= Date.parse(before) + LATER_BY_MS;

/** Of a folder's name, in characters: below it lies what has a long path of its own. */
const LONGEST_SHOWN = 32;

/** Whatever the texts are: readable by those that are shown, and different for different texts. */
function folderName(readable: string[], different: string[]): string {
  const text = readable.join('.').replace(/[^A-Za-z0-9.-]+/g, '_');
  const hash = createHash('sha256').update(different.join('\0')).digest('hex').slice(0, 8);
  return `${text.slice(0, LONGEST_SHOWN)}-${hash}`;
}

const isOf =
  (key: SiteKey) =>
  ({ site, application }: SiteKey): boolean =>
    sameName(site, key.site) && sameName(application, key.application);

/** How setup.cmd last ended for this site; undefined when it was not run, or nobody saw its end. */
export function lastSetup({ started, ended }: Inspection, site: SiteKey) {
  const runs = started.filter(isOf(site));
  const [last] = runs.sort((a, b) => b.at.localeCompare(a.at));
  return ended.find(({ id }) => id === last?.id);
}

/** Whether this operation has started setup.cmd for the site and not put its files back since. */
export function isTouched({ started, restored }: Inspection, site: SiteKey): boolean {
  const latest = (records: (SiteKey & { at: string })[]) =>
    records.filter(isOf(site)).reduce((last, { at }) => (at > last ? at : last), '');
  return latest(started) > latest(restored);
}

/** Ids of everything that may have changed a site's files. */
export function changes({ started, restored }: Inspection): string[] {
  return [...started, ...restored].map(({ id }) => id);
}

/** How many changes are recorded. Records are only ever added, so a number that has stayed the same means that nobody acted. */
export const recordedChanges = ({ started, restored, reset }: Inspection): number =>
  started.length + restored.length + reset.length;

/**
 * Whether the Internet services have to be restarted: not after a restart that succeeded and came after every change,
 * and not for the sake of a rollback that had nothing to undo.
 */
export function resetNeeded(inspection: Inspection, purpose: 'upgrade' | 'rollback'): boolean {
  const all = changes(inspection);
  if (purpose === 'rollback' && all.length === 0) return false;
  return !inspection.reset.some(
    (reset) => resetProblem(reset) === undefined && all.every((id) => reset.covers.includes(id)),
  );
}

/** Last line of a restart that worked (systems.md 4.3). Assumption: Windows speaks English. */
const RESTARTED = /^Internet services successfully restarted\.?$/i;

/** Why a restart did not work, judged by exit code, last line and services: no one of them is enough. */
export function resetProblem({ exitCode, output, services }: ResetDone): string | undefined {
  const lastLine = output.at(-1) ?? '';
  if (exitCode !== 0) return `ended with exit code ${exitCode}: ${lastLine}`;
  if (!RESTARTED.test(lastLine)) return `ended with exit code 0, but its last line is ${JSON.stringify(lastLine)}`;
  const stopped = services.filter(({ state }) => state !== 'Running');
  if (stopped.length > 0) {
    return `reported success, but ${stopped.map(({ name, state }) => `${name} is ${state}`).join(' and ')}`;
  }
  return undefined;
}

/** A gateway application as whoever asks it needs to know it. */
export interface Gateway {
  hostname: string;
  ip: string;
  /** As it stands in a URL. */
  path: string;
  url: string;
}

/** The gateways that this operation has touched, but for those whose pool was stopped before it was restored, and is so again. */
export function touchedGateways({ started, restored }: Inspection): Gateway[] {
  const isOff = (key: SiteKey) =>
    restored.filter(isOf(key)).sort((a, b) => b.at.localeCompare(a.at))[0]?.pool === 'Stopped';
  const gateways = started
    .filter((run) => !isOff(run))
    .map(({ hostname, ip, application }) => {
      const path = encodeURIComponent(application);
      return { hostname, ip, path, url: `https://${hostname}/${path}/aps/` };
    });
  return [...new Map(gateways.map((gateway) => [gateway.url.toLowerCase(), gateway])).values()];
}
