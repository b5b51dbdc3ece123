import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { METRICS } from '../../../core/metrics/metrics.ts';
import { documentsOf, EMPTY_TALLY, type Sample, tallied } from '../../../core/metrics/tally.ts';

const of = (...samples: readonly Sample[]) => documentsOf(samples.reduce(tallied, EMPTY_TALLY));
const sweep = (value: number): Sample => ({ name: 'SweepMs', value, cluster: null });
const held = (value: number, cluster: string): Sample => ({ name: 'SlotsHeld', value, cluster });

describe('what was measured in a while', () => {
  test('the worst, the sum, or what stands: as each metric has it', () => {
    const late = (value: number): Sample => ({ name: 'SweepLate', value, cluster: null });
    expect(of(sweep(4), sweep(9), sweep(2), late(1), late(0), late(1), held(3, 'a'), held(0, 'a'))).toEqual([
      {
        cluster: null,
        values: [
          { name: 'SweepMs', unit: 'Milliseconds', value: 9 },
          { name: 'SweepLate', unit: 'Count', value: 2 },
        ],
      },
      { cluster: 'a', values: [{ name: 'SlotsHeld', unit: 'Count', value: 0 }] },
    ]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1])('%s is no measurement', (value) => {
    expect(of(sweep(value))).toEqual([]);
    expect(of(sweep(7), sweep(value))).toEqual([
      { cluster: null, values: [{ name: 'SweepMs', unit: 'Milliseconds', value: 7 }] },
    ]);
  });

  test('a zero is one', () => {
    expect(of(held(0, 'a'))).toEqual([{ cluster: 'a', values: [{ name: 'SlotsHeld', unit: 'Count', value: 0 }] }]);
  });

  test('a hundred clusters have a dimension; of more, none is lost', () => {
    const names = Array.from({ length: 103 }, (_, n) => `c${String(n).padStart(3, '0')}`);
    const documents = of(...names.toReversed().map((name) => held(1, name)));
    expect(documents).toHaveLength(103);
    expect(documents.filter(({ cluster }) => cluster === null)).toHaveLength(3);
    expect(documents.map(({ cluster }) => cluster)).toContain('c099');
    expect(documents.map(({ cluster }) => cluster)).not.toContain('c100');
  });

  test('gauges, and nothing else, are there all the time', () => {
    const gauges = Object.entries(METRICS).flatMap(([name, { isGauge }]) => (isGauge ? [name] : []));
    expect(gauges).toEqual(['HostsBehind', 'SlotsHeld', 'SweepMs', 'SweepLate']);
  });
});

test('operators find every metric in the documentation, as it is', () => {
  const page = readFileSync(new URL('../../../docs/operating/watching.md', import.meta.url), 'utf8');
  const rows = page.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  for (const [name, { unit, of: whose, isGauge, says }] of Object.entries(METRICS))
    expect(rows).toContainEqual(['', `\`${name}\``, unit, whose, isGauge ? 'yes' : 'no', says, '']);
});
