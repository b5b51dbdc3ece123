import { describe, expect, test } from '@jest/globals';
import { type DetectorMemory, EMPTY_MEMORY, type Observation, observe } from '../../../core/detection/detect.ts';
import { type ObserverMemory, readMemory, writeMemory } from '../../../core/detection/written-memory.ts';
import { instant, wallInstant } from '../../../core/time/time.ts';
import { behindOf, item, type Shot, TIMING, WALL, watchAll } from './fixtures.ts';

const HOSTS = ['h1', 'h2', 'h3'];

/** Both clocks of a process that booted `aheadMs` before `ms` = 0; the wall clock is everyone's. */
const clocks = (ms: number, aheadMs: number) => ({ at: instant(ms + aheadMs), wall: wallInstant(WALL + ms) });

/** Each answer comes to another process, which knows only what the one before has written. */
function watchByTurns(shots: readonly Shot[], aheadMs: (turn: number) => number): readonly Observation[] {
  let text: string | undefined;
  return shots.map(({ atMs, items }, turn) => {
    const now = clocks(atMs, aheadMs(turn));
    const read = text === undefined ? undefined : readMemory(JSON.parse(text), now);
    expect(read === undefined).toBe(turn === 0);
    const observation = observe(
      read?.clusters.get('c') ?? EMPTY_MEMORY,
      {
        scan: items,
        answeredAt: now.at,
        answeredAtWall: now.wall,
        previousAnswerAt: read?.previousAnswerAt ?? null,
        bindings: HOSTS.map((host) => ({ host, principal: `p-${host}` })),
      },
      TIMING,
    );
    text = written({ clusters: new Map([['c', observation.memory]]), previousAnswerAt: now.at }, now);
    return observation;
  });
}

const written = (memory: ObserverMemory, now: ReturnType<typeof clocks>): string =>
  JSON.stringify(writeMemory(memory, now));

/** Everything but instants, which each process counts from its own boot. */
const said = (seen: readonly Observation[]) =>
  seen.map(({ behind, recovered, missing, unconfirmed, doubt }) => ({
    behind,
    recovered,
    missing,
    unconfirmed,
    doubt: doubt?.why,
  }));

/** h1 falls silent, comes back, and is gone; h2 shows older versions between; h3 renews. A gap at 30 s, all silent from 60 s on. */
const STORY: readonly Shot[] = Array.from({ length: 110 }, (_, s) => s)
  .filter((s) => s < 30 || s > 35)
  .map((s) => ({
    atMs: s * 1_000,
    items: [
      ...(s > 20 && s < 26 ? [] : [item('h1', s < 10 ? 'a:1' : `n:${Math.min(s, 48)}`)]),
      item('h2', `b:${Math.min(s % 5 === 4 ? s - 2 : s, 58)}`),
      item('h3', `c:${Math.min(s, 60)}`),
    ],
  }));

describe('what is written between two sweeps', () => {
  test('makes no difference, whatever the boot clocks of their processes show', () => {
    const kept = watchAll(HOSTS, STORY);
    const turned = watchByTurns(STORY, (turn) => (turn * 7_777_777) % 1_000_003);
    expect(said(turned)).toEqual(said(kept));
    // The story has something of everything that memory is for.
    expect(new Set(behindOf(kept))).toEqual(new Set(['', 'h1', 'h1 h2 h3']));
    expect(new Set(kept.map(({ doubt }) => doubt?.why))).toEqual(new Set([undefined, 'gap', 'all-silent']));
    expect(kept.some(({ missing }) => missing.some(({ missingMs }) => missingMs > 3_000))).toBe(true);
    expect(kept.some(({ recovered }) => recovered.length > 0)).toBe(true);
  });

  test('moves instants by the wall clock, and leaves what evidence counts from as it was stamped (S7)', () => {
    const [seen] = watchByTurns(STORY.slice(0, 1), () => 0);
    const memory: DetectorMemory = seen?.memory ?? EMPTY_MEMORY;
    const text = written({ clusters: new Map([['c', memory]]), previousAnswerAt: instant(0) }, clocks(0, 0));
    // A process that booted 100 s later reads it 60 s later, by a wall clock that is 900 ms behind.
    const now = { at: instant(60_000 - 100_000), wall: wallInstant(WALL + 60_000 - 900) };
    const read = readMemory(JSON.parse(text), now);
    expect(read?.previousAnswerAt).toBe(-99_100);
    expect(read?.clusters.get('c')?.watches.get('h1')).toMatchObject({
      since: -99_100,
      heldAt: -99_100,
      sinceWall: WALL,
    });
  });

  test.each([
    ['nothing', {}],
    ['another form', { writtenAt: { at: 0, wall: WALL }, memory: { clusters: [['c', {}]], previousAnswerAt: 0 } }],
    [
      'more than is known',
      { writtenAt: { at: 0, wall: WALL }, memory: { clusters: [], previousAnswerAt: 0, more: 1 } },
    ],
    ['a clock 6 s ahead', { writtenAt: { at: 0, wall: WALL + 6_000 }, memory: { clusters: [], previousAnswerAt: 0 } }],
  ])('is not read: %s', (_, value) => {
    expect(readMemory(value, clocks(0, 0))).toBeUndefined();
  });

  test('is read from a clock that is ahead by what clocks of the control plane may be', () => {
    const value = { writtenAt: { at: 0, wall: WALL + 1_000 }, memory: { clusters: [], previousAnswerAt: 0 } };
    expect(readMemory(value, clocks(0, 0))).toEqual({ clusters: new Map(), previousAnswerAt: 1_000 });
  });
});
