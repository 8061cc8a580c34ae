/** Lets everything end before it reports the first failure, so that no sibling is still at work when a step has failed. */
export async function settleAll<Value>(work: Promise<Value>[]): Promise<Value[]> {
  const settled = await Promise.allSettled(work);
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

/**
 * How many activities one upgrade has at work at a time: a server takes 2,000 of one workflow, a worker runs 100, and systems
 * are to see no burst.
 */
export const AT_ONCE = 25;

/** As {@link settleAll}, and never more than so many at a time. Results are in the order of the items. */
export async function settleEach<Item, Value>(
  items: readonly Item[],
  atOnce: number,
  run: (item: Item) => Promise<Value>,
): Promise<Value[]> {
  const results: Promise<Value>[] = [];
  const queue = items.entries();
  const workOff = async (): Promise<void> => {
    for (const [index, item] of queue) {
      const result = run(item);
      results[index] = result;
      await Promise.allSettled([result]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, workOff));
  return await settleAll(results);
}

/** In lists of so many, the last one shorter. */
export const inBatches = <Item>(items: readonly Item[], most: number): Item[][] =>
  Array.from({ length: Math.ceil(items.length / most) }, (_, index) => items.slice(index * most, (index + 1) * most));
