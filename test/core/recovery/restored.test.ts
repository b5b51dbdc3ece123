import { describe, expect, test } from '@jest/globals';
import type { Heartbeat } from '../../../core/protocol/records.ts';
import { contradictedBy } from '../../../core/recovery/restored.ts';
import { item } from './fixtures.ts';

const AT = { group: 'db', slot: 0, epoch: 4 };
const report = { group: 'db', slot: 0, epoch: 4, phase: 'Active', health: 'ok' } as const;

describe('S21: what a live heartbeat says against the record', () => {
  test.each<[string, Partial<Heartbeat>, string | null]>([
    ['the same epoch', { slots: [report] }, null],
    ['an earlier one', { slots: [{ ...report, epoch: 3 }] }, null],
    ['a later one', { slots: [{ ...report, epoch: 5 }] }, 'h1 reports db/0 in epoch 5, the registry knows 4'],
    ['a later one of another slot', { slots: [{ ...report, slot: 1, epoch: 5 }] }, null],
    ['a later one of another group', { slots: [{ ...report, group: 'web', epoch: 5 }] }, null],
    ['the same incarnation', { incarnation: 'i-1' }, null],
    ['another incarnation', { incarnation: 'i-2' }, 'h1 works under incarnation i-2 of the registry, this one is i-1'],
    ['no incarnation: it was told of none yet', { incarnation: '' }, null],
  ])('%s', (_, changes, why) => {
    const found = contradictedBy([item('h1', 's-h1', { incarnation: 'i-1', slots: [], ...changes })], 'i-1', AT);
    if (why === null) expect(found).toBeNull();
    else expect(found).toContain(why);
  });
});
