import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { Observation } from '../../../core/detection/detect.ts';
import type { Heartbeat } from '../../../core/protocol/records.ts';
import { item, WALL, watchAll } from './fixtures.ts';
import type { Shot } from './fixtures.ts';

jest.setTimeout(60_000); // Thousands of cases, on a machine that others use.

const HOSTS = ['h1', 'h2', 'h3'];
const RUNS = { numRuns: 2_000 };

interface Beater {
  readonly host: string;
  readonly phaseMs: number;
  /** Actual interval: I·(1 + at most J). */
  readonly everyMs: number;
  /** Silent from here on. */
  readonly diesAtMs: number;
  readonly skewMs: number;
}

const beater = (host: string, diesAtMs: number): fc.Arbitrary<Beater> =>
  fc
    .record({ phaseMs: fc.nat(999), everyMs: fc.integer({ min: 1_000, max: 1_100 }), skewMs: fc.integer() })
    .map((facts) => ({ ...facts, host, diesAtMs }));

const beaters = (diesAtMs: (host: string) => number) => fc.tuple(...HOSTS.map((host) => beater(host, diesAtMs(host))));

/** What the store holds at `ms`. */
function stored({ host, phaseMs, everyMs, diesAtMs, skewMs }: Beater, ms: number): Heartbeat {
  const until = Math.min(ms, diesAtMs);
  return item(host, `s:${1 + Math.max(0, Math.floor((until - phaseMs) / everyMs))}`, { sentAtWallMs: ms + skewMs });
}

/** Sweeps about once a second, each answer up to 300 ms old when it arrives. */
const sweepTimes = (count: number) =>
  fc
    .array(fc.record({ pauseMs: fc.integer({ min: 900, max: 1_300 }), oldMs: fc.nat(300) }), {
      minLength: count,
      maxLength: count,
    })
    .map((steps) => {
      let atMs = 2_000;
      return steps.map(({ pauseMs, oldMs }) => {
        atMs += pauseMs;
        return { atMs, readMs: atMs - oldMs };
      });
    });

const shotsOf = (hosts: readonly Beater[], times: readonly { atMs: number; readMs: number }[]): readonly Shot[] =>
  times.map(({ atMs, readMs }) => ({ atMs, items: hosts.map((host) => stored(host, readMs)) }));

/** Everything that leaves the step but the memory, as one text. */
const said = (seen: readonly Observation[]) => JSON.stringify(seen.map((one) => ({ ...one, memory: null })));

describe('hosts that beat', () => {
  test('I6: no fault, no action', () => {
    fc.assert(
      fc.property(
        beaters(() => Infinity),
        sweepTimes(25),
        (hosts, times) => {
          for (const seen of watchAll(HOSTS, shotsOf(hosts, times))) {
            expect([seen.behind, seen.recovered, seen.missing, seen.unconfirmed, seen.doubt]).toEqual([
              [],
              [],
              [],
              [],
              null,
            ]);
          }
        },
      ),
      RUNS,
    );
  });

  test('one that dies is found, alone, within its line and two sweeps', () => {
    fc.assert(
      fc.property(
        beaters((host) => (host === 'h2' ? 10_000 : Infinity)),
        sweepTimes(25),
        (hosts, times) => {
          const seen = watchAll(HOSTS, shotsOf(hosts, times));
          expect([...new Set(seen.flatMap((one) => one.behind.map(({ host }) => host)))]).toEqual(['h2']);
          const first = seen.findIndex((one) => one.behind.length > 0);
          // Last beat at 10 s at the latest, seen a sweep and 0.3 s later, 2.5 s over the line, found at the sweep after that.
          expect(times[first]?.atMs).toBeLessThanOrEqual(10_000 + 300 + 1_300 + 2_500 + 2 * 1_300);
          expect(seen.map((one) => one.doubt).filter((doubt) => doubt !== null)).toEqual([]);
        },
      ),
      RUNS,
    );
  });

  test('an outage of the store accuses nobody until the doubt about it is spent', () => {
    fc.assert(
      fc.property(
        beaters(() => 10_000),
        sweepTimes(30),
        (hosts, times) => {
          const seen = watchAll(HOSTS, shotsOf(hosts, times));
          const first = times[seen.findIndex((one) => one.behind.length > 0)]?.atMs;
          const doubted = times[seen.findIndex((one) => one.doubt !== null)]?.atMs;
          expect(doubted).toBeLessThanOrEqual(10_000 + 300 + 1_300 + 2_500 + 1_300);
          expect(first).toBeGreaterThanOrEqual((doubted ?? Infinity) + 12_000);
          expect(seen.at(-1)?.behind.map(({ host }) => host)).toEqual(HOSTS);
        },
      ),
      RUNS,
    );
  });

  test('the clocks of hosts change nothing', () => {
    fc.assert(
      fc.property(
        beaters((host) => (host === 'h2' ? 10_000 : Infinity)),
        sweepTimes(20),
        fc.integer(),
        (hosts, times, skewMs) => {
          const other = hosts.map((host, at) => ({ ...host, skewMs: skewMs * (at + 1) }));
          expect(said(watchAll(HOSTS, shotsOf(other, times)))).toBe(said(watchAll(HOSTS, shotsOf(hosts, times))));
        },
      ),
      RUNS,
    );
  });
});

