import { describe, expect, test } from '@jest/globals';
import {
  closed,
  isAccepted,
  leaseOver,
  released,
  revocationDueInMs,
  sessionWaitMs,
  successor,
  whyNoLeaseOver,
} from '../../../core/recovery/evidence.ts';
import type { Heartbeat } from '../../../core/protocol/records.ts';
import { wallInstant } from '../../../core/time/time.ts';
import { slot } from '../placement/fixtures.ts';
import { FINDING, item, report } from './fixtures.ts';

const OLD = { host: 'h1', session: 's-h1' };

describe('S7: which kinds a slot accepts', () => {
  test.each([
    ['released', [], true],
    ['closed', [], true],
    ['successor', [], true],
    ['lease-over', [], false],
    ['lease-over', ['lease-over'], true],
    ['power-off', ['lease-over'], false],
    ['witnessed', ['lease-over', 'power-off'], false],
  ] as const)('%s with policy %j: %p', (kind, accepts, isTaken) => {
    expect(isAccepted(kind, accepts)).toBe(isTaken);
  });
});

describe('S7 S19: the wait before a revocation', () => {
  const timing = item('h1', 's').timing;

  test.each([
    ['L_c as recorded (12 s) and ε', timing, 13_000],
    // L_h 10 s · 1.001 / 0.999 + 1.001 · 1.5 s = 11521.52 ms
    ['never below V3, whatever a host recorded', { ...timing, takerWaitMs: 1_000 }, 12_522],
    [
      'a longer lease recorded by the old session, whatever is configured today',
      { ...timing, takerWaitMs: 33_000 },
      34_000,
    ],
  ])('%s', (_, recorded, waitMs) => {
    expect(sessionWaitMs({ timing: recorded }, 1_000)).toBe(waitMs);
  });

  test.each([
    [0, 13_000],
    [12_999, 1],
    [13_000, 0],
    [60_000, 0],
  ])('%d ms after the answer that held the version: due in %d ms', (sinceMs, dueInMs) => {
    expect(revocationDueInMs({ timing }, wallInstant(7_000), wallInstant(7_000 + sinceMs), 1_000)).toBe(dueInMs);
  });

  test('a wall clock that stepped back lengthens the wait', () => {
    expect(revocationDueInMs({ timing }, wallInstant(7_000), wallInstant(2_000), 1_000)).toBe(18_000);
  });
});

describe('lease-over', () => {
  const at = slot(0, {
    lists: [
      { no: 3, hosts: ['h1', 'h2'] },
      { no: 4, hosts: ['h1', 'h2', 'h3'] },
    ],
  });

  test('is about the session that was revoked, and any candidate may take over from one that could not hold', () => {
    expect(leaseOver(item('h1', 's-h1'), at, 'db', FINDING)).toMatchObject({
      kind: 'lease-over',
      host: 'h1',
      session: 's-h1',
      run: 'run-1',
      takers: null,
    });
  });

  test.each<[string, Partial<Heartbeat>, string]>([
    ['of guard level none (S4)', { guardLevel: 'none' }, 'its guard level is none: nothing bounds a stopped guard'],
    ['that obeys other rules', { rules: 2 }, 'it obeys rules version 2, this control plane knows 1'],
  ])('cannot be had about a session %s', (_, changes, why) => {
    expect(leaseOver(item('h1', 's-h1', changes), at, 'db', FINDING)).toBeNull();
    expect(whyNoLeaseOver(item('h1', 's-h1', changes))).toBe(why);
  });

  test.each([
    ['the acknowledged one, not the newest', { 'db/0': 3 }, ['h1', 'h2']],
    ['the newest, if that was acknowledged', { 'db/0': 4 }, ['h1', 'h2', 'h3']],
    ['nobody, if none was', {}, []],
    ['nobody, if it is not known any more', { 'db/0': 2 }, []],
    ["nobody by another slot's number", { 'db/1': 3 }, []],
  ])('S11: the list that binds the takers of a session that could hold is %s', (_, lists, takers) => {
    const revoked = item('h1', 's-h1', { mayHold: true, lists });
    expect(leaseOver(revoked, at, 'db', FINDING)?.takers).toEqual(takers);
  });
});

describe('successor', () => {
  test.each<[string, Heartbeat | undefined, string | undefined, boolean]>([
    ['the same machine registered a newer session', item('h1', 's-new'), 'm-h1', true],
    ['another machine did', item('h1', 's-new', { machine: 'm-x' }), 'm-h1', false],
    ['the old machine is not known', item('h1', 's-new'), undefined, false],
    ['the old session still stands', item('h1', 's-h1'), 'm-h1', false],
    ['it was revoked: that is no newer session', item('h1', 'revoked:run-1'), 'm-h1', false],
    ['there is no item', undefined, 'm-h1', false],
    ['there is no item and no known machine', undefined, undefined, false],
  ])('%s: %p', (_, current, machine, isProven) => {
    const found = successor({ ...OLD, machine }, current, FINDING);
    expect(found !== null).toBe(isProven);
    if (found !== null) expect(found).toMatchObject({ kind: 'successor', host: 'h1', session: 's-h1', takers: null });
  });
});

describe('closed', () => {
  const whole = report({ order: 'closed.s-h1', group: '*', epoch: 0 });
  test.each([
    ['its own word', whole, true],
    ['no word', undefined, false],
    ['about another session', { ...whole, order: 'closed.s-other' }, false],
    ['written by another session', { ...whole, session: 's-other' }, false],
    ['of one slot only', report(), false],
    ['that failed', { ...whole, outcome: 'failed' as const }, false],
  ])('%s: %p', (_, found, isProven) => {
    expect(closed(OLD, found, FINDING)?.kind === 'closed').toBe(isProven);
  });
});

describe('released', () => {
  test.each([
    ['in this epoch by its owner', report(), true],
    ['not at all', undefined, false],
    ['in the epoch before', report({ epoch: 3 }), false],
    ['in a later one', report({ epoch: 5 }), false],
    ['by another session', report({ session: 's-h2' }), false],
    ['not: it failed to stop', report({ outcome: 'failed' }), false],
    ['not: it was refused', report({ outcome: 'refused' }), false],
  ])('%s: %p', (_, found, isProven) => {
    const proof = released(OLD, 4, found, FINDING);
    expect(proof !== null).toBe(isProven);
    if (proof !== null)
      expect(proof).toMatchObject({ kind: 'released', host: 'h1', session: 's-h1', epoch: 4, takers: null });
  });
});
