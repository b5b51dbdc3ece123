import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import {
  isStorm,
  type Known,
  type LookedAt,
  looksAt,
  membersOf,
  type Scanned,
  settleMs,
  stormCount,
  whyNoLook,
} from '../../../core/detection/storm.ts';
import type { LateRecord } from '../../../core/protocol/observer-records.ts';
import type { Heartbeat, HostStatus } from '../../../core/protocol/records.ts';
import { instant, wallInstant } from '../../../core/time/time.ts';
import { item } from '../recovery/fixtures.ts';

jest.setTimeout(60_000); // Thousands of cases, on a machine that others use.

const NOW = wallInstant(1_000_000);
const RUNS = { numRuns: 2_000 };

const known = (host: string, status: HostStatus = 'Up', late?: Partial<LateRecord>): Known => ({
  record: { host, principal: `p-${host}`, status, statusSinceMs: wallInstant(990_000) },
  zone: null,
  late:
    late === undefined
      ? undefined
      : { host, principal: `p-${host}`, session: 's', seq: 5, observedAtMs: wallInstant(980_000), ...late },
});

const at = (host: string, session: string, seq: number): Heartbeat => item(host, session, { seq });

describe('who is silent now (S13)', () => {
  test.each<[string, Heartbeat[], Heartbeat[], boolean]>([
    ['the same version', [at('h1', 's', 5)], [at('h1', 's', 5)], true],
    ['a higher one', [at('h1', 's', 5)], [at('h1', 's', 6)], false],
    ['an older one, as a stale scan shows it', [at('h1', 's', 5)], [at('h1', 's', 4)], true],
    ['a new session', [at('h1', 's', 5)], [at('h1', 't', 1)], false],
    ['revoked meanwhile', [at('h1', 's', 5)], [at('h1', 'revoked:r', 5)], true],
    ['no item', [], [], true],
    ['an item that was not there before', [], [at('h1', 's', 5)], true],
  ])('%s', (_, first, second, isSilent) => {
    expect(looksAt([known('h1')], first, second)).toMatchObject([{ host: 'h1', isSilent }]);
  });

  test.each<[string, Known, number | null]>([
    ['as the observer first held the version', known('h1', 'Behind', {}), 980_000],
    ['a version that the observer has no record of: it falls silent now', known('h1', 'Up', { seq: 4 }), null],
    ['no record, but it has left Up: since then at the latest', known('h1', 'Fencing'), 990_000],
  ])('since when: %s', (_, host, silentSinceMs) => {
    const version = [at('h1', 's', 5)];
    expect(looksAt([host], version, version)).toMatchObject([{ isSilent: true, silentSinceMs }]);
  });
});

describe('the look itself (S13)', () => {
  const scanned = (askedAt: number, answeredAt: number): Scanned => {
    return { items: [], askedAt: instant(askedAt), answeredAt: instant(answeredAt) };
  };

  test.each<[string, Scanned, Scanned, string | null]>([
    ['quick reads, nothing in between', scanned(0, 50), scanned(525, 570), null],
    ['a slow first read', scanned(0, 1_001), scanned(1_476, 1_500), 'took 1001 ms'],
    ['a slow second read', scanned(0, 50), scanned(525, 1_600), 'took 1075 ms'],
    ['the process stood still between them', scanned(0, 50), scanned(1_526, 1_530), 'did not run for 1001 ms'],
  ])('%s', (_, first, second, why) => {
    const found = whyNoLook(first, second, 475, 200);
    if (why === null) expect(found).toBeNull();
    else expect(found).toContain(why);
  });

  test('waits one renewal of the slowest session with jitter and its own cap (S19)', () => {
    const timing = { intervalMs: 250, jitter: 0.1, renewCapMs: 200 };
    expect(settleMs(timing, [])).toBeCloseTo(475);
    expect(settleMs(timing, [at('h1', 's', 1)])).toBeCloseTo(1_300); // The fixture's session recorded I = 1 s.
  });
});

