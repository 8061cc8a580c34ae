/** The versions of the Office 365 application that exist in a sandbox, as the releases that it was given tell them. */
import type { SimulatedCompanion, SimulatedRelease, SimulatedVersion } from '../contract/simulation';
import { withoutRelease } from '../contract/versions';

export class SimulatedVersions {
  /** Every version that a release tells of, once. */
  readonly all: readonly SimulatedVersion[];
  /** Versions that a world may start on, in the order of the releases. */
  readonly sources: readonly string[];
  private readonly known: ReadonlyMap<string, SimulatedVersion>;

  /** @param releases the oldest first; at least one */
  constructor(readonly releases: readonly SimulatedRelease[]) {
    // One release's target is another's source: who published a version knows best how it behaves, and who follows it on which build.
    const told = [...releases.flatMap(({ sources }) => sources), ...releases.map(({ target }) => target)];
    const known = new Map<string, SimulatedVersion>();
    for (const version of told) known.set(version.version, { ...known.get(version.version), ...version });
    this.known = known;
    this.all = [...this.known.values()];
    this.sources = [...new Set(releases.flatMap(({ sources }) => sources.map(({ version }) => version)))];
  }

  /** The version that a world starts on where nobody says otherwise: the oldest of the first release. */
  get usualSource(): string {
    const [first] = this.sources;
    if (first === undefined) throw new Error('A sandbox needs a release: give it those of the catalogue.');
    return first;
  }

  /** How a version behaves; of `18.4` or `18.4-7`. One that no release tells of has tokens, and nothing that has to go. */
  of(packageVersion: string): SimulatedVersion {
    const version = withoutRelease(packageVersion);
    const told = this.known.get(version);
    if (told && (packageVersion === version || packageVersion === told.packageVersion)) return told;
    const printed = packageVersion === version ? `${version}-1` : packageVersion;
    const own = { version, packageVersion: printed, assemblyVersion: fourNumbers(printed) };
    return { signIn: 'refreshToken', parameters: [], ...told, ...own };
  }

  /** Other applications that a provider on this version has in its package list. */
  companionsOf(version: string): SimulatedCompanion[] {
    const concerned = this.releases.filter(({ sources }) => sources.some((source) => source.version === version));
    const companions = concerned.flatMap((release) => release.companions ?? []);
    return [...new Map(companions.map((each) => [`${each.application} ${each.packageVersion}`, each])).values()];
  }
}

/** `18.3-9` -> `18.3.0.9`, the four numbers of an assembly. */
function fourNumbers(packageVersion: string): string {
  const version = withoutRelease(packageVersion);
  const numbers = version.split('.');
  while (numbers.length < 3) numbers.push('0');
  return [...numbers, packageVersion.slice(version.length + 1)].join('.');
}
