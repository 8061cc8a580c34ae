/** The releases that there are, and which of them is meant. Pure. */
import type { SimulatedRelease } from '../../src/contract/simulation';
import { withoutRelease } from '../../src/contract/versions';
import type { MeantUpgrade } from './check';
import { stepsOf, type UpgradePath } from './path';
import { PREFLIGHT } from './planned-steps';
import type { AnyRelease } from './release';
import { above, below } from './versions';

/** One upgrade that can be made: `from` is the version that is installed. */
export interface Chosen {
  readonly release: AnyRelease;
  readonly path: UpgradePath;
  readonly from: string;
}

/** `already`: there is nothing to do. */
export type CatalogueAnswer =
  | { readonly chosen: Chosen; readonly problem?: never; readonly already?: never }
  | { readonly problem: string; readonly already?: true; readonly chosen?: never };

export class Catalogue {
  /** @param releases the oldest first. */
  constructor(readonly releases: readonly [AnyRelease, ...AnyRelease[]]) {
    const problems = [...twice(releases.map(({ version }) => version)), ...releases.flatMap(problemsOf)];
    if (problems.length > 0) throw new TypeError(`The catalogue is wrong: ${problems.join('; ')}`);
  }

  get versions(): string[] {
    return this.releases.map(({ version }) => version);
  }

  /** What each release says for the sandbox. */
  get simulations(): readonly [SimulatedRelease, ...SimulatedRelease[]] {
    const [first, ...others] = this.releases;
    return [first.simulation, ...others.map(({ simulation }) => simulation)];
  }

  find(version: string): AnyRelease | undefined {
    return this.releases.find((release) => release.version === version);
  }

  /**
   * Which upgrade is meant, or why there is none.
   *
   * @param installed package versions of all instances, with or without release numbers.
   * @param to the release that was asked for; may be left out while only one fits.
   */
  choose(installed: readonly string[], to?: string): CatalogueAnswer {
    const versions = [...new Set(installed.map(withoutRelease))].sort();
    if (versions.length === 0) return { problem: 'There is no application instance to upgrade.' };
    if (to !== undefined) {
      const release = this.find(to);
      return release
        ? this.toRelease(versions, release)
        : { problem: `There is no release ${to}; Onward knows ${this.versions.join(', ')}.` };
    }
    const fitting = this.releases.map((release) => this.toRelease(versions, release)).filter(({ chosen }) => chosen);
    const [only, ...others] = fitting;
    if (only && others.length === 0) return only;
    if (only) {
      const names = fitting.flatMap(({ chosen }) => chosen?.release.version ?? []).join(' and ');
      return { problem: `${names} can follow ${versions.join(', ')}; say which, by "to".` };
    }
    const [single] = versions;
    if (versions.length === 1 && single !== undefined && this.find(single)) return alreadyOn(single);
    const [release] = this.releases;
    if (this.releases.length === 1 && release) return this.toRelease(versions, release);
    if (versions.length > 1)
      return {
        problem: `Instances run different versions (${versions.join(', ')}); bring them to one supported version first.`,
      };
    const conditions = this.releases.map((each) => `${each.version} from ${sourcesOf(each)}`).join('; ');
    return { problem: `Nothing leads on from ${versions.join(', ')}. What can be upgraded: ${conditions}.` };
  }

  /** The upgrade that began from this version, whatever its instances run by now. */
  unfinished(from: string, to: string): CatalogueAnswer {
    const release = this.find(to);
    if (!release) return { problem: `There is no release ${to}; Onward knows ${this.versions.join(', ')}.` };
    const path = release.paths.find((candidate) => leadsOn(candidate, from));
    if (path) return { chosen: { release, path, from } };
    return { problem: `No path leads from ${from} to ${to}; only ${sourcesOf(release)} can be upgraded to it.` };
  }

