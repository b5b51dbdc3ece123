import { expect, test } from '@jest/globals';
import { findTouched, type Harm } from '../../../bench/failover/storm.ts';
import type { StatusView } from '../../../core/protocol/views.ts';

function status(owner: string, epoch: number): StatusView {
  const slot = { slot: 0, owner, epoch, phase: 'Active', why: '', evidenceKind: null, candidates: [] } as const;
  const group = { name: 'ledger', model: 'n-plus-m', priority: 10, health: 'ok', covered: true } as const;
  return {
    ...{ cluster: 'demo', rev: 1, haEnabled: true, atMs: 0, runs: [], hosts: [] },
    bound: { recoveryMs: 1, outageMs: 1 },
    groups: [{ ...group, slots: [slot], standbys: [] }],
  };
}

const RAN_ON = {
  ...{ slot: 'demo/ledger/0', overlapMs: 0, downtimeMs: 0, lost: 0, before: 'h1', after: 'h1' },
};
const CALM: Harm = {
  before: status('h1', 3),
  after: status('h1', 3),
  bootsBefore: { h1: 'b1', h2: 'b2' },
  bootsAfter: { h1: 'b1', h2: 'b2' },
  slots: [RAN_ON],
};

test('who was touched by what must touch nobody', () => {
  expect(findTouched(CALM)).toEqual([]);
  expect(findTouched({ ...CALM, bootsAfter: { h1: 'b1', h2: 'b3' } })).toEqual(['the machine of h2 was stopped']);
  expect(findTouched({ ...CALM, bootsAfter: { h1: 'b1', h2: 'off' } })).toEqual(['the machine of h2 was stopped']);
  expect(findTouched({ ...CALM, after: status('h1', 4) })).toEqual([
    'ledger/0 was on h1, epoch 3 and is on h1, epoch 4',
  ]);
  expect(findTouched({ ...CALM, slots: [{ ...RAN_ON, downtimeMs: 12 }] })).toEqual(['demo/ledger/0 was interrupted']);
});
