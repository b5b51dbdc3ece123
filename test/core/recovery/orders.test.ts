import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { nextAssignment, orderId, ordersFor } from '../../../core/recovery/orders.ts';
import type { GroupDefinition } from '../../../core/config/model.ts';
import type { Assignment, GroupRecord, Order } from '../../../core/protocol/records.ts';
import { definition, evidenceAbout, group, ownedBy, record, slot } from '../placement/fixtures.ts';

const H1 = { host: 'h1', session: 's-h1' };
const H2 = { host: 'h2', session: 's-h2' };
const OPEN = group('open', { redundancy: { model: 'n', active: 1, exclusive: false } });

function orders(
  live: { host: string; session: string },
  groups: readonly GroupRecord[],
  options: { readonly specs?: readonly GroupDefinition[]; readonly isCandidate?: boolean } = {},
): readonly Order[] {
  const specs = options.specs ?? [group('db'), group('web'), OPEN];
  return ordersFor(
    live,
    (of) => specs.find(({ name }) => name === of.group),
    groups,
    () => options.isCandidate ?? true,
  );
}

const ids = (list: readonly Order[]): readonly string[] => list.map(({ id }) => id);

describe('what a host is told to do', () => {
  const owned = record('db', [
    slot(0, {
      ...ownedBy('h1'),
      lists: [
        { no: 2, hosts: ['h1'] },
        { no: 3, hosts: ['h1', 'h2'] },
      ],
    }),
  ]);

  test('its owner starts it, with the newest list; every other candidate stands by', () => {
    expect(orders(H1, [owned])).toEqual([
      {
        id: 'start.db.0.e1.s-h1',
        verb: 'start',
        group: 'db',
        slot: 0,
        epoch: 1,
        session: 's-h1',
        list: { no: 3, hosts: ['h1', 'h2'] },
        spec: group('db'),
      },
    ]);
    expect(orders(H2, [owned])).toMatchObject([{ id: 'standby.db.0.e1.s-h2', list: { no: 0, hosts: [] } }]);
  });

  test.each<[string, GroupRecord, { specs?: readonly GroupDefinition[]; isCandidate?: boolean }, readonly string[]]>([
    [
      'what stops is released',
      record('db', [slot(0, { ...ownedBy('h1'), phase: 'Stopping' })]),
      {},
      ['release.db.0.e1.s-h1'],
    ],
    [
      'what is held is released',
      record('db', [slot(0, { ...ownedBy('h1'), phase: 'Held' })]),
      {},
      ['release.db.0.e1.s-h1'],
    ],
    [
      'what failed is still its own to start',
      record('db', [slot(0, { ...ownedBy('h1'), phase: 'Failed' })]),
      {},
      ['start.db.0.e1.s-h1'],
    ],
    [
      'what there is evidence about is not its own any more',
      record('db', [slot(0, { ...ownedBy('h1'), evidence: evidenceAbout('h1') })]),
      {},
      ['standby.db.0.e1.s-h1'],
    ],
    [
      'what a session of before owned is not its own',
      record('db', [slot(0, { ...ownedBy('h1'), owner: { host: 'h1', principal: 'p-h1', session: 's-old' } })]),
      {},
      ['standby.db.0.e1.s-h1'],
    ],
    [
      'an owner that is no candidate any more keeps what it owns',
      owned,
      { isCandidate: false },
      ['start.db.0.e1.s-h1'],
    ],
    ['a host that is no candidate does not stand by', record('db', [slot(0)]), { isCandidate: false }, []],
    ['of what is not covered nobody stands by', record('open', [slot(0, ownedBy('h2'))]), {}, []],
    ['what nobody defines is not ordered', owned, { specs: [] }, []],
  ])('%s', (_, group, options, expected) => {
    expect(ids(orders(H1, [group], options))).toEqual(expected);
  });

  test('a host with one slot of a group does not stand by for the others; one without stands by for all', () => {
    const two = record('db', [slot(0, ownedBy('h1')), slot(1, ownedBy('h3'))]);
    expect(ids(orders(H1, [two]))).toEqual(['start.db.0.e1.s-h1']);
    expect(ids(orders(H2, [two]))).toEqual(['standby.db.0.e1.s-h2', 'standby.db.1.e1.s-h2']);
  });

  test('an order names verb, slot, epoch and session: no two orders share a name', () => {
    expect(orderId('release', 'db', 2, 14, 's-h1')).toBe('release.db.2.e14.s-h1');
  });
});

