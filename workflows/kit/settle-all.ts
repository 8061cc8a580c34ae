/** Lets everything end before it reports the first failure, so that no sibling is still at work when a step has failed. */
export async function settleAll<Value>(work: Promise<Value>[]): Promise<Value[]> {
  const settled = await Promise.allSettled(work);
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
