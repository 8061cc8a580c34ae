/** Decides from what the survey saw who is upgraded, and why anybody is left out. Pure. */
import type { Surveyed } from '../../src/contract/activities';
import type { FleetRequest, LeftOut } from '../../src/contract/fleet';
import type { OperationsFacts } from '../../src/contract/facts';
import { withoutRelease } from '../../src/contract/versions';
import type { Catalogue } from '../engine/catalogue';
import { MAX_PART_BYTES, type Target } from './partition';

export type Judged = { target: Target } | { reason: string; detail?: string };

/** The release that a fleet leads to; undefined where each provider's own next one is meant. */
export const targetOf = ({ to, providers }: Pick<FleetRequest, 'to' | 'providers'>): string | undefined =>
  to ?? providers.notYetOn;

export function judgeSurveyed(
  surveyed: Surveyed,
  request: Pick<FleetRequest, 'to' | 'providers'>,
  catalogue: Catalogue,
): Judged {
  if ('invalid' in surveyed) return { reason: 'its entry in the inventory cannot be used', detail: surveyed.invalid };
  if ('unreachable' in surveyed) return { reason: 'it cannot be reached', detail: surveyed.unreachable };
  const { provider, name, bytes, build, packageVersions } = surveyed;
  const { sourceVersion, notYetOn } = request.providers;
  const versions = [...new Set(packageVersions.map(withoutRelease))].sort();
  if (versions.length === 0) return { reason: 'Office 365 is not installed: it has no application instance' };
  if (notYetOn !== undefined && versions.every((version) => version === notYetOn))
    return { reason: `it runs ${notYetOn} already` };
  const { chosen, problem, already } = catalogue.choose(versions, targetOf(request));
  if (!chosen) return { reason: already ? `it runs ${versions.join(', ')} already` : problem };
  const { release, from } = chosen;
  const excluded = release.exclusions.find(({ applies }) => applies(surveyed));
  if (excluded) return { reason: excluded.reason };
  if (bytes > MAX_PART_BYTES)
    return { reason: `its entry in the inventory is larger than ${MAX_PART_BYTES / 1024} KiB: upgrade it on its own` };
  if (sourceVersion !== undefined && from !== sourceVersion)
    return { reason: `it runs ${from}, and ${sourceVersion} was selected` };
  const unfit = release.requirements.find(({ read, versions: needed }) => {
    const version = read(seen(build));
    return version !== undefined && needed.judge(version) === 'fitsNot';
  });
  if (unfit) return { reason: `${unfit.component} is not supported: it is ${unfit.read(seen(build)) ?? build}` };
  return { target: { provider, ...(name === undefined ? {} : { name }), from, to: release.version, bytes } };
}

/** What a survey knows of Operations; the preflight of each upgrade looks at all of it. */
const seen = (build: string): OperationsFacts => ({
  build,
  applicationId: undefined,
  instances: [],
  templates: [],
  enabledVersions: [],
  companions: [],
});

/** Beyond so many different details only the reason is kept: thousands of them would not fit into one payload. */
const MAX_DETAILED = 100;
const MAX_DETAIL = 300;

/** Groups providers by the reason why they are left out. */
export class LeftOutList {
  private readonly byReason = new Map<string, string[]>();
  private detailed = 0;

  add(provider: string, reason: string, detail?: string): void {
    const told = detail === undefined ? reason : `${reason}: ${detail.slice(0, MAX_DETAIL)}`;
    const known = this.byReason.has(told);
    const key = known || detail === undefined || this.detailed < MAX_DETAILED ? told : reason;
    if (!known && key === told && detail !== undefined) this.detailed += 1;
    this.byReason.set(key, [...(this.byReason.get(key) ?? []), provider]);
  }

  list(): LeftOut[] {
    return [...this.byReason].map(([reason, providers]) => ({ reason, providers }));
  }
}
