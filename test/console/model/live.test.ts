import { describe, expect, test } from '@jest/globals';
import { awayWords, pulseEveryMs, retryAfterMs } from '../../../console/model/connection.ts';
import { beatAge, controlNow, EVENTS_MAX, freshness, learn, NOTHING_KNOWN } from '../../../console/model/live.ts';
import { clock } from '../../../console/model/words.ts';
import type { EventView } from '../../../core/protocol/views.ts';
import { AT, host, status, story } from './samples.ts';

const event = (no: number): EventView => ({
  id: String(no).padStart(6, '0'),
  atMs: AT + no,
  kind: 'host.status',
  subject: 'h1',
  says: '',
  run: null,
  by: 'h1',
});

describe('what arrives', () => {
  test('an older state never replaces a newer one, unless it is of another cluster', () => {
    const known = learn(NOTHING_KNOWN, { type: 'status', data: status({ atMs: AT }) }, 5);
    expect(learn(known, { type: 'status', data: status({ atMs: AT - 1 }) }, 6)).toBe(known);
    const other = status({ atMs: AT - 1, cluster: 'other' });
    expect(learn(known, { type: 'status', data: other }, 6).status).toBe(other);
  });

  test('events are kept once each, in their order, and not without end', () => {
    const twice = [3, 1, 2, 3].reduce(
      (known, no) => learn(known, { type: 'event', data: event(no) }, 0),
      NOTHING_KNOWN,
    );
    expect(twice.events.map(({ id }) => id)).toEqual(['000001', '000002', '000003']);
    let many = NOTHING_KNOWN;
    for (let no = 0; no < EVENTS_MAX + 5; no += 1) many = learn(many, { type: 'event', data: event(no) }, 0);
    expect(many.events).toHaveLength(EVENTS_MAX);
    expect(many.events[0]?.id).toBe('000005');
  });

  test('a story only grows', () => {
    const full = learn(NOTHING_KNOWN, { type: 'run', data: story() }, 0);
    const short = { ...story(), steps: story().steps.slice(0, 2) };
    expect(learn(full, { type: 'run', data: short }, 0).stories.get('ha.h1.s.42')?.steps).toHaveLength(9);
    const reopened = story({ closedAtMs: null });
    expect(learn(full, { type: 'run', data: reopened }, 0).stories.get('ha.h1.s.42')?.run.closedAtMs).toBe(AT + 4_000);
  });
});

describe('time', () => {
  test('the control plane’s clock is carried on by this page’s own', () => {
    expect(controlNow({ status: status({ atMs: AT }), receivedAtMs: 1_000 }, 3_500)).toBe(AT + 2_500);
    expect(controlNow(NOTHING_KNOWN, 3_500)).toBe(3_500);
  });

  test('a beat grows old until something newer is heard', () => {
    expect(beatAge(host('h1', { beatAgeMs: 400 }), 3_000)).toBe(3_400);
    expect(beatAge(host('h1', { beatAgeMs: null }), 3_000)).toBeNull();
  });

  test.each([
    [null, 'never'],
    [2_500, 'fresh'],
    [2_501, 'late'],
    [10_000, 'late'],
    [10_001, 'silent'],
  ] as const)('%p ms with a bound of 10 s is %s', (age, is) => {
    expect(freshness(age, 10_000)).toBe(is);
  });
});

describe('a lost API', () => {
  test.each([
    [0, 1, 500],
    [1, 1, 1_000],
    [4, 1, 8_000],
    [400, 1, 8_000],
    [4, 0, 6_000],
  ])('after %i attempts (random %f) waits %i ms', (attempts, random, ms) => {
    expect(retryAfterMs(attempts, random)).toBe(ms);
  });

  test('is dated, and so is what is shown', () => {
    const away = { is: 'away', sinceMs: AT, why: '', attempts: 3 } as const;
    expect(awayWords(away, AT + 12_000, AT - 1_000)).toBe(
      `API away for 12 s; showing the state of ${clock(AT - 1_000)}.`,
    );
    expect(awayWords(away, AT + 12_000, null)).toBe('API away for 12 s.');
  });

  test.each([
    [3, 1_000],
    [100, 2_500],
    [5_000, 5_000],
  ])('the ages of %i hosts are asked for every %i ms', (hosts, ms) => {
    expect(pulseEveryMs(hosts)).toBe(ms);
  });
});
