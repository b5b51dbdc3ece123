import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { BRAKE_LIMITS, type BrakeLimits } from '../../../core/config/brake-limits.ts';
import type { LookedAt } from '../../../core/detection/storm.ts';
import { type Asked, type Braked, brakeOn, calmed, heldWithoutLook, NO_BRAKE } from '../../../core/recovery/budget.ts';
import type { BrakeRecord } from '../../../core/protocol/brake-records.ts';
import type { HostStatus } from '../../../core/protocol/records.ts';
import { wallInstant } from '../../../core/time/time.ts';

jest.setTimeout(60_000); // Thousands of cases, on a machine that others use.

const RUNS = { numRuns: 2_000 };
const LIMITS: BrakeLimits = { windowMs: 5_000, perCluster: 4, perZone: 2, minHealthy: 1 };

/** Hosts a1 a2 a3 b1 b2 b3 c1 c2 c3 unless told otherwise, in zones a, b, c; `dead` ones are silent since `sinceMs`. */
const NINE = ['a1', 'a2', 'a3', 'b1', 'b2', 'b3', 'c1', 'c2', 'c3'];
function looks(dead: Readonly<Record<string, number>>, hosts: readonly string[] = NINE): readonly LookedAt[] {
  return hosts.map((host) => {
    const sinceMs = dead[host];
    const isSilent = sinceMs !== undefined;
    const status: HostStatus = isSilent ? 'Investigating' : 'Up';
    return { host, zone: host.slice(0, 1), status, isSilent, silentSinceMs: isSilent ? wallInstant(sinceMs) : null };
  });
}

const ask = (host: string, looked: readonly LookedAt[], nowMs: number, changes: Partial<Asked> = {}): Asked => ({
  act: { host, session: `s-${host}`, zone: host.slice(0, 1), run: `ha.${host}` },
  looked,
  limits: LIMITS,
  nowMs: wallInstant(nowMs),
  ...changes,
});

/** Asks one after the other, each on what the one before left. */
function story(...asked: readonly Asked[]): readonly Braked[] {
  let record: BrakeRecord = NO_BRAKE;
  return asked.map((one) => {
    const braked = brakeOn(record, one);
    record = braked.record;
    return braked;
  });
}
const words = (answers: readonly Braked[]) => answers.map((one) => (one.go ? 'go' : one.reason));

