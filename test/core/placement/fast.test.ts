/** The indexed search against the plain one that looks at every host: the same placements and the same standbys, always. */
import { expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { GroupDefinition, PlacementRules, Redundancy } from '../../../core/config/model.ts';
import type { HostFacts, Snapshot } from '../../../core/placement/facts.ts';
import { plan } from '../../../core/placement/plan.ts';
import type { GroupRecord } from '../../../core/protocol/records.ts';
import { wallInstant } from '../../../core/time/time.ts';
import { definition, evidenceAbout, group, host, NOW, ownedBy, record, slot } from './fixtures.ts';
import { naiveStandbys } from './naive-standbys.ts';

jest.setTimeout(60_000); // Thousands of cases, on a machine that others use.

const HOSTS = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'h7', 'h8'];
const GROUPS = ['a', 'b', 'c', 'd'];
const hostName = fc.constantFrom(...HOSTS);

const hostFacts = (name: string): fc.Arbitrary<HostFacts> =>
  fc
    .record({
      isUp: fc.integer({ min: 0, max: 7 }).map((draw) => draw > 0),
      zone: fc.constantFrom('z1', 'z2', undefined),
      labels: fc.record({ disk: fc.constantFrom('y', 'n'), tag: fc.constantFrom('ha', 'no') }),
      cpu: fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined }),
    })
    .map(({ isUp, zone, labels, cpu }) =>
      host(name, { status: isUp ? 'Up' : 'Down', zone, labels, ...(cpu === undefined ? {} : { capacity: { cpu } }) }),
    );

const weight = fc.integer({ min: -2, max: 2 });
const wish = fc.oneof(
  fc.record({ host: hostName, weight }),
  fc.record({ labels: fc.constantFrom({ disk: 'y' }, { tag: 'ha' }), weight }),
  fc.record({ apart: fc.constantFrom(...GROUPS), weight }),
  fc.record({ together: fc.constantFrom(...GROUPS), weight }),
);

const redundancy: fc.Arbitrary<Redundancy> = fc.oneof(
  fc.record({
    model: fc.constant('n-plus-m' as const),
    active: fc.integer({ min: 1, max: 3 }),
    standby: fc.integer({ min: 0, max: 2 }),
  }),
  fc.record({ model: fc.constant('n' as const), active: fc.integer({ min: 1, max: 4 }), exclusive: fc.boolean() }),
);

const groupDefinition = (name: string): fc.Arbitrary<GroupDefinition> => {
  const others = fc.subarray(
    GROUPS.filter((other) => other !== name),
    { maxLength: 1 },
  );
  const none = fc.constant<string[]>([]);
  const rules: fc.Arbitrary<Partial<PlacementRules>> = fc.record({
    require: fc.constantFrom({}, {}, { disk: 'y' }),
    prefer: fc.array(wish, { maxLength: 3 }),
    spread: fc.constantFrom(undefined, 'zone', 'disk'),
    together: fc.oneof(none, none, others),
    apart: fc.oneof(none, none, others),
    haTag: fc.constantFrom(undefined, undefined, 'tag=ha'),
    overcommit: fc.constantFrom(undefined, true),
  });
  return fc
    .record({
      redundancy,
      placement: rules,
      cpu: fc.integer({ min: 0, max: 3 }),
      priority: fc.integer({ min: 1, max: 2 }),
    })
    .map((sketch) => group(name, sketch));
};

const groupRecord = (name: string): fc.Arbitrary<GroupRecord> =>
  fc
    .record({
      owners: fc.shuffledSubarray(HOSTS, { maxLength: 4 }),
      gone: fc.array(fc.constantFrom('no', 'power-off', 'lease-over'), { minLength: 4, maxLength: 4 }),
      takers: fc.subarray(HOSTS),
      failed: fc.option(hostName, { nil: undefined }),
      standbys: fc.shuffledSubarray(HOSTS, { maxLength: 2 }),
    })
    .map(({ owners, gone, takers, failed, standbys }) => {
      const failedOn = failed === undefined ? [] : [{ host: failed, atMs: wallInstant(NOW - 1_000) }];
      const slots = [0, 1, 2, 3].map((no) => {
        const owner = owners[no];
        if (owner === undefined) return slot(no, { failedOn });
        const how = gone[no] ?? 'no';
        const evidence = how === 'no' ? null : evidenceAbout(owner, how === 'power-off' ? null : takers);
        return slot(no, { ...ownedBy(owner), evidence, failedOn });
      });
      return record(name, slots, standbys);
    });

const snapshots: fc.Arbitrary<Snapshot> = fc
  .record({
    hosts: fc.tuple(...HOSTS.map(hostFacts)),
    groups: fc.tuple(...GROUPS.map(groupDefinition)),
    records: fc.tuple(...GROUPS.map((name) => fc.option(groupRecord(name), { nil: undefined }))),
  })
  .map(({ hosts, groups, records }) => ({
    definition: definition(groups, hosts),
    hosts,
    groups: records.filter((one) => one !== undefined),
    nowMs: NOW,
  }));

const RUNS = { numRuns: 2_000 };

test('the same hosts, whether every host is looked at or not', () => {
  fc.assert(
    fc.property(snapshots, (input) => {
      const plain = plan(input, { explain: () => true });
      const fast = plan(input, { explain: () => false });
      expect(fast.actions).toEqual(plain.actions);
    }),
    RUNS,
  );
});

test('reasons do not depend on which slots are explained', () => {
  fc.assert(
    fc.property(snapshots, fc.constantFrom(...GROUPS), (input, name) => {
      const all = plan(input).explanations.filter((one) => one.group === name);
      expect(plan(input, { explain: (one) => one === name }).explanations).toEqual(all);
    }),
    RUNS,
  );
});

test('the same standbys', () => {
  fc.assert(
    fc.property(snapshots, (input) => {
      const { actions, standbys } = plan(input, { explain: () => false });
      expect(standbys).toEqual(naiveStandbys(input, actions));
    }),
    RUNS,
  );
});
