/** What a function was killed before saying, reconcile says: the event of an owner (I9), the call about what is held (I11). */
import { expect, test } from '@jest/globals';
import { MemoryAlerts } from '../../adapters/memory/memory-alerts.ts';
import { MemoryStore } from '../../adapters/memory/memory-store.ts';
import {
  type ClusterRecord,
  type EventRecord,
  type GroupRecord,
  keys,
  type SlotRecord,
} from '../../core/protocol/records.ts';
import { newSlot } from '../../core/recovery/ownership.ts';
import { wallInstant } from '../../core/time/time.ts';
import { logSlots } from '../../lambdas/reconcile/logged.ts';
import { tellHeld } from '../../lambdas/reconcile/told-held.ts';
import { recordEvent } from '../../lambdas/shared/run-log.ts';

const NOW = wallInstant(Date.parse('2026-01-05T09:00:00Z'));
const record: ClusterRecord = {
  cluster: 'c',
  rev: 1,
  incarnation: 'i',
  haEnabled: true,
  account: { partition: '', region: '', id: '' },
};
const owner = { host: 'h1', principal: 'p', session: 's-h1' };

function stage() {
  let no = 0;
  const ids = { next: () => String((no += 1)).padStart(8, '0') };
  const ports = { registry: new MemoryStore().registry(), wall: { now: () => NOW }, ids, alerts: new MemoryAlerts() };
  const events = async (): Promise<readonly EventRecord[]> => {
    const { pk } = keys.event('c', '2026-01-05', '');
    return (await ports.registry.query<EventRecord>(pk, { limit: 100 })).map(({ body }) => body);
  };
  return { ports, events };
}

const groups = (facts: Partial<SlotRecord>): readonly GroupRecord[] => [
  { group: 'db', rev: 1, standbys: [], slots: [{ ...newSlot(0, NOW), owner, epoch: 1, phase: 'Active', ...facts }] },
];

test('an owner that nobody has told of is told of once; one that was told of is not', async () => {
  const { ports, events } = stage();
  await logSlots(ports, { record, groups: groups({}) });
  await logSlots(ports, { record, groups: groups({}) });
  expect(await events()).toMatchObject([
    {
      kind: 'slot.state',
      subject: 'db/0',
      facts: { owner: { host: 'h1', session: 's-h1' }, epoch: 1, isHeld: false, sinceMs: NOW },
    },
  ]);
  await recordEvent(ports, 'c', {
    kind: 'slot.owner',
    subject: 'db/0',
    says: '',
    run: 'r',
    by: 'r',
    facts: { owner, epoch: 2 },
  });
  await logSlots(ports, { record, groups: groups({ epoch: 2 }) });
  expect(await events()).toHaveLength(2);
});

test('held, and held no longer, are told each; a slot that was never placed is not', async () => {
  const { ports, events } = stage();
  await logSlots(ports, { record, groups: groups({ epoch: 0, owner: null }) });
  await logSlots(ports, { record, groups: groups({ phase: 'Held' }) });
  await logSlots(ports, { record, groups: groups({}) });
  expect((await events()).map(({ facts }) => facts['isHeld'])).toEqual([true, false]);
});

test('a pass that died after it said "held" and before it noted that: what stands now is said all the same', async () => {
  const { ports, events } = stage();
  await logSlots(ports, { record, groups: groups({}) });
  const facts = { owner, epoch: 2 };
  await recordEvent(ports, 'c', { kind: 'slot.owner', subject: 'db/0', says: '', run: 'r', by: 'r', facts });
  const held = { ...facts, isHeld: true, sinceMs: NOW };
  await recordEvent(ports, 'c', { kind: 'slot.state', subject: 'db/0', says: '', run: null, by: 'x', facts: held });
  await logSlots(ports, { record, groups: groups({ epoch: 2, phase: 'Failed' }) });
  expect((await events()).at(-1)).toMatchObject({ kind: 'slot.state', facts: { epoch: 2, isHeld: false } });
});

test('whoever held a slot and told nobody: a person is called, once', async () => {
  const { ports } = stage();
  const held = { phase: 'Held', why: 'no host can take it', owner: null } as const;
  for (let pass = 0; pass < 3; pass += 1) await tellHeld(ports, { record, groups: groups(held) });
  expect(ports.alerts.pages).toEqual([{ subject: 'db/0 is held', text: 'no host can take it' }]);
  await tellHeld(ports, { record, groups: groups({ ...held, why: 'waits for a host: none' }) });
  await tellHeld(ports, { record, groups: groups({ phase: 'Held', why: 'its run says it' }) });
  expect(ports.alerts.pages).toHaveLength(1);
});
