import { describe, expect, test } from '@jest/globals';
import {
  againstBound,
  evidenceIn,
  evidenceSentence,
  firstFound,
  onAxis,
  runTitle,
  storyOf,
  ticks,
} from '../../../console/model/run-story.ts';
import { AT, run, story } from './samples.ts';

describe('a story', () => {
  const told = storyOf(story(), { ms: AT + 60_000 });

  test('is told in the order in which things became true, not in that of the names of its steps', () => {
    expect(told.chapters.map(({ title }) => title)).toEqual([
      'The run begins',
      'Its heartbeat is read again',
      'Verdict',
      'Its lease is revoked',
      'Evidence',
      'What it owned is freed',
      'db/0 gets a new owner',
      'db/0 starts',
      'The run ends',
    ]);
  });

  test('names its evidence once, where it was found', () => {
    expect(evidenceIn(told)).toEqual(['lease-over']);
    expect([...firstFound(told)]).toEqual(['2']);
    expect(evidenceSentence(['lease-over'])).toBe('Its old owner is gone: the lease had run out and was revoked.');
    expect(evidenceSentence([])).toBe('');
  });

  test('an unknown step, and evidence of an unknown kind, are shown as they are', () => {
    const [first] = story().steps;
    const strange = {
      ...story(),
      steps: first === undefined ? [] : [{ ...first, step: 'Something new', facts: { evidence: 'hearsay' } }],
    };
    const chapter = storyOf(strange, { ms: AT }).chapters[0];
    expect(chapter).toMatchObject({ title: 'Something new', evidence: null, facts: [['evidence', 'hearsay']] });
  });
});

describe('the time axis', () => {
  test('counts from the last beat, and ends behind the bound', () => {
    const { axis } = storyOf(story(), { ms: AT + 60_000 });
    expect(axis).toMatchObject({
      zeroMs: AT,
      zeroIs: 'last beat',
      doneMs: AT + 4_000,
      boundAtMs: AT + 10_000,
      isLate: false,
    });
    expect(onAxis(axis, AT)).toBe(0);
    expect(onAxis(axis, AT + 10_000)).toBe(96.15);
    expect(ticks(axis)).toEqual([0, 2_000, 4_000, 6_000, 8_000, 10_000]);
  });

  test('without the beat it counts from the opening, and says so', () => {
    const { axis } = storyOf({ run: run(), steps: [] }, { ms: AT });
    expect(axis).toMatchObject({ zeroMs: AT + 750, zeroIs: 'opening' });
    expect(againstBound(axis, run()).says).toBe('Recovered 3.3 s after it was opened; the bound was 10 s.');
  });

  test('nothing lies outside of it', () => {
    const { axis } = storyOf(story(), { ms: AT });
    expect([onAxis(axis, AT - 5_000), onAxis(axis, AT + 99_000)]).toEqual([0, 100]);
  });
});

describe('against the bound', () => {
  const open = { phase: 'Fencing', outcome: null, closedAtMs: null } as const;
  test.each([
    ['in time', {}, 9_000, 'good', 'Recovered 4.0 s after its last heartbeat was seen; the bound was 10 s.'],
    [
      'late',
      { closedAtMs: AT + 12_000 },
      0,
      'bad',
      'Recovered 12 s after its last heartbeat was seen: later than the bound of 10 s.',
    ],
    [
      'with a slot left over',
      { summary: 'db/0 is Active on h2; web/2 waits for a host' },
      0,
      'warn',
      'Recovered in part 4.0 s after its last heartbeat was seen; the bound was 10 s. web/2 waits for a host.',
    ],
    ['open', open, 2_000, 'busy', '2.0 s after its last heartbeat was seen; its slots should run again within 10 s.'],
    ['open too long', open, 11_000, 'bad', '11 s after its last heartbeat was seen: the bound of 10 s is over.'],
    ['held', { phase: 'Held', outcome: 'Held' }, 0, 'bad', 'Held 4.0 s after its last heartbeat was seen.'],
    ['a false alarm', { outcome: 'Alive' }, 0, 'good', 'False alarm 4.0 s after its last heartbeat was seen.'],
    ['no bound', { boundMs: null }, 0, 'quiet', 'It took 3.3 s.'],
  ] as const)('%s', (_, more, now, tone, says) => {
    const { axis } = storyOf(story(more), { ms: AT + now });
    expect(againstBound(axis, run(more))).toEqual({ tone, says });
  });
});

test.each([
  [run(), 'Failover of h1'],
  [run({ work: 'Move', host: null, group: 'db', slot: 2 }), 'Move of db/2'],
  [run({ work: 'Drain', host: null }), 'Drain of the cluster'],
])('a title', (of, title) => {
  expect(runTitle(of)).toBe(title);
});
