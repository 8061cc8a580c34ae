/**
 * Facts are as fresh as the act that rests on them. An upgrade waits for days: meanwhile instances and templates are added, tasks are
 * opened, packages are imported. Here it looks again, takes in what is new where the procedure says "all", and finds what contradicts.
 */
import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import type { ApplicationInstance, HostFacts, PackageFacts } from '../../src/contract/facts';
import { entryOf } from '../../src/contract/entry';
import { withoutRelease } from '../../src/contract/versions';
import type { Activities } from '../kit/activities';
import { listed } from '../kit/listed';
import type { Reading } from '../kit/reading';
import type { Readings } from './check';
import type { PreflightFacts } from './preflight-facts';

/** A step that looks again. */
export interface Standing {
  readonly step: string;
  readonly keepsQuiet: boolean;
  /** @returns what it gives now, where it had to act or to wait. */
  readonly again: (facts: PreflightFacts) => Promise<object | undefined>;
}

/** Looks of several hosts come one after the other: what one of them switches off, or asks, is no other's business. */
export class Quiet {
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly standing: readonly Standing[]) {}

  /** @returns whether a step had to act or to wait. */
  async look(facts: PreflightFacts): Promise<boolean> {
    const look = this.last.then(async () => {
      let acted = false;
      for (const { keepsQuiet, again } of this.standing) if (keepsQuiet && (await again(facts))) acted = true;
      return acted;
    });
    // Whoever asked hears of its failure.
    this.last = look.catch(() => undefined);
    return await look;
  }
}

/** What contradicts what the upgrade rests on: it holds, whatever the provider's settings say of failures. */
export const contradicts = (message: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, FAILURE.unexpectedState);

/**
 * `crossing`: everything is looked at and judged as in the preflight. `growth`: instances that have come are taken in. `end`: every
 * instance has to be on the new version, or to have come since.
 */
export type Occasion = 'crossing' | 'growth' | 'end';

interface Look {
  readonly occasion: Occasion;
  readonly activities: Activities;
  readonly readings: Readings;
  readonly from: string;
  readonly to: string;
  /** Judges like the preflight. Fails where something does not fit. */
  readonly judge: (readings: Readings) => Promise<void>;
}

/**
 * The provider as it is now: instances that have come are taken in, those that are gone are left out.
 * @returns the very same facts where nothing has changed.
 * @throws where an instance, or the package list, contradicts the upgrade.
 */
export async function lookAtProvider<Known extends PreflightFacts>(facts: Known, look: Look): Promise<Known> {
  const { occasion, activities, readings, from, to, judge } = look;
  const { instances } = facts.operations;
  const versions = occasion === 'end' ? [to] : [from, to];
  const endpoints = [...new Set(instances.map(({ endpointUrl }) => endpointUrl))];
  const { added, gone, changed, enabledVersions } = await activities.operations.lookAgain(
    'look at the instances again',
    {
      entry: entryOf(readings.profile, 'operations', 'aps'),
      known: instances.map(({ resourceId }) => resourceId),
      endpoints,
      ...(occasion === 'growth' ? {} : { versions }),
    },
  );
  if (gone.length > 0 && gone.length === instances.length) throw contradicts(elsewhere(instances));
  const fitting = added.filter((one) => fits(one, [from, to]));
  // What is not ready yet is met again at the end.
  const misfits = occasion === 'growth' ? [] : [...changed, ...added.filter((one) => !fitting.includes(one))];
  if (misfits.length > 0) throw contradicts(misfits.map((one) => misfit(one, versions, endpoints)).join(' '));
  const operations = {
    ...facts.operations,
    enabledVersions,
    instances: [...instances.filter(({ resourceId }) => !gone.includes(resourceId)), ...fitting],
  };
  const hosts = fitting.some(({ endpointUrl }) => !endpoints.includes(endpointUrl))
    ? await readHosts(look, facts.hosts)
    : facts.hosts;
  if (occasion === 'crossing' || fitting.length > 0)
    await judge({
      ...readings,
      ...(occasion === 'crossing' ? { package: await hashAgain(look) } : {}),
      operations: { what: 'Operations', value: operations },
      hosts: hosts.map((value) => ({ what: value.host, value })),
    });
  return fitting.length + gone.length === 0 ? facts : { ...facts, operations, hosts };
}

/** Their ids are small numbers, which every installation has; their resources are of one alone. */
export const elsewhere = (instances: readonly ApplicationInstance[]): string =>
  `None of the ${instances.length} instances of this upgrade is there any more (${listed(instances.map(({ name }) => `"${name}"`))}): is this another installation? Correct the addresses of Operations and of the APS controller in the inventory, then retry.`;

const fits = ({ packageVersion, status }: ApplicationInstance, versions: readonly string[]): boolean =>
  status === 'Ready' && versions.includes(withoutRelease(packageVersion));

function misfit(
  { name, packageVersion, status, endpointUrl }: ApplicationInstance,
  versions: readonly string[],
  endpoints: readonly string[],
): string {
  const state = `Instance "${name}" is ${status} on ${packageVersion}`;
  return versions.includes(withoutRelease(packageVersion)) && status === 'Ready'
    ? `${state} and has the end-point URI ${endpointUrl} now; this upgrade knows ${endpoints.join(', ')}. Correct its settings, then retry.`
    : `${state} now, and has to be Ready on ${versions.join(' or ')}. Finish, repair or remove it, then retry.`;
}

/** What lies behind the URL now is what Operations will fetch. */
async function hashAgain({ activities, readings: { profile }, to }: Look): Promise<Reading<PackageFacts>> {
  const entry = entryOf(profile, `packages.${to}`);
  const value = await activities.network.hashPackage(`verify the package of ${to} again`, { entry, version: to });
  return { what: 'package', value };
}

/** The machines stay those that the preflight has seen: each call is refused by another one. */
async function readHosts({ activities, readings: { profile } }: Look, known: HostFacts[]): Promise<HostFacts[]> {
  const now = await Promise.all(
    profile.endpointHosts.map((host) =>
      activities.endpoint(host).readHost(`read endpoint host ${host.name} again`, { host }),
    ),
  );
  return now.map((host) => ({
    ...host,
    identity: known.find((one) => one.host === host.host)?.identity ?? host.identity,
  }));
}