describe('orders are a projection', () => {
  const groups = [
    record('db', [slot(0, ownedBy('h1')), slot(1, ownedBy('h3'))]),
    record('web', [slot(0, { ...ownedBy('h1'), phase: 'Stopping' })]),
    record('open', [slot(0, ownedBy('h1'))]),
  ];
  const shuffled = fc.shuffledSubarray([0, 1, 2], { minLength: 3 });

  test('the same records in any order, however often, give the same orders', () => {
    const expected = orders(H1, groups);
    expect(ids(expected)).toEqual(['release.web.0.e1.s-h1', 'start.db.0.e1.s-h1', 'start.open.0.e1.s-h1']);
    fc.assert(
      fc.property(shuffled, (order) => {
        const again = orders(
          H1,
          order.flatMap((index) => groups[index] ?? []),
        );
        expect(again).toEqual(expected);
      }),
    );
  });
});

describe('the number of an assignment', () => {
  function wanted(groups: readonly GroupRecord[]): Omit<Assignment, 'n'> {
    const { timing } = definition([], []);
    return { cluster: 'c', host: 'h1', rev: 1, incarnation: 'i', timing, orders: orders(H1, groups) };
  }
  const before = wanted([record('db', [slot(0, ownedBy('h1'))])]);
  const after = wanted([record('db', [slot(0, { ...ownedBy('h1'), phase: 'Stopping' })])]);

  test('begins at 1, rises by one with a change, and not without', () => {
    const first = nextAssignment(null, before);
    expect(first?.n).toBe(1);
    expect(nextAssignment(first, before)).toBeNull();
    expect(nextAssignment(first, after)).toEqual({ n: 2, ...after });
    expect(nextAssignment({ n: 41, ...after }, before)?.n).toBe(42);
  });

  test.each<[string, Omit<Assignment, 'n'>]>([
    ['the definition', { ...before, rev: 2 }],
    ['the timing', { ...before, timing: { ...before.timing, holderLeaseMs: 20_000 } }],
    ['the incarnation', { ...before, incarnation: 'j' }],
    ['the orders', { ...before, orders: [] }],
  ])('rises with a change of %s', (_, changed) => {
    expect(nextAssignment({ n: 5, ...before }, changed)?.n).toBe(6);
  });

  test('a store that turns keys round and drops what is undefined changes nothing', () => {
    const stored = JSON.parse(JSON.stringify(reversed({ n: 5, ...before }))) as Assignment;
    expect(Object.keys(stored)[0]).not.toBe('n');
    expect(nextAssignment(stored, before)).toBeNull();
  });

  test('rises exactly where the content differs, however deep', () => {
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom(null, 0, 1, '', 'a', false, true),
        fc.array(tie('value'), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom('a', 'b', 'toString'), tie('value'), { maxKeys: 2, noNullPrototype: true }),
      ),
    }));
    const holding = (orders: unknown) =>
      JSON.parse(JSON.stringify({ ...before, orders: [orders] })) as Omit<Assignment, 'n'>;
    fc.assert(
      fc.property(value, value, (one, other) => {
        expect(nextAssignment({ n: 5, ...holding(one) }, holding(reversed(one)))).toBeNull();
        const isSame = isDeepStrictEqual(holding(one), holding(other));
        expect(nextAssignment({ n: 5, ...holding(one) }, holding(other)) === null).toBe(isSame);
      }),
      { numRuns: 2_000 },
    );
  });

  test('the order of a list is content', () => {
    const [first, ...rest] = wanted([
      record('db', [slot(0, ownedBy('h1'))]),
      record('web', [slot(0, ownedBy('h1'))]),
    ]).orders;
    if (first === undefined) throw new Error('no orders');
    const old: Assignment = { n: 5, ...before, orders: [first, ...rest] };
    expect(nextAssignment(old, { ...before, orders: [...rest, first] })?.n).toBe(6);
  });
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
}
