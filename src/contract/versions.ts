/**
 * Versions as the release notes and the systems write them.
 *
 * Operations prints a package version as `<version>-<release>` (`18.4.1-12`); only the part before the last `-`
 * takes part in any decision (systems.md section 0).
 */

/** `18.4.1-12` -> `18.4.1`; a version without a release is returned as it is. */
export function withoutRelease(packageVersion: string): string {
  const dash = packageVersion.lastIndexOf('-');
  return dash > 0 ? packageVersion.slice(0, dash) : packageVersion;
}

/** `oa-8.0-1216` -> `8.0`; undefined when the text is no build of Odin Automation (systems.md 1.7). */
export function platformOfBuild(build: string): string | undefined {
  const match = /^(?:oa|cb)-(\d+\.\d+)-\d+$/.exec(build.trim());
  return match?.[1];
}

export interface Version {
  /** `[18, 4, 1]`; as many as were written. */
  numbers: number[];
  /** 134510 of `8.2.0_hf134510`; undefined where the text names none. */
  hotfix: number | undefined;
}

/** Undefined where the text is no version: numbers with dots, and perhaps `_hf` with a number. */
export function parseVersion(text: string): Version | undefined {
  const match = /^(\d+(?:\.\d+)*)(?:_hf(\d+))?$/.exec(text.trim());
  const [, numbers, hotfix] = match ?? [];
  if (numbers === undefined) return undefined;
  return { numbers: numbers.split('.').map(Number), hotfix: hotfix === undefined ? undefined : Number(hotfix) };
}

/** Negative, zero or positive, by the numbers alone: `18.4` is `18.4.0`, and hotfixes are left aside. */
export function compareNumbers(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether both texts are the same version: `18.4` and `18.4.0` are. */
export function sameVersion(a: string, b: string): boolean {
  const [left, right] = [parseVersion(a), parseVersion(b)];
  if (!left || !right) return a === b;
  return compareNumbers(left.numbers, right.numbers) === 0 && left.hotfix === right.hotfix;
}

/** Whether a package is of a later version than another one; releases are left aside. */
export function isNewer(packageVersion: string, than: string): boolean {
  const [one, other] = [parseVersion(withoutRelease(packageVersion)), parseVersion(withoutRelease(than))];
  return one !== undefined && other !== undefined && compareNumbers(one.numbers, other.numbers) > 0;
}

/** Of files, `18.4.1.12` and `18.4.1-12` are of the release 18.4.1; `18.4.0.7` and `18.4-7` are of 18.4. */
export function isOfRelease(version: string, release: string): boolean {
  const wanted = threeNumbers(release);
  return threeNumbers(version).every((number, index) => number === wanted[index]);
}

/** Of files, whether an upgrade from one release to another may find them: those of a hotfix, `18.3.2.1`, belong to the line of 18.3. */
export function isBefore(version: string, { from, to }: { from: string; to: string }): boolean {
  const [found, first, end] = [version, from, to].map(threeNumbers) as [number[], number[], number[]];
  const isOfLine = found[0] === first[0] && found[1] === first[1];
  return isOfLine && compareNumbers(found, first) >= 0 && compareNumbers(found, end) < 0;
}

const threeNumbers = (version: string): number[] => {
  const main = withoutRelease(version).split('.');
  return [0, 1, 2].map((index) => Number(main[index] ?? 0));
};
