import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { PowerReading, PowerState } from '../../../core/ports.ts';
import type { PoweredOff } from '../../../core/protocol/power-records.ts';
import { powerOff } from '../../../core/recovery/evidence.ts';
import {
  confirmAfterMs,
  confirmationDueInMs,
  pairOfReads,
  poweredSession,
  type PoweredSession,
  type TimedReading,
  whyNoPowerOff,
  whyNotOff,
} from '../../../core/recovery/power-off.ts';
import { instant, wallInstant } from '../../../core/time/time.ts';
import { FINDING } from './fixtures.ts';

jest.setTimeout(60_000); // Thousands of cases, on a machine that others use.

const LAUNCHED = '2026-11-22T10:00:00.000Z';
const LATER = '2026-11-22T11:00:00.000Z';
/** Of profile `standard`: m 2 s. */
const ABOUT: PoweredSession = {
  ...{ session: 's-h1', principal: 'p-h1', machine: 'i-1', launchTime: LAUNCHED, writeLifeMs: 2_000 },
};

const OFF: PowerReading = {
  ...{ state: 'stopped', principal: 'p-h1', launchTime: LAUNCHED, canHibernate: false },
  ...{ checks: 'unknown', impairedSince: null, says: '' },
};

/** A read asked at `askedMs` on the boot clock, answered `tookMs` later. */
function read(askedMs: number, changes: Partial<PowerReading> = {}, tookMs = 100): TimedReading {
  return {
    reading: { ...OFF, ...changes },
    askedAt: instant(askedMs),
    answeredAt: instant(askedMs + tookMs),
    askedAtMs: wallInstant(1_000_000 + askedMs),
  };
}

describe('S7: what two reads show', () => {
  test('both stopped, 2 s from the first answer to the second question, same launch and principal', () => {
    expect(pairOfReads(ABOUT, read(0), read(2_100))).toEqual({
      off: {
        session: 's-h1',
        machine: 'i-1',
        writeLifeMs: 2_000,
        reads: [
          {
            ...{ state: 'stopped', principal: 'p-h1', launchTime: LAUNCHED },
            ...{ askedAtMs: 1_000_000, answeredAtMs: 1_000_100 },
          },
          {
            ...{ state: 'stopped', principal: 'p-h1', launchTime: LAUNCHED },
            ...{ askedAtMs: 1_002_100, answeredAtMs: 1_002_200 },
          },
        ],
      },
    });
  });

  test('counted from the answer, not from the question', () => {
    expect(pairOfReads(ABOUT, read(0), read(2_099)).off).toBeNull();
    expect(pairOfReads(ABOUT, read(0, {}, 1_500), read(2_500)).off).toBeNull();
    expect(pairOfReads(ABOUT, read(0, {}, 1_500), read(3_500)).off).not.toBeNull();
    expect(confirmationDueInMs(ABOUT, read(0, {}, 1_500), instant(2_000))).toBe(1_500);
    expect(confirmationDueInMs(ABOUT, read(0, {}, 1_500), instant(9_000))).toBe(0);
  });

  test.each([
    ['of demo, 2 s', 100, 2_000],
    ['of fast, 2 s', 500, 2_000],
    ['of standard, 2 s', 2_000, 2_000],
    ['of conservative, its 5 s', 5_000, 5_000],
    ['that is longer than that of any profile', 6_500, 6_500],
    ['that nobody knows: the longest of the profiles', undefined, 5_000],
  ])('what was sent before may land for m: the reads are so far apart for one %s', (_, writeLifeMs, apartMs) => {
    const about = { ...ABOUT, writeLifeMs };
    const first = read(0, {}, 100);
    expect(confirmAfterMs(about)).toBe(apartMs);
    expect(confirmationDueInMs(about, first, instant(100))).toBe(apartMs);
    expect(pairOfReads(about, first, read(100 + apartMs - 1))).toEqual({
      off: null,
      why: `the second read was asked ${apartMs - 1} ms after the answer to the first`,
    });
    const { off } = pairOfReads(about, first, read(100 + apartMs));
    expect(off).toMatchObject({ session: 's-h1' });
    expect(off?.writeLifeMs).toBe(writeLifeMs);
  });

  test('stopped, then terminated is as good', () => {
    expect(pairOfReads(ABOUT, read(0), read(2_100, { state: 'terminated' })).off).not.toBeNull();
  });

  test('a wall clock that was set between the reads does not shorten what is recorded', () => {
    const second = { ...read(2_100), askedAtMs: wallInstant(5) };
    const { off } = pairOfReads(ABOUT, read(0), second);
    expect(off?.reads.map(({ askedAtMs }) => askedAtMs)).toEqual([1_000_000, 1_002_100]);
  });

  const NEVER: readonly (readonly [string, Partial<PowerReading>])[] = [
    ...(['pending', 'running', 'shutting-down', 'stopping', 'unknown'] as const).map(
      (state) => [state, { state }] as const,
    ),
    ['another life of the machine', { launchTime: LATER }],
    ['no launch time', { launchTime: null }],
    ['a launch time that cannot be read', { launchTime: 'yesterday' }],
    ['another machine', { principal: 'p-h2' }],
    ['no machine named', { principal: null }],
    ['may be hibernated', { canHibernate: true }],
    ['nobody knows whether it may be hibernated', { canHibernate: null }],
  ];

  test.each(NEVER)('%s: never, as the first or as the second read', (_, changes) => {
    expect(whyNotOff({ ...OFF, ...changes }, ABOUT)).not.toBeNull();
    expect(pairOfReads(ABOUT, read(0, changes), read(2_100)).off).toBeNull();
    expect(pairOfReads(ABOUT, read(0), read(2_100, changes)).off).toBeNull();
  });

  test.each([undefined, '', 'soon'])('a session that recorded the launch time %j: never', (launchTime) => {
    const about = { ...ABOUT, launchTime };
    expect(whyNoPowerOff(about)).toBe('its session recorded no launch time');
    const same = launchTime === undefined ? {} : { launchTime };
    expect(pairOfReads(about, read(0, same), read(2_100, same)).off).toBeNull();
  });

  test.each(['2026-11-22T10:00:00Z', '2026-11-22T10:00:00.0Z', '2026-11-22T10:00:00+00:00'])(
    '%s is the same moment',
    (launchTime) => {
      expect(pairOfReads({ ...ABOUT, launchTime }, read(0), read(2_100)).off).not.toBeNull();
    },
  );
});

