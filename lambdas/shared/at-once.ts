/**
 * A bounded number of pieces of work at once: a large cluster's reads and writes neither wait for each other one by one,
 * nor reach the store all together.
 */

/** Of one invocation, under way at the same time. */
export const AT_ONCE = 8;

/** Runs all of them, whatever becomes of the others; then throws what the first of them, in their order, threw. */
export async function atOnce<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const failed: { readonly index: number; readonly error: unknown }[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      try {
        await work(item);
      } catch (error) {
        failed.push({ index, error });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
  const [first] = failed.toSorted((a, b) => a.index - b.index);
  if (first !== undefined) throw first.error;
}

/** The same in lanes: what has one lane is done one after the other, in the order given. */
export async function inLanes<T>(
  items: readonly T[],
  laneOf: (item: T) => string,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const lanes = Map.groupBy(items, laneOf);
  await atOnce([...lanes.values()], async (lane) => {
    for (const item of lane) await work(item);
  });
}
