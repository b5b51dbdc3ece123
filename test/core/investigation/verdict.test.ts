import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { Answer, Investigator } from '../../../core/investigation/answers.ts';
import { INVESTIGATORS, worthOf } from '../../../core/investigation/answers.ts';
import type { Findings } from '../../../core/investigation/verdict.ts';
import { rowsFor, verdictOf } from '../../../core/investigation/verdict.ts';
import { wallInstant } from '../../../core/time/time.ts';

jest.setTimeout(60_000); // Thousands of cases, on a machine that others use.

const OPENED = wallInstant(1_000);
const BOTH = [false, true];

function says(investigator: Investigator, answer: Answer['answer'], facts: Partial<Answer> = {}): Answer {
  const times = { askedAtMs: wallInstant(1_100), answeredAtMs: wallInstant(1_200) };
  return { investigator, answer, ...times, facts: {}, says: '', ...facts };
}

const dead = (investigator: Investigator, evidence: Answer['evidence']) => says(investigator, 'dead', { evidence });

function findings(answers: readonly Answer[], facts: Partial<Findings> = {}): Findings {
  const none = { holdInForce: false, storm: false, sameSession: true, renewed: false };
  return { answers, openedAtMs: OPENED, ...none, ...facts };
}

const verdict = (answers: readonly Answer[], facts: Partial<Findings> = {}) =>
  verdictOf(findings(answers, facts)).verdict;

test('exactly one row of the table matches any facts', () => {
  for (const certain of BOTH)
    for (const renewed of BOTH)
      for (const hold of BOTH)
        for (const storm of BOTH) expect(rowsFor({ certain, renewed, hold, storm })).toHaveLength(1);
});

describe('without an answer that counts', () => {
  test.each([
    [{ renewed: true }, 'alive'],
    [{ renewed: true, holdInForce: true, storm: true }, 'alive'],
    [{ renewed: true, sameSession: false }, 'wait'],
    [{ holdInForce: true }, 'disconnected'],
    [{ holdInForce: true, storm: true }, 'disconnected'],
    [{ storm: true }, 'storm'],
    [{}, 'wait'],
    [{ sameSession: false }, 'wait'],
  ] as const)('%j is %s', (facts, expected) => {
    expect(verdict([], facts)).toBe(expected);
  });
});

describe('certain deaths', () => {
  test.each([
    ['EC2 shows it off', dead('ec2', 'power-off'), {}],
    ['EC2 shows it off in a storm', dead('ec2', 'power-off'), { storm: true }],
    ['EC2 shows it off while it was held', dead('ec2', 'power-off'), { holdInForce: true }],
    ['it closed itself', dead('registry', 'closed'), {}],
    ['it closed itself just after a renewal', dead('registry', 'closed'), { renewed: true }],
    ['it has a successor', dead('registry', 'successor'), { sameSession: false }],
  ] as const)('%s', (_, answer, facts) => {
    expect(verdictOf(findings([answer], facts))).toMatchObject({ verdict: 'certain', evidenceKind: answer.evidence });
  });

  test('of several, the kind that every group accepts', () => {
    const both = [dead('ec2', 'power-off'), dead('registry', 'closed')];
    expect(verdictOf(findings(both))).toMatchObject({ evidenceKind: 'closed' });
  });

  test('a machine that lives on contradicts no end of a session', () => {
    const up = [says('ec2', 'alive'), says('peers', 'alive'), says('probe', 'alive')];
    expect(verdict([...up, dead('registry', 'closed')])).toBe('certain');
    expect(verdict([...up, dead('registry', 'successor')], { sameSession: false })).toBe('certain');
  });
});

describe('contradictions are unknown, not dead', () => {
  test.each(INVESTIGATORS.filter((name) => name !== 'heartbeat' && name !== 'ec2'))(
    'power-off, and %s says alive',
    (name) => {
      expect(verdict([dead('ec2', 'power-off'), says(name, 'alive')])).toBe('wait');
    },
  );
  test('power-off, and a renewal', () => {
    expect(verdict([dead('ec2', 'power-off')], { renewed: true })).toBe('alive');
    expect(verdict([dead('ec2', 'power-off'), says('heartbeat', 'alive')])).toBe('alive');
  });
  test.each(['guard', 'ssm'] as const)('closed or succeeded, and %s says that the session stands', (name) => {
    expect(verdict([dead('registry', 'closed'), says(name, 'alive')])).toBe('wait');
    expect(verdict([dead('registry', 'successor'), says(name, 'alive')], { sameSession: false })).toBe('wait');
  });
  test('a successor while the item shows the old session', () => {
    expect(verdict([dead('registry', 'successor')])).toBe('wait');
  });
});

describe('what does not count', () => {
  test.each([
    ['asked before the investigation', { askedAtMs: wallInstant(999) }],
    ['obtained before it was asked for', { answeredAtMs: wallInstant(1_099) }],
  ])('%s', (_, times) => {
    expect(worthOf(says('heartbeat', 'alive', times), OPENED)).toEqual({ worth: 'unknown' });
    expect(worthOf({ ...dead('ec2', 'power-off'), ...times }, OPENED)).toEqual({ worth: 'unknown' });
    expect(verdict([says('heartbeat', 'alive', times)])).toBe('wait');
  });

  test('at the very moment of asking is not before', () => {
    const now = { askedAtMs: OPENED, answeredAtMs: OPENED };
    expect(verdict([says('heartbeat', 'alive', now)])).toBe('alive');
  });

  test.each([
    ['a death without evidence', dead('ec2', undefined)],
    ['an accusation by peers', dead('peers', 'power-off')],
    ['a probe that gets no answer', dead('probe', 'closed')],
    ['lease-over, which only a revocation makes', dead('registry', 'lease-over')],
    ['a witness, who needs a revocation too', dead('registry', 'witnessed')],
    ['power-off from elsewhere than EC2', dead('registry', 'power-off')],
  ])('%s', (_, answer) => {
    expect(verdict([answer], { sameSession: false })).toBe('wait');
  });
});