describe('whose session it is', () => {
  const timing = { writeLifeMs: 2_000 };
  const seen = { session: 's-h1', machine: 'i-1', launchTime: LAUNCHED, timing } as never;
  const other = { session: 's-0', machine: 'i-0', launchTime: LATER, timing } as never;

  test('as the observer recorded it, the one before if another machine took its place, else as its item shows it', () => {
    const at = wallInstant(0);
    expect(poweredSession({ principal: 'p-h1', seen }, 's-h1')).toEqual(ABOUT);
    expect(poweredSession({ principal: 'p-h1', seen: other, replaced: { seen, atMs: at } }, 's-h1')).toEqual(ABOUT);
    expect(poweredSession({ principal: 'p-h1', seen: null }, 's-h1', seen)).toEqual(ABOUT);
    expect(poweredSession({ principal: 'p-h1', seen: other }, 's-h1', other)).toBeUndefined();
    expect(whyNoPowerOff(undefined)).not.toBeNull();
  });

  test('m is that of the session, not of what runs there now; where its timing is not known, m is not', () => {
    const slow = { session: 's-h1', machine: 'i-1', launchTime: LAUNCHED, timing: { writeLifeMs: 5_000 } } as never;
    const replaced = { seen: slow, atMs: wallInstant(0) };
    expect(poweredSession({ principal: 'p-h1', seen: other, replaced }, 's-h1')?.writeLifeMs).toBe(5_000);
    const bare = { session: 's-h1', machine: 'i-1', launchTime: LAUNCHED } as never;
    expect(poweredSession({ principal: 'p-h1', seen: bare }, 's-h1')).toEqual({ ...ABOUT, writeLifeMs: undefined });
  });
});

describe('evidence from the stored record', () => {
  const OLD = { host: 'h1', session: 's-h1', principal: 'p-h1' };
  const recorded = (): PoweredOff => {
    const { off } = pairOfReads(ABOUT, read(0), read(2_100));
    if (off === null) throw new Error('no pair');
    return off;
  };
  const [first, second] = recorded().reads;

  test('is about that session of that host, and binds nobody', () => {
    expect(powerOff(OLD, recorded(), FINDING)).toEqual({
      ...{ kind: 'power-off', host: 'h1', session: 's-h1', run: 'run-1', atMs: 5_000, takers: null },
      because: `EC2 said twice, 2.0 s apart, that its machine i-1 is stopped, and not started again since this session began (LaunchTime ${LAUNCHED})`,
    });
  });

  test.each([
    ['no record', undefined],
    ['a record of another session', { ...recorded(), session: 's-other' }],
    ['reads of another machine', { ...recorded(), reads: [first, { ...second, principal: 'p-h2' }] as const }],
    ['reads of two lives', { ...recorded(), reads: [first, { ...second, launchTime: LATER }] as const }],
    ['the same read twice', { ...recorded(), reads: [first, first] as const }],
    [
      'reads less than 2 s apart',
      { ...recorded(), reads: [first, { ...second, askedAtMs: wallInstant(second.askedAtMs - 1) }] as const },
    ],
    ['reads less than m apart', { ...recorded(), writeLifeMs: 5_000 }],
    ['reads 2 s apart, and m is not known', { ...recorded(), writeLifeMs: undefined }],
    [
      'a read that showed it stopping',
      { ...recorded(), reads: [{ ...first, state: 'stopping' as never }, second] as const },
    ],
  ])('%s: none', (_, off) => {
    expect(powerOff(OLD, off, FINDING)).toBeNull();
  });
});

