/** Decides from what the survey saw who is upgraded, and why anybody is left out. Pure. */
import type { Surveyed } from '../../src/contract/activities';
import type { LeftOut, Selector } from '../../src/contract/fleet';
import { SUPPORTED_PLATFORMS, TARGET_VERSION, platformOfBuild, withoutRelease } from '../../src/contract/versions';
import type { UpgradePath } from '../engine/path';
import { MAX_PART_BYTES, type Target } from './partition';

export type Judged = { target: Target } | { reason: string; detail?: string };

export function judgeSurveyed(surveyed: Surveyed, { sourceVersion }: Selector, paths: readonly UpgradePath[]): Judged {
  if ('invalid' in surveyed) return { reason: 'its entry in the inventory cannot be used', detail: surveyed.invalid };
  if ('unreachable' in surveyed) return { reason: 'it cannot be reached', detail: surveyed.unreachable };
  const { provider, name, bytes, build, packageVersions, clouds } = surveyed;
  const all = [...new Set(packageVersions.map(withoutRelease))].sort();
  const versions = all.filter((version) => version !== TARGET_VERSION);
  const [from, ...others] = versions;
  if (all.length === 0) return { reason: 'Office 365 is not installed: it has no application instance' };
  if (from === undefined) return { reason: `it runs ${TARGET_VERSION} already` };
  if (clouds.includes('germany'))
    return { reason: `it has an instance in Microsoft Cloud Germany, which ${TARGET_VERSION} no longer supports` };
  if (others.length > 0) return { reason: `its instances run different versions: ${versions.join(', ')}` };
  if (!paths.some((path) => path.from === from)) return { reason: `it runs ${from}, from where no path leads on` };
  if (bytes > MAX_PART_BYTES)
    return { reason: `its entry in the inventory is larger than ${MAX_PART_BYTES / 1024} KiB: upgrade it on its own` };
  if (sourceVersion !== undefined && from !== sourceVersion)
    return { reason: `it runs ${from}, and ${sourceVersion} was selected` };
  if (!SUPPORTED_PLATFORMS.some((version) => version === platformOfBuild(build)))
    return { reason: `its platform is not supported: Odin Automation ${build}` };
  return { target: { provider, ...(name === undefined ? {} : { name }), from, bytes } };
}

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
