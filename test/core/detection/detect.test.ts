import { describe, expect, test } from '@jest/globals';
import { gapAfterMs } from '../../../core/detection/detect.ts';
import { behindOf, everySecond, item, WALL, watchAll } from './fixtures.ts';

/** h2 beats at every sweep; h1 shows what is given. */
const beside = (versions: readonly string[]) =>
  everySecond(
    ['h1', 'h2'],
    versions.map((version, at) => `${version === '' ? '' : `h1=${version} `}h2=b:${at + 1}`),
  );

describe('behind', () => {
  test('after 2.5 intervals unchanged, at every sweep, with the arrival of the first answer that held it', () => {
    const seen = beside(['a:1', 'a:2', 'a:2', 'a:2', 'a:2', 'a:2', 'a:3']);
    expect(behindOf(seen)).toEqual(['', '', '', '', 'h1', 'h1', '']);
    expect(seen[4]?.behind).toEqual([
      { host: 'h1', principal: 'p-h1', session: 'a', seq: 2, observedAtWallMs: WALL + 1_000, silentMs: 3_000 },
    ]);
    expect(seen[6]?.recovered).toEqual([{ host: 'h1', principal: 'p-h1', session: 'a', seq: 3 }]);
    expect(seen[5]?.recovered).toEqual([]);
  });

  test('not at exactly 2.5 intervals, but just after', () => {
    const at = (lastMs: number) =>
      [0, 1_000, 2_000, lastMs].map((atMs) => ({ atMs, items: [item('h1', 'a:1'), item('h2', `b:${atMs}`)] }));
    expect(behindOf(watchAll(['h1', 'h2'], at(2_500)))).toEqual(['', '', '', '']);
    expect(behindOf(watchAll(['h1', 'h2'], at(2_501)))).toEqual(['', '', '', 'h1']);
  });

  test("S19: by the session's own interval", () => {
    const shots = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((s) => ({
      atMs: s * 1_000,
      items: [item('h1', 'a:1', { intervalMs: 3_000 }), item('h2', `b:${s}`)],
    }));
    expect(behindOf(watchAll(['h1', 'h2'], shots))).toEqual(['', '', '', '', '', '', '', '', 'h1']);
  });

  test('a single host needs no witness', () => {
    const seen = everySecond(['h1'], ['h1=a:1', 'h1=a:1', 'h1=a:1', 'h1=a:1']);
    expect(behindOf(seen)).toEqual(['', '', '', 'h1']);
  });

  test('a revoked session is never behind, and its host has not recovered', () => {
    const seen = beside(['a:1', 'a:1', 'a:1', 'a:1', 'revoked:r:1', ...Array.from({ length: 6 }, () => 'revoked:r:1')]);
    expect(behindOf(seen)).toEqual(['', '', '', 'h1', '', '', '', '', '', '', '']);
    expect(seen.flatMap((one) => one.recovered)).toEqual([]);
  });

  test('items of hosts that are not bound are not looked at', () => {
    const seen = everySecond(['h1'], ['h1=a:1 h9=z:1', 'h1=a:2 h9=z:1', 'h1=a:3 h9=z:1', 'h1=a:4 h9=z:1']);
    expect(seen.flatMap((one) => [...one.behind, ...one.missing])).toEqual([]);
    expect([...(seen[3]?.memory.watches.keys() ?? [])]).toEqual(['h1']);
  });
});

describe('stale scans', () => {
  test('an older sequence neither restarts the count nor accuses', () => {
    const seen = beside(['a:6', 'a:7', 'a:6', 'a:7', 'a:6', 'a:7']);
    expect(behindOf(seen)).toEqual(['', '', '', '', '', 'h1']);
    expect(seen[5]?.behind[0]).toMatchObject({ seq: 7, observedAtWallMs: WALL + 1_000, silentMs: 4_000 });
  });

  test('a replaced session that shows up again is no news', () => {
    const seen = beside(['a:9', 'n:1', 'a:9', 'a:10', 'n:1', 'n:1']);
    expect(behindOf(seen)).toEqual(['', '', '', '', 'h1', 'h1']);
    expect(seen[4]?.behind[0]).toMatchObject({ session: 'n', seq: 1, observedAtWallMs: WALL + 1_000 });
  });

  test('flipping between two sessions for ever still ends in a report', () => {
    const seen = beside(['a:9', 'n:1', 'a:9', 'n:1', 'a:9', 'n:1', 'a:9', 'n:1']);
    expect(behindOf(seen)).toEqual(['', '', '', '', '', 'h1', '', 'h1']);
  });

  test('a first look at an old session is put right once the other is all that shows', () => {
    // a:9 was stale in the second answer; n is the present session, and its silence is found all the same.
    const seen = beside(['n:1', 'a:9', ...Array.from({ length: 7 }, () => 'n:1')]);
    expect(behindOf(seen)).toEqual(['', '', '', '', '', '', '', '', 'h1']);
    expect(seen[8]?.behind[0]).toMatchObject({ session: 'n', seq: 1, observedAtWallMs: WALL + 5_000 });
  });

  test('a rewound table is a new observation, not a recovery', () => {
    const seen = beside(['a:7', 'a:7', 'a:7', 'a:7', 'a:2', 'a:2', 'a:2', 'a:2', 'a:3', 'a:4']);
    expect(behindOf(seen)).toEqual(['', '', '', 'h1', '', '', '', '', '', '']);
    expect(seen.flatMap((one) => one.recovered)).toEqual([]);
    expect(seen[9]?.memory.watches.get('h1')).toMatchObject({ seq: 4 });
  });
});

