/** Which versions a release starts from, or needs, as its notes say it. */
import { compareNumbers, parseVersion, sameVersion, type Version } from '../../src/contract/versions';

/** `undecided`: what is known of the version is not enough to say, such as a platform that does not tell its hotfixes. */
export type Fit = 'fits' | 'fitsNot' | 'undecided';

export interface Versions {
  /** For people, to be read after "from": `18.3`, `any version above 20.3`. */
  readonly description: string;
  readonly judge: (version: string) => Fit;
}

const judgedBy =
  (fits: (version: Version) => boolean) =>
  (text: string): Fit => {
    const version = parseVersion(text);
    return version && fits(version) ? 'fits' : 'fitsNot';
  };

function parsed(text: string): Version {
  const version = parseVersion(text);
  if (!version) throw new TypeError(`"${text}" is no version`);
  return version;
}

/** One of a list. */
export const exactly = (...versions: [string, ...string[]]): Versions => ({
  description: versions.join(', '),
  judge: (text) => (versions.some((version) => sameVersion(version, text)) ? 'fits' : 'fitsNot'),
});

/** "Any above 20.3". */
export function above(version: string): Versions {
  const { numbers } = parsed(version);
  return {
    description: `any version above ${version}`,
    judge: judgedBy((candidate) => compareNumbers(candidate.numbers, numbers) > 0),
  };
}

export function below(version: string): Versions {
  const { numbers } = parsed(version);
  return {
    description: `any version below ${version}`,
    judge: judgedBy((candidate) => compareNumbers(candidate.numbers, numbers) < 0),
  };
}

/** "x.y.z or a later x.y.*": as many numbers as the version has but its last one stay. */
export function sameLineFrom(version: string): Versions {
  const { numbers } = parsed(version);
  const line = numbers.slice(0, -1);
  return {
    description: `${version} or a later ${line.join('.')}.x`,
    judge: judgedBy(
      (candidate) =>
        compareNumbers(candidate.numbers.slice(0, line.length), line) === 0 &&
        compareNumbers(candidate.numbers, numbers) >= 0,
    ),
  };
}

/**
 * That version or a later one. With a hotfix (`8.2.0_hf134510`) later versions fit without one, and whether the version itself
 * fits is undecided where the text names no hotfix.
 */
export function atLeast(version: string): Versions {
  const { numbers, hotfix } = parsed(version);
  return {
    description: `${version} or later`,
    judge: (text) => {
      const candidate = parseVersion(text);
      if (!candidate) return 'fitsNot';
      // A system that prints fewer numbers than the minimum has does not say which of them it is.
      const known = candidate.numbers.length < numbers.length ? numbers.slice(0, candidate.numbers.length) : numbers;
      const difference = compareNumbers(candidate.numbers, known);
      if (difference !== 0) return difference > 0 ? 'fits' : 'fitsNot';
      if (numbers.slice(known.length).some((number) => number > 0)) return 'undecided';
      if (hotfix === undefined) return 'fits';
      if (candidate.hotfix === undefined) return 'undecided';
      return candidate.hotfix >= hotfix ? 'fits' : 'fitsNot';
    },
  };
}

export const anyOf = (...choices: [Versions, ...Versions[]]): Versions => ({
  description: choices.map(({ description }) => description).join(', or '),
  judge: (text) => {
    const fits = choices.map(({ judge }) => judge(text));
    return fits.find((fit) => fit === 'fits') ?? fits.find((fit) => fit === 'undecided') ?? 'fitsNot';
  },
});