describe('the budget (S14, I7)', () => {
  test('two per zone and window here, then the next waits; as the window slides it goes on', () => {
    const dead = { a1: 0, a2: 0, a3: 0 };
    const answers = story(
      ask('a1', looks(dead), 1_000),
      ask('a2', looks(dead), 1_500),
      ask('a3', looks(dead), 5_999),
      ask('a3', looks(dead), 6_000),
    );
    expect(words(answers)).toEqual(['go', 'go', 'budget', 'go']);
    expect(answers[2]?.says).toBe('the budget of 2 destructive calls per 5 s in zone a is spent; a3 waits');
    expect(answers[2]?.record.held).toMatchObject([{ host: 'a3', reason: 'budget', sinceMs: 5_999 }]);
    expect(answers[3]?.record.held).toEqual([]);
  });

  test('of two hosts, one that its lease has shown to be down is fenced for what accepts its power alone; not both', () => {
    const down = looks({ a2: 0 }, ['a1', 'a2']).map((one) =>
      one.host === 'a2' ? { ...one, status: 'Down' as const } : one,
    );
    expect(words(story(ask('a2', down, 1_000)))).toEqual(['go']);
    const both = looks({ a1: 2_000, a2: 0 }, ['a1', 'a2']);
    expect(words(story(ask('a2', down, 1_000), ask('a1', both, 2_500)))).toEqual(['go', 'storm']);
    const other = looks({ b2: 0 }, ['a1', 'b2']).map((one) =>
      one.host === 'b2' ? { ...one, status: 'Down' as const } : one,
    );
    expect(words(story(ask('b2', other, 1_000)))).toEqual(['go']);
  });

  test('four per cluster and window here', () => {
    const dead = { a1: 0, b1: 0, c1: 0, a2: 0, b2: 0 };
    const some = { a1: 0, b1: 0, c1: 0, a2: 0 };
    const answers = story(
      ask('a1', looks(some), 1_000),
      ask('b1', looks(some), 1_000),
      ask('c1', looks(some), 1_000),
      ask('a2', looks(some), 1_000),
      // The four are silent since before the window by now, so that a fifth is no storm.
      ask('b2', looks({ ...dead, b2: 5_500 }), 5_900),
    );
    expect(words(answers)).toEqual(['go', 'go', 'go', 'go', 'budget']);
    expect(answers[4]?.says).toBe('the budget of 4 destructive calls per 5 s in this cluster is spent; b2 waits');
  });

  test('a zone of two is never fenced whole within one window (V12); a zone of one is', () => {
    const hosts = ['a1', 'a2', 'b1', 'b2', 'c1', 'c2', 'c3'];
    const dead = { a1: 0, a2: 0 };
    const answers = story(ask('a1', looks(dead, hosts), 1_000), ask('a2', looks(dead, hosts), 1_000));
    expect(words(answers)).toEqual(['go', 'budget']);
    expect(words(story(ask('a1', looks({ a1: 0 }, ['a1', 'b1', 'c1']), 1_000)))).toEqual(['go']);
  });

  test('of a pair one, and not while the other is silent too', () => {
    const pair = ['a1', 'b1'];
    expect(words(story(ask('a1', looks({ a1: 0 }, pair), 1_000)))).toEqual(['go']);
    const both = story(ask('a1', looks({ a1: 0, b1: 0 }, pair), 1_000));
    expect(words(both)).toEqual(['storm']);
    expect(both[0]?.says).toContain('no other host renews its lease');
    expect(words(story(ask('a1', looks({ a1: 0 }, ['a1']), 1_000)))).toEqual(['storm']);
  });

  test('a step that is redriven spends once; the same host in another session pays again (S17)', () => {
    const dead = looks({ a1: 0 });
    const answers = story(ask('a1', dead, 1_000), ask('a1', dead, 1_500), ask('a1', dead, 2_000));
    expect(words(answers)).toEqual(['go', 'go', 'go']);
    expect(answers[2]?.record.spent).toHaveLength(1);
    const other = { act: { host: 'a1', session: 'later', zone: 'a', run: 'ha.2' } };
    const twice = story(ask('a1', dead, 1_000), ask('a1', dead, 1_500, other));
    expect(twice[1]?.record.spent).toHaveLength(2);
  });

  test('a call that is let through again counts from then on: the first may never have been made', () => {
    const dead = looks({ b1: 0, b2: 0, b3: 0 });
    const answers = story(
      ask('b1', dead, 1_000),
      ask('b1', dead, 5_900),
      ask('b2', dead, 5_950),
      ask('b3', dead, 6_000),
      ask('b3', dead, 10_899),
      ask('b3', dead, 10_900),
    );
    expect(words(answers)).toEqual(['go', 'go', 'go', 'budget', 'budget', 'go']);
  });

  test('a host that renewed meanwhile is not touched, and nothing is spent', () => {
    const [braked] = story(ask('a1', looks({}), 1_000));
    expect(braked).toMatchObject({ go: false, record: { spent: [], held: [] } });
  });

  test.each(Object.entries(BRAKE_LIMITS))('V12: profile %s leaves at least one host, and one per zone', (_, limits) => {
    expect(limits.perZone).toBeLessThanOrEqual(limits.perCluster);
    expect(limits.minHealthy).toBeGreaterThanOrEqual(1);
    expect(limits.perZone).toBeGreaterThanOrEqual(1);
  });
});

