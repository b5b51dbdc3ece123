/**
 * Delta debugging (Zeller's ddmin): the smallest part of a list that still shows something, as far as leaving out pieces of
 * halving size finds it. The order of attempts depends on the list and the answers alone.
 */

/** `shows` is asked about lists in the order of `list`; it is taken for granted that the whole list shows it. */
export async function smallest<T>(
  list: readonly T[],
  shows: (part: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  if (list.length === 0 || (await shows([]))) return [];
  let kept = list;
  let pieces = 2;
  while (kept.length >= 2) {
    const without = await firstThatShows(complements(kept, pieces), shows);
    if (without !== null) {
      kept = without;
      pieces = Math.max(2, pieces - 1);
    } else if (pieces >= kept.length) break;
    else pieces = Math.min(kept.length, pieces * 2);
  }
  return kept;
}

/** The list without one of its pieces, latest pieces left out first: what came after a failure has no part in it. */
function complements<T>(list: readonly T[], pieces: number): readonly (readonly T[])[] {
  const size = Math.ceil(list.length / pieces);
  const starts = Array.from({ length: Math.ceil(list.length / size) }, (_, index) => index * size).reverse();
  return starts.map((start) => [...list.slice(0, start), ...list.slice(start + size)]);
}

async function firstThatShows<T>(
  parts: readonly (readonly T[])[],
  shows: (part: readonly T[]) => Promise<boolean>,
): Promise<readonly T[] | null> {
  for (const part of parts) if (await shows(part)) return part;
  return null;
}