test('no power fence while the guard answers that the session stands', () => {
  expect(verdictOf(findings([says('guard', 'alive')]))).toMatchObject({ verdict: 'wait', powerFenceAllowed: false });
  expect(verdictOf(findings([says('ssm', 'alive')]))).toMatchObject({ verdict: 'wait', powerFenceAllowed: false });
  expect(verdictOf(findings([says('ec2', 'alive')]))).toMatchObject({ verdict: 'wait', powerFenceAllowed: true });
});

/** Every investigator with every answer (and every evidence it may bring), under every combination of the facts. */
test('every combination of answers and facts: what each verdict needs', () => {
  const options = INVESTIGATORS.map((name) => [
    says(name, 'unknown'),
    says(name, 'alive'),
    ...(name === 'ec2' ? [dead(name, 'power-off')] : []),
    ...(name === 'registry' ? [dead(name, 'closed'), dead(name, 'successor')] : []),
  ]);
  let combinations: Answer[][] = [[]];
  for (const option of options) combinations = combinations.flatMap((some) => option.map((one) => [...some, one]));
  expect(combinations).toHaveLength(2 ** 7 * 3 * 4);
  for (const answers of combinations) {
    const alive = new Set(answers.filter((answer) => answer.answer === 'alive').map((answer) => answer.investigator));
    const deaths = new Set(answers.map((answer) => answer.evidence));
    for (let bits = 0; bits < 16; bits += 1) {
      const [holdInForce, storm, sameSession, renewed] = [1, 2, 4, 8].map((bit) => (bits & bit) !== 0);
      const found = verdictOf({
        answers,
        openedAtMs: OPENED,
        holdInForce: holdInForce === true,
        storm: storm === true,
        sameSession: sameSession === true,
        renewed: renewed === true,
      });
      if (found.verdict === 'certain') {
        if (!deaths.has(found.evidenceKind)) throw new Error('certain without that evidence');
        if (alive.has('guard') || alive.has('ssm')) throw new Error('certain against the guard');
        if (found.evidenceKind === 'power-off' && alive.size > 0) throw new Error('power-off against a sign of life');
      } else if (found.verdict === 'alive') {
        if (!sameSession || !(renewed || alive.has('heartbeat'))) throw new Error('alive without a renewal');
      } else if (sameSession && renewed) throw new Error('a renewal ignored');
      if (found.verdict === 'disconnected' && !holdInForce) throw new Error('disconnected without a hold');
      if (found.verdict === 'storm' && (!storm || holdInForce)) throw new Error('storm without one');
      if (found.verdict === 'wait' && (storm || holdInForce)) throw new Error('waits against a brake or a hold');
    }
  }
});

const answer: fc.Arbitrary<Answer> = fc
  .record({
    investigator: fc.constantFrom(...INVESTIGATORS),
    answer: fc.constantFrom('alive' as const, 'dead' as const, 'unknown' as const),
    evidence: fc.constantFrom('closed', 'successor', 'power-off', 'lease-over', 'witnessed', 'released', undefined),
    asked: fc.integer({ min: 900, max: 1_100 }),
    took: fc.integer({ min: -100, max: 100 }),
  })
  .map(({ asked, took, ...rest }) => {
    return { ...rest, askedAtMs: wallInstant(asked), answeredAtMs: wallInstant(asked + took), facts: {}, says: '' };
  });

const anyFindings: fc.Arbitrary<Findings> = fc.record({
  answers: fc.array(answer, { maxLength: 9 }),
  openedAtMs: fc.constant(OPENED),
  holdInForce: fc.boolean(),
  storm: fc.boolean(),
  sameSession: fc.boolean(),
  renewed: fc.boolean(),
});

test('S8: unknown answers, however many, never make a death, and old ones never make life', () => {
  fc.assert(
    fc.property(anyFindings, (input) => {
      const unknown = input.answers.map((one) => ({ ...one, answer: 'unknown' as const }));
      expect(verdictOf({ ...input, answers: unknown }).verdict).not.toBe('certain');
      const old = input.answers.map((one) => ({ ...one, answeredAtMs: wallInstant(one.askedAtMs - 1) }));
      expect(verdictOf({ ...input, answers: old, renewed: false }).verdict).not.toBe('alive');
    }),
    { numRuns: 2_000 },
  );
});

test('turning any answer into unknown never turns life into death, and adding life never makes a death certain', () => {
  fc.assert(
    fc.property(anyFindings, answer, (input, extra) => {
      const before = verdictOf(input).verdict;
      const more = verdictOf({ ...input, answers: [...input.answers, { ...extra, answer: 'alive' }] }).verdict;
      if (before !== 'certain') expect(more).not.toBe('certain');
      const shuffled = verdictOf({ ...input, answers: [...input.answers].reverse() });
      expect(shuffled).toEqual(verdictOf(input));
    }),
    { numRuns: 2_000 },
  );
});