describe('a storm (S14)', () => {
  const three = ['a1', 'b1', 'c1'];

  test('two of three at once: held, and it says so with numbers; then one host per window', () => {
    const dead = looks({ a1: 0, b1: 200 }, three);
    const answers = story(
      ask('a1', dead, 1_000),
      ask('b1', dead, 1_000),
      ask('a1', dead, 5_999),
      ask('b1', dead, 6_001),
      ask('a1', dead, 6_001),
      ask('b1', dead, 6_500),
      ask('a1', looks({ a1: 0 }, three), 11_000),
      ask('a1', looks({ a1: 0 }, three), 11_001),
    );
    expect(words(answers)).toEqual(['storm', 'storm', 'storm', 'go', 'storm', 'go', 'storm', 'go']);
    expect(answers[0]?.says).toBe(
      '2 of 3 hosts fell silent within 5 s: a1, b1. Nothing suspected is fenced in a storm; a1 waits',
    );
    expect(answers[4]?.says).toContain('then one host per 5 s; a1 waits for its turn');
  });

  test('passes though its hosts change their status again and again: the record knows since when', () => {
    const flapping = (nowMs: number) => looks({ a1: nowMs, b1: nowMs }, three);
    const answers = story(ask('a1', flapping(1_000), 1_000), ask('a1', flapping(6_500), 6_500));
    expect(words(answers)).toEqual(['storm', 'go']);
  });

  test('one that grows rages on', () => {
    const five = ['a1', 'b1', 'c1', 'd1', 'e1'];
    const grown = looks({ a1: 0, b1: 0, c1: 0, d1: 5_000 }, five);
    const answers = story(
      ask('a1', looks({ a1: 0, b1: 0, c1: 0 }, five), 1_000),
      ask('a1', grown, 5_000),
      ask('a1', grown, 6_500),
      ask('a1', grown, 10_001),
    );
    expect(words(answers)).toEqual(['storm', 'storm', 'storm', 'go']);
    expect(answers[1]?.says).toContain('4 of 5 hosts');
  });

  test('all silent: nobody is fenced for as long as it lasts', () => {
    const dead = looks({ a1: 0, b1: 0, c1: 0 }, three);
    const answers = story(ask('a1', dead, 1_000), ask('a1', dead, 60_000), ask('b1', dead, 600_000));
    expect(words(answers)).toEqual(['storm', 'storm', 'storm']);
  });

  test('is over by the hosts as they stand: one window after the last turn, and when no call waits', () => {
    const dead = looks({ a1: 0, b1: 0 }, three);
    const record = story(ask('a1', dead, 1_000), ask('b1', dead, 1_000)).at(-1)?.record ?? NO_BRAKE;
    const hosts = (a1: HostStatus, b1: HostStatus) => [
      { host: 'a1', status: a1 },
      { host: 'b1', status: b1 },
      { host: 'c1', status: 'Up' as const },
    ];
    const at = (nowMs: number, a1: HostStatus, b1: HostStatus) =>
      calmed(record, hosts(a1, b1), LIMITS, wallInstant(nowMs));
    expect(at(2_000, 'Alert', 'Alert')).toBe(record);
    expect(at(2_000, 'Up', 'Up')).toMatchObject({ storm: { sinceMs: 1_000 }, held: [] });
    expect(at(6_000, 'Up', 'Alert')).toMatchObject({ storm: { sinceMs: 1_000 }, held: [{ host: 'b1' }] });
    expect(at(6_000, 'Up', 'Up')).toMatchObject({ storm: null, held: [] });
    // Nobody asks any more, for ten minutes and a window.
    expect(at(606_000, 'Alert', 'Alert')).toMatchObject({ storm: null, held: [] });
  });
});

