/**
 * The fewest events with which something still fails, as far as so many attempts tell: ever smaller parts are left out, and
 * what fails without them stays without them.
 */
export async function shrink<T>(
  events: readonly T[],
  stillFails: (fewer: readonly T[]) => Promise<boolean>,
  mostAttempts: number,
): Promise<readonly T[]> {
  let left = events;
  let attempts = 0;
  for (let size = left.length; size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < left.length;) {
      if (attempts++ === mostAttempts) return left;
      const fewer = [...left.slice(0, from), ...left.slice(from + size)];
      if (await stillFails(fewer)) left = fewer;
      else from += size;
    }
  }
  return left;
}