describe('property: power-off is true', () => {
  const STATES: readonly PowerState[] = [
    'pending',
    'running',
    'stopping',
    'shutting-down',
    'stopped',
    'terminated',
    'unknown',
  ];

  /** Lives of one machine: on from `onMs`, off from `offMs`, the next one on after that. */
  const livesOf = fc.array(fc.tuple(fc.nat(4_000), fc.nat(4_000)), { minLength: 1, maxLength: 4 }).map((gaps) => {
    let at = 0;
    return gaps.map(([on, off], n) => {
      const onMs = at + on;
      const offMs = onMs + 1 + off;
      at = offMs + 1;
      return { onMs, offMs, launchTime: `2026-11-22T1${n}:00:00.000Z` };
    });
  });

  /** What an honest platform may say of a moment up to `staleMs` ago; a dishonest state is drawn now and then. */
  function sayAt(
    lives: readonly { onMs: number; offMs: number; launchTime: string }[],
    atMs: number,
  ): Partial<PowerReading> {
    const life = lives.findLast(({ onMs }) => onMs <= atMs);
    if (life === undefined) return { state: 'unknown', principal: null, launchTime: null };
    return { state: atMs < life.offMs ? 'running' : 'stopped', launchTime: life.launchTime };
  }

  test('whatever is read when, however stale: a record about a session means that its life was over before', () => {
    // Mostly what could be evidence, so that what must not be is met often enough.
    const often = <T>(usual: T, rare: readonly T[]) =>
      fc.oneof({ weight: 8, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...rare) });
    const reads = fc.record({
      askedMs: fc.nat(20_000),
      tookMs: fc.nat(1_000),
      staleMs: fc.nat(5_000),
      hibernates: often<boolean | null>(false, [true, null]),
      principal: often<string | null>('p-h1', ['p-h2', null]),
      transition: often<PowerState | null>(
        null,
        STATES.filter((state) => state !== 'stopped' && state !== 'terminated'),
      ),
    });
    const lifeOfWrites = fc.option(fc.constantFrom(100, 500, 2_000, 5_000), { nil: undefined });
    fc.assert(
      fc.property(livesOf, fc.nat(3), reads, reads, fc.nat(8_000), lifeOfWrites, (lives, which, a, b, gapMs, m) => {
        const own = lives[which % lives.length];
        if (own === undefined) return;
        const make = (r: typeof a, askedMs: number): TimedReading => {
          const said = sayAt(lives, askedMs + r.tookMs - r.staleMs);
          const state = r.transition === null ? {} : { state: r.transition };
          return read(askedMs, { principal: r.principal, canHibernate: r.hibernates, ...said, ...state }, r.tookMs);
        };
        const first = make(a, a.askedMs);
        const second = make(b, a.askedMs + gapMs);
        const about = { ...ABOUT, launchTime: own.launchTime, writeLifeMs: m };
        const { off } = pairOfReads(about, first, second);
        if (off === null) return;
        // The life of the session was over before either answer came.
        expect(own.offMs).toBeLessThanOrEqual(a.askedMs + a.tookMs);
        expect(gapMs - a.tookMs).toBeGreaterThanOrEqual(2_000);
        // And what it had sent by then had landed, or never would, before the second read was asked.
        expect(gapMs - a.tookMs).toBeGreaterThanOrEqual(m ?? 5_000);
        for (const { reading } of [first, second]) {
          expect(['stopped', 'terminated']).toContain(reading.state);
          expect(reading.principal).toBe('p-h1');
          expect(reading.canHibernate).toBe(false);
        }
        // And the stored record is found to say so, whenever it is read back.
        const stored = JSON.parse(JSON.stringify(off)) as PoweredOff;
        expect(powerOff({ host: 'h1', session: 's-h1', principal: 'p-h1' }, stored, FINDING)?.kind).toBe('power-off');
        expect(powerOff({ host: 'h1', session: 's-2', principal: 'p-h1' }, stored, FINDING)).toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });

  test('it is not refused for nothing: clear reads of an ended life, far enough apart, are evidence', () => {
    fc.assert(
      fc.property(livesOf, fc.nat(3_000), fc.nat(5_000), fc.nat(10_000), (lives, tookMs, moreMs, afterMs) => {
        const last = lives.at(-1);
        if (last === undefined) return;
        const askedMs = last.offMs + afterMs;
        const about = { ...ABOUT, launchTime: last.launchTime };
        const said = sayAt(lives, askedMs);
        const pair = pairOfReads(about, read(askedMs, said, tookMs), read(askedMs + tookMs + 2_000 + moreMs, said));
        expect(pair.off).not.toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });
});