describe('whatever is asked, in whatever order (I7)', () => {
  test('what the record alone refuses is what a look would have refused too, unless the silence is over', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ host: fc.constantFrom(...NINE), pauseMs: fc.nat(3_000) }), { maxLength: 30 }),
        fc.subarray(NINE),
        (asks, silent) => {
          let record: BrakeRecord = NO_BRAKE;
          let nowMs = 1_000;
          const looked = looks(Object.fromEntries(silent.map((host) => [host, 0])));
          for (const { host, pauseMs } of asks) {
            nowMs += pauseMs;
            const asked = ask(host, looked, nowMs);
            const early = heldWithoutLook(record, asked);
            const braked = brakeOn(record, asked);
            if (early !== null) expect(braked.go).toBe(false);
            if (early !== null && silent.includes(host))
              expect(early.record.held).toHaveLength(braked.record.held.length);
            record = braked.record;
          }
        },
      ),
      RUNS,
    );
  });

  const anyAsk = fc.record({ host: fc.constantFrom(...NINE), pauseMs: fc.nat(3_000) });
  /** Per host: when it falls silent and when it is back. */
  const anySilence = fc.tuple(fc.nat(20_000), fc.nat(20_000));

  test('no window sees more than the budget, no zone is emptied, and nothing is let through in a storm', () => {
    fc.assert(
      fc.property(
        fc.array(anyAsk, { maxLength: 40 }),
        fc.array(anySilence, { minLength: NINE.length, maxLength: NINE.length }),
        (asks, silences) => {
          const gone: { host: string; atMs: number }[] = [];
          let record: BrakeRecord = NO_BRAKE;
          let nowMs = 0;
          for (const { host, pauseMs } of asks) {
            nowMs += pauseMs;
            const dead = Object.fromEntries(
              NINE.flatMap((name, at) => {
                const [from = 0, forMs = 0] = silences[at] ?? [];
                return from <= nowMs && nowMs < from + forMs ? [[name, from]] : [];
              }),
            );
            const braked = brakeOn(record, ask(host, looks(dead), nowMs));
            const again = brakeOn(braked.record, ask(host, looks(dead), nowMs));
            expect(again.record.spent).toEqual(braked.record.spent);
            expect(again.go).toBe(braked.go);
            record = braked.record;
            if (!braked.go) continue;
            gone.push({ host, atMs: nowMs });
            const fresh = Object.values(dead).filter((from) => nowMs - from <= 5_000).length;
            const old = Object.keys(dead).length - fresh;
            const isStorm = fresh * 2 > NINE.length - old;
            // Hosts of a storm on record count as old: then it is one turn per window.
            if (isStorm) expect(braked.record.storm).not.toBeNull();
            expect(Object.keys(dead)).toContain(host);
          }
          for (const { atMs } of gone) {
            const within = new Set(
              gone.filter((one) => one.atMs >= atMs && one.atMs < atMs + 5_000).map((one) => one.host),
            );
            expect(within.size).toBeLessThanOrEqual(4);
            for (const zone of ['a', 'b', 'c']) {
              expect([...within].filter((name) => name.startsWith(zone)).length).toBeLessThanOrEqual(2);
            }
          }
        },
      ),
      RUNS,
    );
  });

  test('while more than half fall silent within a window, the first of them included, not one call goes through', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(NINE, { minLength: 5 }),
        fc.array(fc.nat(4_000), { minLength: 9, maxLength: 9 }),
        fc.array(fc.record({ pick: fc.nat(), pauseMs: fc.nat(1_000) }), { maxLength: 20 }),
        (hosts, since, asks) => {
          const dead = Object.fromEntries(hosts.map((host, at) => [host, since[at] ?? 0]));
          let record: BrakeRecord = NO_BRAKE;
          let nowMs = 4_000;
          const firstMs = nowMs + (asks[0]?.pauseMs ?? 0);
          for (const { pick, pauseMs } of asks) {
            nowMs += pauseMs;
            const braked = brakeOn(record, ask(hosts[pick % hosts.length] ?? '', looks(dead), nowMs));
            record = braked.record;
            // The storm is known by how many fell silent within the window that ends at the first look.
            const fresh = Object.values(dead).filter((from) => firstMs - from <= 5_000).length;
            const counted = NINE.length - (hosts.length - fresh);
            if (fresh * 2 > counted && nowMs - firstMs < 5_000) expect(braked.go).toBe(false);
          }
        },
      ),
      RUNS,
    );
  });
});