const look = (host: string, facts: Partial<LookedAt> = {}): LookedAt => {
  return { host, zone: null, status: 'Up', isSilent: false, silentSinceMs: null, ...facts };
};
const silent = (host: string, agoMs = 0, status: HostStatus = 'Behind'): LookedAt =>
  look(host, { status, isSilent: true, silentSinceMs: wallInstant(1_000_000 - agoMs) });

describe('storm (S14)', () => {
  test.each<[string, LookedAt[], boolean]>([
    ['one of three', [silent('a'), look('b'), look('c')], false],
    ['two of three', [silent('a'), silent('b'), look('c')], true],
    ['two of four: exactly half', [silent('a'), silent('b'), look('c'), look('d')], false],
    ['three of five', [silent('a'), silent('b'), silent('c'), look('d'), look('e')], true],
    ['both of two: too few to tell', [silent('a'), silent('b')], false],
    ['one fenced already, one of the others', [look('a', { status: 'Fenced' }), silent('b'), look('c')], false],
    ['one fenced already, both others', [look('a', { status: 'Fenced' }), silent('b'), silent('c')], true],
    ['one is down since before the window', [silent('a', 5_001), silent('b'), look('c')], false],
    ['one is silent since the window began', [silent('a', 5_000), silent('b'), look('c')], true],
    ['removed hosts make no third', [silent('a'), silent('b'), look('c', { status: 'Removed' })], false],
  ])('%s', (_, looked, expected) => {
    expect(isStorm(stormCount(looked, 5_000, NOW))).toBe(expected);
  });

  const anyHost = fc.record({
    status: fc.constantFrom<HostStatus>('Up', 'Behind', 'Investigating', 'Fencing', 'Alert', 'Down', 'Fenced'),
    isSilent: fc.boolean(),
    agoMs: fc.nat(10_000),
  });
  const anyLook = fc.array(anyHost, { minLength: 1, maxLength: 12 }).map((hosts) =>
    hosts.map(({ status, isSilent, agoMs }, no) =>
      look(`h${no}`, {
        status,
        isSilent,
        silentSinceMs: isSilent ? wallInstant(1_000_000 - agoMs) : null,
      }),
    ),
  );

  test('counted anew by hand, host by host', () => {
    fc.assert(
      fc.property(anyLook, (looked) => {
        let up = 0;
        let fell = 0;
        for (const one of looked) {
          if (one.status === 'Down' || one.status === 'Fenced') continue;
          if (one.silentSinceMs !== null && 1_000_000 - one.silentSinceMs > 5_000) continue;
          up += 1;
          if (one.isSilent) fell += 1;
        }
        expect(isStorm(stormCount(looked, 5_000, NOW))).toBe(looked.length >= 3 && fell > up / 2);
      }),
      RUNS,
    );
  });

  test('one more host that falls silent never ends a storm, nor does one that is fenced meanwhile begin one', () => {
    fc.assert(
      fc.property(anyLook, fc.nat(), (looked, pick) => {
        const before = isStorm(stormCount(looked, 5_000, NOW));
        const at = pick % looked.length;
        const now = { isSilent: true, silentSinceMs: NOW };
        const more = looked.map((one, no) => (no === at && !one.isSilent ? { ...one, ...now } : one));
        if (before) expect(isStorm(stormCount(more, 5_000, NOW))).toBe(true);
        const less = looked.map((one, no) => (no === at && one.isSilent ? { ...one, status: 'Fenced' as const } : one));
        if (!before) expect(isStorm(stormCount(less, 5_000, NOW))).toBe(false);
      }),
      RUNS,
    );
  });

  test('members are those that are not lost yet', () => {
    const statuses: HostStatus[] = ['Connecting', 'Up', 'Behind', 'Down', 'Fencing', 'Fenced', 'Alert', 'Removed'];
    const members = membersOf(statuses.map((status) => look(status, { status })));
    expect(members.map(({ host }) => host)).toEqual(['Up', 'Behind', 'Fencing', 'Alert']);
  });
});
