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
export function exactly(...versions: [string, ...string[]]): Versions {
  versions.forEach(parsed);
  return {
    description: versions.join(', '),
    judge: (text) => (versions.some((version) => sameVersion(version, text)) ? 'fits' : 'fitsNot'),
  };
}

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

/** "x.y.z or a later x.y.*": as many numbers as the version has but its last one stay. All of 19.x: `sameLineFrom('19.0')`. */
export function sameLineFrom(version: string): Versions {
  const { numbers } = parsed(version);
  const line = numbers.slice(0, -1);
  if (line.length === 0) throw new TypeError(`"${version}" names no line: write ${version}.0 for all of ${version}.x`);
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
      const difference = compareNumbers(candidate.numbers, numbers);
      if (difference !== 0) return difference > 0 ? 'fits' : 'fitsNot';
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

export const allOf = (...conditions: [Versions, ...Versions[]]): Versions => ({
  description: conditions.map(({ description }) => description).join(', and '),
  judge: (text) => {
    const fits = conditions.map(({ judge }) => judge(text));
    return fits.find((fit) => fit === 'fitsNot') ?? fits.find((fit) => fit === 'undecided') ?? 'fits';
  },
});

/** Beyond every number that a vendor counts to. */
const LAST = 1_000_000;

/**
 * For a text that is only the beginning of a version: a platform that tells `8.2` is 8.2.0, or 8.2.7, or one with a hotfix.
 * Undecided where some of these fit and others do not.
 */
export const knownByItsBeginning = (versions: Versions): Versions => ({
  description: versions.description,
  judge: (text) => {
    const fits = [text, `${text}.0_hf${LAST}`, `${text}.${LAST}`].map((version) => versions.judge(version));
    const [first = 'fitsNot'] = fits;
    return fits.every((fit) => fit === first) ? first : 'undecided';
  },
});
