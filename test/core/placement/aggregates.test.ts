import { expect, test } from '@jest/globals';
import type { GroupDefinition } from '../../../core/config/model.ts';
import { startInWavesMs } from '../../../core/placement/aggregates.ts';
import { group } from './fixtures.ts';

/** With services that may take so long to start, each twice. */
function starting(
  name: string,
  priority: number,
  timeouts: readonly number[],
  together: string[] = [],
): GroupDefinition {
  const plain = group(name, { priority, placement: { together } });
  const services = timeouts.flatMap((timeoutMs, at) =>
    plain.services.map((service) => ({
      ...service,
      name: `${name}-${at}`,
      actions: { ...service.actions, start: { timeoutMs, attempts: 2 } },
    })),
  );
  return { ...plain, services };
}

test.each<[string, readonly GroupDefinition[], number]>([
  ['nothing', [], 0],
  ['services one after the other, one start each', [starting('a', 10, [5_000, 3_000])], 8_000],
  ['groups of one wave at once', [starting('a', 10, [5_000]), starting('b', 10, [7_000])], 7_000],
  ['waves one after the other', [starting('a', 10, [5_000]), starting('b', 20, [7_000])], 12_000],
  ['a group after the one that it stays with', [starting('a', 10, [5_000]), starting('b', 10, [7_000], ['a'])], 12_000],
])('the longest start of %s (V10)', (_, groups, expected) => {
  expect(startInWavesMs(groups)).toBe(expected);
});