  /** Upgrades that lead from one version to the other, one after another; undefined where they do not. */
  route(from: string, to: string): { from: string; to: string }[] | undefined {
    const routes: { from: string; to: string }[][] = [[]];
    for (let route = routes.shift(); route; route = routes.shift()) {
      const at = route.at(-1)?.to ?? from;
      if (at === to) return route;
      for (const { version, paths } of this.releases) {
        const isNew = version !== from && route.every((hop) => hop.to !== version);
        if (isNew && paths.some((path) => leadsOn(path, at))) routes.push([...route, { from: at, to: version }]);
      }
    }
    return undefined;
  }

  private toRelease(versions: readonly string[], release: AnyRelease): CatalogueAnswer {
    const { version, paths } = release;
    const [from, ...others] = versions.filter((candidate) => candidate !== version);
    if (from === undefined) return alreadyOn(version);
    if (others.length > 0)
      return {
        problem: `Instances run different versions (${versions.join(', ')}); bring them to one supported version first.`,
      };
    const path = paths.find((candidate) => leadsOn(candidate, from));
    if (path) return { chosen: { release, path, from } };
    if (isNewer(from, version))
      return { problem: `Instances run ${from}, which is newer than ${version}; no upgrade leads back.` };
    const route = this.route(from, version);
    const advice = route
      ? `One upgrade after another leads there: ${[from, ...route.map((hop) => hop.to)].join(' -> ')}. Begin with ${route[0]?.to ?? ''}.`
      : 'Follow the allowed upgrade paths (KB 130752) to one of them first.';
    return { problem: `Instances run ${from}; only ${sourcesOf(release)} can be upgraded to ${version}. ${advice}` };
  }
}

const isNewer = (version: string, than: string): boolean => above(than).judge(version) === 'fits';

/** Whether the path starts from this version; no path leads back to an older one, however its notes put it. */
const leadsOn = ({ from, to }: UpgradePath, version: string): boolean =>
  from.judge(version) === 'fits' && below(to).judge(version) === 'fits';

const twice = (names: readonly string[]): string[] =>
  names.filter((name, index) => names.indexOf(name) !== index).map((name) => `${name} is there more than once`);

/** What the compiler does not see. */
function problemsOf({ version, paths, leavesBehind, simulation }: AnyRelease): string[] {
  const about = (problems: string[]): string[] => problems.map((problem) => `${version}: ${problem}`);
  return about([
    ...(paths.length === 0 ? ['it has no path'] : []),
    ...(simulation.version === version ? [] : [`its simulation is of ${simulation.version}`]),
    ...(simulation.target.version === version ? [] : [`its simulation leads to ${simulation.target.version}`]),
    ...simulation.sources.flatMap((source) => severalFrom(source.version, paths)),
    ...paths.flatMap((path) => [
      ...(path.to === version ? [] : [`a path of it leads to ${path.to}`]),
      ...twice([
        PREFLIGHT.name,
        ...stepsOf(path).map(({ step }) => step.name),
        ...leavesBehind.map(({ name }) => name),
      ]),
    ]),
  ]);
}

/** The first that fits would be taken without a word. */
function severalFrom(version: string, paths: AnyRelease['paths']): string[] {
  const fitting = paths.filter((path) => leadsOn(path, version));
  return fitting.length > 1 ? [`${fitting.length} paths start from ${version}`] : [];
}

const alreadyOn = (version: string): CatalogueAnswer => ({
  problem: `All instances run ${version} already; there is nothing to upgrade.`,
  already: true,
});

/** For people: every version that the release can follow. */
export const sourcesOf = ({ paths }: AnyRelease): string => paths.map(({ from }) => from.description).join(' and ');

/** The upgrade that was chosen, as checks know it. */
export const meantBy = (choice: CatalogueAnswer | undefined): MeantUpgrade | undefined =>
  choice?.chosen && {
    from: choice.chosen.from,
    to: choice.chosen.release.version,
    steps: stepsOf(choice.chosen.path).map(({ step }) => step.name),
    scripts: stepsOf(choice.chosen.path).flatMap(({ step }) =>
      step.kind === 'lasting' ? (step.hostScript ?? []) : [],
    ),
  };
