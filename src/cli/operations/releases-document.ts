/** What the catalogue knows of releases, for people and for programs. */
import type { PlannedStep } from '../../contract/status';
import type { Catalogue } from '../../../workflows/engine/catalogue';
import { plannedPath, plannedPreflight } from '../../../workflows/engine/planned-steps';
import type { AnyRelease } from '../../../workflows/engine/release';
import type { Document, Section } from '../kit/documents/document';
import { PHASE_WORDS, whenDone } from '../kit/text/step-words';

export interface ToldPath {
  /** Versions that it starts from: `18.3`, `any version above 20.3`. */
  from: string;
  to: string;
  steps: PlannedStep[];
}

export interface ToldRelease {
  version: string;
  /** The versions that it can follow. */
  follows: string[];
  requires: { component: string; versions: string; source: string }[];
  /** What has to be true at the end of every path, in the vendor's sentences. */
  obligations: string[];
  paths: ToldPath[];
}

/** Upgrades that lead from one version to another, in their order; none where the version is that of the release. */
export interface Chain {
  from: string;
  to: string;
  upgrades: (Omit<ToldPath, 'from'> & { from: string; requires: ToldRelease['requires'] })[];
}

export const toldReleases = ({ releases }: Catalogue): ToldRelease[] =>
  releases.map((release) => ({
    version: release.version,
    follows: release.paths.map(({ from }) => from.description),
    requires: requirementsOf(release),
    obligations: Object.values(release.obligations),
    paths: release.paths.map((path) => ({
      from: path.from.description,
      to: release.version,
      steps: stepsOf(path, release),
    })),
  }));

/** @param to the chain to this release; without it those to every release that the version leads to. */
export function chainsFrom(catalogue: Catalogue, from: string, to?: string): Chain[] {
  const targets = to === undefined ? catalogue.versions.filter((version) => version !== from) : [to];
  return targets.flatMap((target) => {
    const hops = catalogue.route(from, target);
    if (!hops) return [];
    const upgrades = hops.flatMap((hop) => {
      const { chosen } = catalogue.choose([hop.from], hop.to);
      return chosen
        ? [{ ...hop, requires: requirementsOf(chosen.release), steps: stepsOf(chosen.path, chosen.release) }]
        : [];
    });
    return [{ from, to: target, upgrades }];
  });
}

export const releasesDocument = (releases: ToldRelease[]): Document => ({
  title: 'Releases that Onward knows',
  sections: releases.flatMap((release) => [releaseSection(release), ...release.paths.map(pathSection)]),
});

export const chainDocument = (from: string, chains: Chain[]): Document => ({
  title: `Upgrades that lead on from ${from}`,
  sections: chains.flatMap(({ to, upgrades }) => [
    {
      title: `To ${to}`,
      facts: upgrades.map((upgrade, index): [string, string] => [
        `${index + 1}.`,
        `from ${upgrade.from} to ${upgrade.to}`,
      ]),
      otherwise: `A provider on ${from} runs it already: there is nothing to upgrade.`,
    },
    // Where several releases are told of, the way to each is enough.
    ...(chains.length > 1
      ? []
      : upgrades.flatMap((upgrade) => [
          { title: `What ${upgrade.to} requires`, facts: requirementFacts(upgrade.requires), otherwise: 'Nothing.' },
          pathSection(upgrade),
        ])),
  ]),
});

const stepsOf = (path: AnyRelease['paths'][number], release: AnyRelease): PlannedStep[] => [
  plannedPreflight(),
  ...plannedPath(path, release),
];

const requirementsOf = ({ requirements }: AnyRelease): ToldRelease['requires'] =>
  requirements.map(({ component, versions, source }) => ({ component, versions: versions.description, source }));

const requirementFacts = (requires: ToldRelease['requires']): [label: string, value: string][] =>
  requires.map(({ component, versions }) => [component, versions]);

const releaseSection = ({ version, follows, requires, obligations }: ToldRelease): Section => ({
  title: `Release ${version}`,
  facts: [
    ['Can follow', follows.join(' and ')],
    ...requirementFacts(requires).map(([component, versions]): [string, string] => [
      'Requires',
      `${component} ${versions}`,
    ]),
    ...obligations.map((sentence): [string, string] => ['Obliges to', sentence]),
  ],
});

const pathSection = ({ from, to, steps }: ToldPath): Section => ({
  title: `From ${from} to ${to}`,
  table: {
    head: ['Procedure', 'Step', 'Done', 'Phase'],
    rows: steps.map((step) => [step.procedure, `${step.name}: ${step.title}`, whenDone(step), PHASE_WORDS[step.phase]]),
  },
});