describe('missing items', () => {
  test('are named with their time since the first answer without them', () => {
    const seen = beside(['a:1', '', '', 'a:2']);
    expect(seen.map((one) => one.missing)).toEqual([
      [],
      [{ host: 'h1', principal: 'p-h1', observedAtWallMs: WALL + 1_000, missingMs: 0 }],
      [{ host: 'h1', principal: 'p-h1', observedAtWallMs: WALL + 1_000, missingMs: 1_000 }],
      [],
    ]);
    expect(behindOf(seen)).toEqual(['', '', '', '']);
  });
});

describe('S13: doubt yourself first', () => {
  test('after a gap of its own every count begins again, and nobody is reported for one L_c', () => {
    const shots = [0, 1, 2, 3, ...Array.from({ length: 14 }, (_, i) => 6 + i)].map((s) => ({
      atMs: s * 1_000,
      items: [item('h1', 'a:1'), item('h2', `b:${s}`)],
    }));
    const seen = watchAll(['h1', 'h2'], shots);
    expect(seen[3]?.behind).toHaveLength(1);
    expect(seen[4]?.doubt).toEqual({ why: 'gap', from: 6_000, graceMs: 12_000 });
    expect(seen.slice(4, 16).flatMap((one) => one.behind)).toEqual([]);
    // 12 s after the gap; the count stands on the answer that ended it.
    expect(seen[16]?.behind).toMatchObject([{ host: 'h1', observedAtWallMs: WALL + 6_000, silentMs: 12_000 }]);
    expect(seen[16]?.doubt).toBeNull();
  });

  test.each([
    [250, 1_000],
    [500, 1_000],
    [3_000, 6_000],
  ])('an observer that sweeps every %s ms may pause for %s ms', (periodMs, gapMs) => {
    expect(gapAfterMs(periodMs)).toBe(gapMs);
  });

  test('a pause of two sweep periods is no gap', () => {
    const shots = [0, 2_000, 4_000].map((atMs) => ({ atMs, items: [item('h1', 'a:1'), item('h2', `b:${atMs}`)] }));
    expect(behindOf(watchAll(['h1', 'h2'], shots))).toEqual(['', '', 'h1']);
  });

  test('all silent at once is doubted once, and then reported', () => {
    const seen = everySecond(
      ['h1', 'h2'],
      ['h1=a:1 h2=b:1', 'h1=a:2 h2=b:1', ...Array.from({ length: 20 }, () => 'h1=a:2 h2=b:1')],
    );
    expect(seen[3]).toMatchObject({ behind: [], unconfirmed: ['h2'], doubt: null });
    expect(seen[4]).toMatchObject({ behind: [], unconfirmed: [], doubt: { why: 'all-silent', from: 4_000 } });
    expect(seen.slice(0, 16).flatMap((one) => one.behind)).toEqual([]);
    expect(behindOf(seen.slice(16))).toEqual(['h1 h2', 'h1 h2', 'h1 h2', 'h1 h2', 'h1 h2', 'h1 h2']);
  });

  test('the first host over the line waits for a sign that the store still takes renewals', () => {
    const seen = everySecond(
      ['h1', 'h2'],
      ['h1=a:1 h2=b:1', 'h1=a:1 h2=b:2', 'h1=a:1 h2=b:3', 'h1=a:1 h2=b:3', 'h1=a:1 h2=b:4'],
    );
    expect(seen.map((one) => one.unconfirmed)).toEqual([[], [], [], ['h1'], []]);
    expect(behindOf(seen)).toEqual(['', '', '', '', 'h1']);
  });
});