/** Answers of a store that may show anything: other sessions, old versions, missing items, pauses. */
const wildShots: fc.Arbitrary<readonly Shot[]> = fc
  .array(
    fc.record({
      pauseMs: fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom(500, 1_000, 1_500) },
        { weight: 1, arbitrary: fc.constant(4_000) },
      ),
      versions: fc.tuple(
        ...HOSTS.map(() =>
          fc.option(fc.tuple(fc.constantFrom('a', 'a', 'a', 'b', 'revoked:r'), fc.integer({ min: 1, max: 3 })), {
            freq: 9,
            nil: undefined,
          }),
        ),
      ),
    }),
    { maxLength: 40 },
  )
  .map((steps) => {
    let atMs = 0;
    return steps.map(({ pauseMs, versions }) => {
      atMs += pauseMs;
      const items = versions.flatMap((version, at) =>
        version === undefined ? [] : [item(HOSTS[at] ?? '', `${version[0]}:${version[1]}`)],
      );
      return { atMs, items };
    });
  });

describe('answers that may show anything', () => {
  test('S7: never behind earlier than the line after the first answer that held the version, nor stamped before it', () => {
    fc.assert(
      fc.property(wildShots, (shots) => {
        const firstHeld = new Map<string, number>();
        watchAll(HOSTS, shots).forEach(({ behind }, at) => {
          const shot = shots[at];
          for (const held of shot?.items ?? []) {
            const version = `${held.host} ${held.session} ${held.seq}`;
            firstHeld.set(version, firstHeld.get(version) ?? shot?.atMs ?? 0);
          }
          for (const late of behind) {
            const first = firstHeld.get(`${late.host} ${late.session} ${late.seq}`) ?? Infinity;
            expect((shot?.atMs ?? 0) - first).toBeGreaterThan(2_500);
            expect(late.observedAtWallMs).toBeGreaterThanOrEqual(WALL + first);
            expect(late.silentMs).toBeGreaterThan(2_500);
            expect(late.session.startsWith('revoked:')).toBe(false);
            // This very answer holds it: a stale one accuses nobody.
            expect(shot?.items).toContainEqual(item(late.host, `${late.session}:${late.seq}`));
          }
        });
      }),
      RUNS,
    );
  });

  test('the order of items in a scan changes nothing', () => {
    fc.assert(
      fc.property(wildShots, (shots) => {
        const reversed = shots.map((shot) => ({ ...shot, items: [...shot.items].reverse() }));
        expect(watchAll(HOSTS, reversed)).toEqual(watchAll(HOSTS, shots));
        expect(watchAll([...HOSTS].reverse(), shots).map((one) => one.behind)).toEqual(
          watchAll(HOSTS, shots).map((one) => one.behind),
        );
      }),
      RUNS,
    );
  });

  test('I11: whatever came before, a host that stays silent is reported', () => {
    fc.assert(
      fc.property(wildShots, fc.boolean(), (shots, othersBeat) => {
        const before = watchAll(HOSTS, shots);
        const lastMs = shots.at(-1)?.atMs ?? 0;
        // The longest way: stale views tolerated (2.5 s), the line (2.5 s), grace left over and one more doubt (12 s each).
        const quiet = Array.from({ length: 36 }, (_, i) => ({
          atMs: lastMs + (i + 1) * 1_000,
          items: [item('h1', 'a:1'), ...['h2', 'h3'].map((host) => item(host, othersBeat ? `c:${i + 1}` : 'b:9'))],
        }));
        const memory = before.at(-1)?.memory;
        const after = watchAll(HOSTS, quiet, memory === undefined ? undefined : { memory, lastMs });
        expect(after.at(-1)?.behind.map(({ host }) => host)).toEqual(othersBeat ? ['h1'] : HOSTS);
      }),
      RUNS,
    );
  });
});
