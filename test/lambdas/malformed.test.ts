/** Events that nobody should send: refused with a clear text, and nothing is written. */
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { failureCode, messageOf } from '../../core/failures/failures.ts';
import { findBehind } from '../../lambdas/find-behind/handler.ts';
import { reconcileHandler } from '../../lambdas/reconcile/handler.ts';
import type { Handler } from '../../lambdas/shared/edge.ts';
import { PAIR } from './definitions.ts';
import { createWorld, type World } from './world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

const HUGE = 'x'.repeat(1024 * 1024);
const WORK = {
  cluster: 'pair',
  host: 'h1',
  session: 's',
  seq: 1,
  verb: 'ha',
  epoch: 0,
  to: null,
  slots: [],
  waves: [],
  round: 0,
  next: '',
  says: '',
};
const SLOT_WORK = {
  cluster: 'pair',
  verb: 'place',
  to: null,
  group: 'db',
  slot: 0,
  attempt: 0,
  round: 0,
  opened: 0,
  epoch: 0,
  next: '',
  says: '',
};
const FAILURE = { cluster: 'pair', host: 'h1', session: 's', seq: 0 };

const NEVER = [
  null,
  undefined,
  0,
  'text',
  true,
  [],
  [WORK],
  {},
  { step: 5 },
  { step: 'destroy', run: 'r', work: WORK },
  { step: null },
  HUGE,
];

const without = (object: object, field: string): object =>
  Object.fromEntries(Object.entries(object).filter(([name]) => name !== field));

/** Every field of a good event missing, and of each wrong type in turn. */
function spoilt(good: object): readonly object[] {
  return Object.keys(good).flatMap((field) => [
    without(good, field),
    ...[undefined, {}, [], true, -1.5, HUGE]
      .filter((bad) => !(Array.isArray(bad) && Array.isArray((good as Record<string, unknown>)[field])))
      .map((bad) => ({ ...good, [field]: bad })),
  ]);
}

const eventsOf = (step: string, work: object, more: object = {}): readonly unknown[] => {
  const good = { step, run: 'r', work, ...more };
  // `next` and `says` are free text of any length: an execution carries them, nobody decides on them unread.
  const inner = Object.keys(work).filter((field) => field !== 'next' && field !== 'says');
  const bad = spoilt(Object.fromEntries(inner.map((field) => [field, (work as Record<string, unknown>)[field]])));
  return [
    without(good, 'run'),
    without(good, 'work'),
    { ...good, run: 7 },
    { ...good, run: '' },
    { ...good, run: HUGE },
    { ...good, extra: 1 },
    ...[null, [], 'w', HUGE].map((wrong) => ({ ...good, work: wrong })),
    ...bad.map((spoiltWork) => ({ ...good, work: { next: '', says: '', ...spoiltWork } })),
  ];
};

let world: World;
beforeAll(async () => {
  world = await createWorld({ yaml: PAIR });
  await world.whole();
});

async function expectRefused(handler: Handler<unknown>, event: unknown): Promise<void> {
  const before = world.dump();
  let answer: unknown;
  try {
    await handler(event);
  } catch (error) {
    answer = error;
  }
  const shown = (JSON.stringify(event) ?? String(event)).slice(0, 200);
  expect({ shown, code: failureCode(answer) }).toEqual({ shown, code: 'config_invalid' });
  expect(messageOf(answer)).toMatch(/^malformed event: .+; got /);
  expect(messageOf(answer).length).toBeLessThan(2_000);
  expect(world.dump()).toBe(before);
}

test('what a step of another version has added to the work of a run is passed over (S19)', async () => {
  const newer = { ...WORK, host: null, session: null, verb: 'place', extra: { of: 'another version' } };
  const answer = await world.handlers.HaRecover({ step: 'plan', run: 'place.db.0.e1', work: newer });
  expect(answer).toMatchObject({ cluster: 'pair', verb: 'place' });
  expect(answer).not.toHaveProperty('extra');
});

