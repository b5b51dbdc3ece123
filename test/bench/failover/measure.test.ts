import { describe, expect, test } from '@jest/globals';
import { lastClose, livesOf, measureSlot, median } from '../../../bench/failover/measure.ts';
import type { WitnessEntry } from '../../../local/witness/protocol.ts';

const SLOT = 'demo/ledger/0';

const open = (t: number, c: number): WitnessEntry => ({ t, c, e: 'open' });
const close = (t: number, c: number): WitnessEntry => ({ t, c, e: 'close' });
const hello = (
  t: number,
  c: number,
  host: string,
  more: { service?: string; pid?: number; slot?: string } = {},
): WitnessEntry => ({
  ...{ t, c, e: 'hello', host, epoch: 1 },
  slot: more.slot ?? SLOT,
  service: more.service ?? 'db',
  pid: more.pid ?? c,
});
const write = (t: number, c: number, value: number, service = 'db'): WitnessEntry => ({
  ...{ t, c, e: 'write', slot: SLOT, epoch: 1 },
  service,
  value,
});

describe('figures from the witness log', () => {
  test('a clean failover: h1 dies 200 µs after the fault, h2 says hello 3 ms after it', () => {
    const log = [
      ...[open(100, 1), hello(150, 1, 'h1'), write(200, 1, 1), write(900, 1, 2)],
      ...[close(1_200, 1), open(3_900, 2), hello(4_000, 2, 'h2'), write(4_500, 2, 3)],
    ];
    expect(measureSlot(log, SLOT, { from: 1_000, to: 10_000 })).toEqual({
      slot: SLOT,
      overlapMs: 0,
      downtimeMs: 3,
      lost: 0,
      before: 'h1',
      after: 'h2',
    });
  });

  test('two at once: overlap counts from the connection, and an old value over a new one is lost', () => {
    const log = [
      ...[open(100, 1), hello(150, 1, 'h1'), write(200, 1, 7), open(2_000, 2), hello(2_500, 2, 'h2')],
      ...[write(2_600, 1, 8), write(2_700, 1, 9), write(2_800, 2, 8), close(5_000, 1)],
    ];
    // 9 was acknowledged, then 8 took its place: 8 and 9 of the first writer are gone.
    expect(measureSlot(log, SLOT, { from: 1_000, to: 10_000 })).toMatchObject({ overlapMs: 3, lost: 2, after: 'h2' });
  });

  test('a service that never closes has overlap to the end of the span', () => {
    const log = [open(100, 1), hello(150, 1, 'h1'), open(4_000, 2), hello(4_000, 2, 'h2')];
    expect(measureSlot(log, SLOT, { from: 1_000, to: 10_000 }).overlapMs).toBe(6);
  });

  test('two services of one slot may run at once on one host, not on two', () => {
    const onOne = [open(100, 1), hello(100, 1, 'h1'), open(200, 2), hello(200, 2, 'h1', { service: 'address' })];
    expect(measureSlot(onOne, SLOT, { from: 0, to: 10_000 }).overlapMs).toBe(0);
    const onTwo = [open(100, 1), hello(100, 1, 'h1'), open(200, 2), hello(200, 2, 'h2', { service: 'address' })];
    expect(measureSlot(onTwo, SLOT, { from: 0, to: 1_200 }).overlapMs).toBe(1);
  });

  test('two processes of one service on one host are two; one process that connects twice is not', () => {
    const two = [open(100, 1), hello(100, 1, 'h1', { pid: 8 }), open(200, 2), hello(200, 2, 'h1', { pid: 9 })];
    expect(measureSlot(two, SLOT, { from: 0, to: 1_200 }).overlapMs).toBe(1);
    const one = [open(100, 1), hello(100, 1, 'h1', { pid: 8 }), open(200, 2), hello(200, 2, 'h1', { pid: 8 })];
    expect(measureSlot(one, SLOT, { from: 0, to: 1_200 }).overlapMs).toBe(0);
  });

  test('a service that ran on has no downtime; one that never came back has none to show', () => {
    const log = [open(100, 1), hello(150, 1, 'h1')];
    expect(measureSlot(log, SLOT, { from: 1_000, to: 10_000 })).toMatchObject({
      downtimeMs: 0,
      before: 'h1',
      after: 'h1',
    });
    const gone = [...log, close(2_000, 1)];
    expect(measureSlot(gone, SLOT, { from: 1_000, to: 10_000 })).toMatchObject({ downtimeMs: null, after: null });
  });

  test('downtime of a slot is that of its slowest service', () => {
    const log = [
      ...[open(100, 1), hello(100, 1, 'h1'), open(110, 2), hello(110, 2, 'h1', { service: 'address' })],
      ...[close(1_000, 1), close(1_000, 2), open(3_000, 3), hello(3_000, 3, 'h2'), open(4_000, 4)],
      hello(4_000, 4, 'h2', { service: 'address' }),
    ];
    expect(measureSlot(log, SLOT, { from: 1_000, to: 9_000 }).downtimeMs).toBe(3);
  });

  test('other slots and what lies before the fault do not count', () => {
    const log = [
      ...[open(100, 1), hello(100, 1, 'h1'), write(200, 1, 5), write(300, 1, 5), open(400, 2)],
      ...[hello(400, 2, 'h2', { slot: 'demo/web/0' }), open(500, 3), hello(500, 3, 'h3'), close(600, 3)],
    ];
    expect(measureSlot(log, SLOT, { from: 1_000, to: 9_000 })).toMatchObject({ overlapMs: 0, lost: 0 });
    expect(measureSlot(log, SLOT, { from: 0, to: 9_000 })).toMatchObject({ overlapMs: 0.1, lost: 1 });
  });

  test('the last close of a host', () => {
    const log = [
      ...[open(100, 1), hello(100, 1, 'h1'), open(110, 2), hello(110, 2, 'h1', { slot: 'demo/cache/0' })],
      ...[open(120, 3), hello(120, 3, 'h1', { slot: 'demo/free/0' }), open(130, 4), hello(130, 4, 'h2')],
      ...[close(2_000, 1), close(2_500, 2)],
    ];
    const lives = livesOf(log);
    const slots = [SLOT, 'demo/cache/0'];
    expect(lastClose(lives, { host: 'h1', slots, at: 1_000 })).toBe(2_500);
    expect(lastClose(lives, { host: 'h1', slots: [...slots, 'demo/free/0'], at: 1_000 })).toBe(
      Number.POSITIVE_INFINITY,
    );
    expect(lastClose(lives, { host: 'h3', slots, at: 1_000 })).toBeNull();
    expect(lastClose(lives, { host: 'h1', slots, at: 2_600 })).toBeNull();
  });

  test('median', () => {
    expect(median([3])).toBe(3);
    expect(median([9, 1, 5])).toBe(5);
    expect(median([10, 1, 4, 2])).toBe(3);
  });
});
