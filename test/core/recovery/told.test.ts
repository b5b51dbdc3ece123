import { describe, expect, test } from '@jest/globals';
import { briefly, reasonOf, toldOf } from '../../../core/recovery/told.ts';
import { wallInstant } from '../../../core/time/time.ts';

const AT = wallInstant(7);

describe('I11: a person is called once per reason', () => {
  test.each([
    ['no host can take db/0 now: h1: a start failed there: db/0, 59 s of the window left', 'db/0, 3 s of'],
    ['no answer within 5000 ms', 'within 9000 ms'],
    ['h2: it is Behind, not Up', 'it is Investigating, not Up'],
  ])('%s: what changes by itself is no new reason', (text, other) => {
    const again = text
      .replace(/db\/0, 59 s of/, other)
      .replace(/within 5000 ms/, other)
      .replace(/it is Behind, not Up/, other);
    expect(again).not.toBe(text);
    expect(reasonOf(again)).toBe(reasonOf(text));
  });

  test('which host is out for what is no new reason either', () => {
    expect(briefly('no host can take db/0 now: h1: it owns another slot of db; h2: no, and 7 more hosts')).toBe(
      'no host can take db/0',
    );
    expect(briefly('it failed to start on 3 hosts')).toBe('it failed to start on 3 hosts');
  });

  test('hosts, slots and epochs are not figures', () => {
    expect(reasonOf('e4: h1 did not release db/0')).not.toBe(reasonOf('e5: h1 did not release db/0'));
    expect(reasonOf('h1 is gone')).not.toBe(reasonOf('h2 is gone'));
  });

  test('the first reason, a second, and the first again', () => {
    const first = toldOf(undefined, 'h1', 's1: gone', AT);
    expect(first).toEqual({ subject: 'h1', reasons: ['s1: gone'], sinceMs: 7 });
    const second = first === null ? null : toldOf(first, 'h1', 's2: gone', wallInstant(9));
    expect(second).toEqual({ subject: 'h1', reasons: ['s1: gone', 's2: gone'], sinceMs: 7 });
    expect(second === null ? null : toldOf(second, 'h1', 's1: gone', AT)).toBeNull();
  });

  test('does not grow without end', () => {
    let now = toldOf(undefined, 'h1', 'why 0 of', AT);
    for (let n = 1; n < 50; n += 1) now = now === null ? null : toldOf(now, 'h1', `why ${n} of`, AT);
    expect(now?.reasons).toHaveLength(20);
    expect(now?.reasons.at(-1)).toBe('why 49 of');
  });
});