describe('step Lambdas', () => {
  test('ha-recover', async () => {
    const open = { step: 'open', run: 'r', input: FAILURE };
    const planned = { cluster: 'pair', verb: 'place', group: 'db', slot: 0, epoch: 0, to: null };
    const events = [
      ...NEVER,
      without(open, 'input'),
      ...spoilt(FAILURE).map((input) => ({ ...open, input })),
      ...spoilt(planned).map((input) => ({ ...open, input })),
      ...['stop', 'plan'].flatMap((step) => eventsOf(step, WORK)),
      ...['place', 'await-started', 'take-back'].flatMap((step) => eventsOf(step, SLOT_WORK)),
      ...eventsOf('close', WORK, { outcome: 'Recovered' }),
      { step: 'close', run: 'r', work: WORK, outcome: 'Excellent' },
      { step: 'close', run: 'r', work: WORK },
      { step: 'place', run: 'r', work: WORK },
    ];
    expect(events.length).toBeGreaterThan(300);
    for (const event of events) await expectRefused(world.handlers.HaRecover, event);
  });

  test('ha-fence', async () => {
    for (const event of [...NEVER, ...eventsOf('fence', WORK), ...eventsOf('await-proof', WORK)])
      await expectRefused(world.handlers.HaFence, event);
  });

  test('ha-investigate', async () => {
    const answer = { investigator: 'heartbeat', answer: 'unknown', askedAtMs: 0, answeredAtMs: 0, facts: {}, says: '' };
    const ask = { step: 'ask', run: 'r', work: WORK, investigator: 'oracle' };
    const verdict = { step: 'verdict', run: 'r', work: WORK };
    const events = [
      ...NEVER,
      ask,
      { ...ask, investigator: ['heartbeat'] },
      ...eventsOf('ask', WORK, { investigator: 'heartbeat' }),
      verdict,
      ...[null, {}, 'x', [null], [{}], Array.from({ length: 21 }, () => answer)].map((answers) => ({
        ...verdict,
        answers,
      })),
      ...['investigator', 'answer', 'askedAtMs', 'facts', 'says'].map((field) => ({
        ...verdict,
        answers: [{ ...answer, [field]: [1] }],
      })),
    ];
    for (const event of events) await expectRefused(world.handlers.HaInvestigate, event);
  });

  test('the text names the field, and an input that fits neither kind of work says what both would need', async () => {
    const said = async (event: unknown): Promise<string> => world.handlers.HaRecover(event).then(() => '', messageOf);
    expect(await said({ step: 'plan', run: 'r', work: { ...WORK, seq: 'one' } })).toContain('work.seq: ');
    expect(await said({ step: 'destroy', run: 'r' })).toContain('step: ');
    expect(await said({ step: 'open', run: 'r', input: { ...FAILURE, seq: 'one' } })).toContain('input.seq: ');
  });
});

describe('scheduled Lambdas', () => {
  test('find-behind and reconcile', async () => {
    for (const event of [null, 5, 'x', HUGE, true, [], [{}]]) {
      await expectRefused(findBehind(world.ports), event);
      await expectRefused(reconcileHandler(world.ports), event);
    }
    await expectRefused(findBehind(world.ports), { once: 'yes' });
    await expectRefused(reconcileHandler(world.ports), { cluster: 5 });
  });

  test('the API, called with what API Gateway never sends', async () => {
    const good = { rawPath: '/api/v1/status', requestContext: { http: { method: 'GET' } } };
    const events = [
      null,
      undefined,
      [],
      'x',
      HUGE,
      {},
      without(good, 'rawPath'),
      without(good, 'requestContext'),
      { ...good, body: 5 },
      { ...good, requestContext: {} },
      { ...good, isBase64Encoded: 'no' },
    ];
    for (const event of events) await expectRefused(world.api, event);
  });
});
