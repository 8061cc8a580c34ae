/** What an operator has to find in a message: the system, the call, its object, and what to do next. */
import type { Cell } from './matrix';
import type { StoryCall } from './stories';

/** The systems as operators call them. Those of the sandbox's own screens go by the call. */
const SYSTEMS: Readonly<Record<Exclude<StoryCall['system'], 'host' | 'sim'>, string>> = {
  operations: 'Operations',
  aps: 'APS controller',
  billing: 'Billing',
  microsoft: 'Microsoft',
  temporal: 'Temporal',
};
const ANY_OF_THE_WIRE = [...Object.values(SYSTEMS), 'task monitor', 'connection test', 'package server'].join('|');

const CALL = String.raw`(?:pem\.[\w.]+|txn\.\w+|\w+_API|GET \S+|token for|GET|the \w+|(?:reading|writing|starting|telling|ending) the \w+|waiting for Office 365 tasks)`;
const ON_A_HOST = String.raw`(?:PowerShell script [\w-]+|setup\.cmd|iisreset|the [\w ]+)`;
/** A sentence about what happened, and another one that begins with what to do. */
const HAPPENED_AND_NEXT = String.raw`\b.+?[.:] [A-Z].+`;

/** Whether a person who reads the message knows who was asked what, about what, and what to do now. */
export function saysAll(message: string, { call, failure }: Cell, host: string): boolean {
  const where = failure.stops === true ? `(?:${ANY_OF_THE_WIRE}|${host})` : systemOf(call.system, call.name, host);
  const what =
    call.system === 'host' ? `(?:${ON_A_HOST}|${CALL})` : failure.stops === true ? `(?:${CALL}|${ON_A_HOST})` : CALL;
  // The object of a restart is the host itself, and a path may name its own.
  const saysItself = ['iisreset', 'shutdown.exe'].includes(call.name) || call.name.includes('{id}');
  const about = call.about && !saysItself && failure.stops !== true ? String.raw`[^.]*? of \S+` : '';
  return (
    new RegExp(`${where}: ${what}${about}${HAPPENED_AND_NEXT}`, 's').test(message) ||
    saysOfThePackage(message, call.name)
  );
}

function systemOf(system: StoryCall['system'], name: string, host: string): string {
  if (system === 'host') return host;
  if (system !== 'sim') return SYSTEMS[system];
  // Whoever fetches the package is the one who complains.
  if (name === 'GET package') return `(?:package server|Operations|${host})`;
  return name === 'GET tasks' ? 'task monitor' : 'connection test';
}

/** A package that came damaged is another file than the one that the inventory names. */
const saysOfThePackage = (message: string, name: string): boolean =>
  name === 'GET package' && /The package at \S+ has SHA-256 \w+; the inventory expects \w+\. [A-Z]/.test(message);
