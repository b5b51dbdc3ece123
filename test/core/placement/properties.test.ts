/** What holds for every plan, on random clusters small enough that rules collide often. */
import { expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { GroupDefinition } from '../../../core/config/model.ts';
import type { HostFacts, Snapshot } from '../../../core/placement/facts.ts';
import { plan } from '../../../core/placement/plan.ts';
import type { GroupRecord } from '../../../core/protocol/records.ts';
import { wallInstant } from '../../../core/time/time.ts';
import { definition, evidenceAbout, group, host, NOW, ownedBy, record, slot } from './fixtures.ts';

jest.setTimeout(60_000); // Thousands of cases, on a machine that others use.

const HOSTS = ['h1', 'h2', 'h3', 'h4', 'h5'];
const GROUPS = ['a', 'b', 'c', 'd'];
const hostName = fc.constantFrom(...HOSTS);

const hostFacts = (name: string): fc.Arbitrary<HostFacts> =>
  fc
    .record({
      status: fc.constantFrom('Up', 'Up', 'Up', 'Behind', 'Fenced'),
      admin: fc.constantFrom('enabled', 'enabled', 'enabled', 'locked'),
      live: fc.integer({ min: 0, max: 5 }),
      zone: fc.constantFrom('x', 'y'),
      disk: fc.boolean(),
      cpu: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
    })
    .map(({ live, disk, cpu, ...facts }) => {
      const labels: Record<string, string> = disk ? { disk: 'y' } : {};
      return host(name, { ...facts, labels, session: live > 0 ? `s-${name}` : null, capacity: { cpu } });
    });

const groupDefinition = (name: string): fc.Arbitrary<GroupDefinition> => {
  const others = fc.subarray(GROUPS.filter((other) => other !== name));
  return fc
    .record({
      active: fc.integer({ min: 1, max: 3 }),
      disk: fc.boolean(),
      together: fc.oneof({ weight: 3, arbitrary: fc.constant<string[]>([]) }, { weight: 1, arbitrary: others }),
      apart: fc.oneof({ weight: 3, arbitrary: fc.constant<string[]>([]) }, { weight: 1, arbitrary: others }),
      priority: fc.integer({ min: 1, max: 2 }),
      cpu: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
      prefer: fc.array(fc.record({ host: hostName, weight: fc.integer({ min: -5, max: 5 }) }), { maxLength: 2 }),
    })
    .map(({ active, disk, together, apart, priority, cpu, prefer }) =>
      group(name, {
        redundancy: { model: 'n-plus-m', active, standby: 1 },
        placement: { require: disk ? { disk: 'y' } : {}, together, apart, prefer, spread: 'zone' },
        priority,
        ...(cpu === undefined ? {} : { cpu }),
      }),
    );
};

/** Owners of one group on distinct hosts, as every earlier plan left them. */
const groupRecord = (name: string): fc.Arbitrary<GroupRecord> =>
  fc
    .record({
      owners: fc.shuffledSubarray(HOSTS, { maxLength: 3 }),
      gone: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
      takers: fc.option(fc.subarray(HOSTS), { nil: null }),
      failed: fc.option(fc.record({ at: hostName, agoMs: fc.integer({ min: 0, max: 90_000 }) }), { nil: undefined }),
      standbys: fc.shuffledSubarray(HOSTS, { maxLength: 1 }),
    })
    .map(({ owners, gone, takers, failed, standbys }) => {
      const failedOn = failed === undefined ? [] : [{ host: failed.at, atMs: wallInstant(NOW - failed.agoMs) }];
      const slots = [0, 1, 2].map((no) => {
        const owner = owners[no];
        if (owner === undefined) return slot(no, { failedOn });
        const evidence = gone[no] === true ? evidenceAbout(owner, takers) : null;
        return slot(no, { ...ownedBy(owner), evidence, failedOn });
      });
      return record(name, slots, standbys);
    });

const snapshots: fc.Arbitrary<Snapshot> = fc
  .record({
    hosts: fc.tuple(...HOSTS.map(hostFacts)),
    groups: fc.tuple(...GROUPS.map(groupDefinition)),
    records: fc.tuple(...GROUPS.map(groupRecord)),
  })
  .map(({ hosts, groups, records }) => ({ definition: definition(groups, hosts), hosts, groups: records, nowMs: NOW }));

const RUNS = { numRuns: 2_000 };
const live = (input: Snapshot, name: string) =>
  (input.groups.find((found) => found.group === name)?.slots ?? []).flatMap((found) =>
    found.owner !== null && found.evidence === null ? [{ slot: found.slot, host: found.owner.host }] : [],
  );

test('never two slots of a group on one host, and a standby never beside one', () => {
  fc.assert(
    fc.property(snapshots, (input) => {
      const { actions, standbys } = plan(input);
      for (const name of GROUPS) {
        const placed = actions.flatMap((action) => (action.group === name ? (action.host ?? []) : []));
        const hosts = [...placed, ...live(input, name).map((owner) => owner.host)];
        expect(new Set(hosts).size).toBe(hosts.length);
        const standing = standbys.find((choice) => choice.group === name)?.hosts ?? [];
        expect(standing.filter((standby) => hosts.includes(standby.host))).toEqual([]);
      }
    }),
    RUNS,
  );
});

test('every host taken is enabled, Up, live, labelled, allowed by S11 and has not failed within the window', () => {
  fc.assert(
    fc.property(snapshots, (input) => {
      for (const action of plan(input).actions) {
        if (action.host === null) continue;
        const taken = input.hosts.find((candidate) => candidate.name === action.host);
        const record = input.groups.find((found) => found.group === action.group)?.slots[action.slot];
        const rules = input.definition.groups.find((found) => found.name === action.group)?.placement;
        expect(taken).toMatchObject({
          status: 'Up',
          admin: 'enabled',
          session: action.session,
          labels: rules?.require,
        });
        expect(record?.evidence?.takers ?? [action.host]).toContain(action.host);
        const recent = record?.failedOn.filter((failure) => NOW - failure.atMs < 60_000).map((failure) => failure.host);
        expect(recent).not.toContain(action.host);
      }
    }),
    RUNS,
  );
});

/** Where every slot is once the plan has been carried out. */
function placesAfter(input: Snapshot): readonly { group: string; slot: number; host: string }[] {
  return [
    ...plan(input).actions.flatMap(({ group: name, slot: no, host: at }) =>
      at === null ? [] : [{ group: name, slot: no, host: at }],
    ),
    ...GROUPS.flatMap((name) => live(input, name).map((owner) => ({ group: name, ...owner }))),
  ];
}

test('apart stays apart', () => {
  fc.assert(
    fc.property(snapshots, (input) => {
      const all = placesAfter(input);
      for (const action of plan(input).actions) {
        if (action.host === null) continue;
        const beside = all.filter((place) => place.host === action.host).map((place) => place.group);
        for (const { name, placement } of input.definition.groups) {
          if (name === action.group) expect(placement.apart.filter((other) => beside.includes(other))).toEqual([]);
          if (placement.apart.includes(action.group)) expect(beside).not.toContain(name);
        }
      }
    }),
    RUNS,
  );
});

test('together goes together: a slot joins the hosts on which its aggregate may still run, and is never torn apart', () => {
  fc.assert(
    fc.property(snapshots, (input) => {
      const { actions } = plan(input);
      for (const { name, placement } of input.definition.groups) {
        for (const mate of placement.together) {
          for (const action of actions.filter((candidate) => candidate.group === name)) {
            const also = actions.find((candidate) => candidate.group === mate && candidate.slot === action.slot);
            if (also !== undefined) expect(also.host).toBe(action.host);
          }
        }
        if (placement.together.length !== 1 || input.definition.groups.some((g) => g.placement.together.includes(name)))
          continue;
        const [mate = ''] = placement.together;
        const tied = input.definition.groups.find((candidate) => candidate.name === mate);
        const alone = tied?.placement.together.length === 0;
        const others = input.definition.groups.filter((g) => g.placement.together.includes(mate)).length;
        if (!alone || others !== 1) continue;
        for (const action of actions.filter((candidate) => candidate.group === name && candidate.host !== null)) {
          const owner = live(input, mate).find((found) => found.slot === action.slot);
          if (owner !== undefined && action.slot < (tied?.redundancy.active ?? 0)) expect(owner.host).toBe(action.host);
        }
      }
    }),
    RUNS,
  );
});

test('what both sides state fits', () => {
  fc.assert(
    fc.property(snapshots, (input) => {
      const all = placesAfter(input);
      const need = (name: string) =>
        input.definition.groups.find((found) => found.name === name)?.services[0]?.needs?.cpu ?? 0;
      for (const action of plan(input).actions) {
        const cpu = input.hosts.find((candidate) => candidate.name === action.host)?.capacity?.cpu;
        if (cpu === undefined || need(action.group) === 0) continue;
        const there = all.filter((place) => place.host === action.host);
        expect(there.reduce((sum, place) => sum + need(place.group), 0)).toBeLessThanOrEqual(cpu);
      }
    }),
    RUNS,
  );
});

test('a slot whose owner may still run it is not in the plan; every other wanted slot is, once', () => {
  fc.assert(
    fc.property(snapshots, (input) => {
      const planned = plan(input).actions.map((action) => `${action.group}/${action.slot}`);
      const wanted = input.definition.groups.flatMap((found) => {
        const owned = live(input, found.name).map((owner) => owner.slot);
        const all = [0, 1, 2].slice(0, found.redundancy.active);
        return all.filter((no) => !owned.includes(no)).map((no) => `${found.name}/${no}`);
      });
      expect([...planned].sort()).toEqual([...wanted].sort());
    }),
    RUNS,
  );
});

test('the order of hosts, groups and records in the input changes nothing', () => {
  const shuffled = snapshots.chain((input) =>
    fc
      .tuple(
        fc.shuffledSubarray([...input.hosts], { minLength: HOSTS.length }),
        fc.shuffledSubarray([...input.definition.groups], { minLength: GROUPS.length }),
        fc.shuffledSubarray([...input.groups], { minLength: GROUPS.length }),
      )
      .map(([hosts, groups, records]) => ({
        input,
        other: { ...input, hosts, groups: records, definition: { ...input.definition, groups } },
      })),
  );
  fc.assert(
    fc.property(shuffled, ({ input, other }) => {
      expect(plan(other)).toEqual(plan(input));
    }),
    RUNS,
  );
});

test('explaining changes no decision', () => {
  fc.assert(
    fc.property(snapshots, (input) => {
      const { actions, standbys } = plan(input);
      expect(plan(input, { explain: () => false })).toEqual({ actions, standbys, explanations: [] });
    }),
    RUNS,
  );
});

test('stable: a plan that was carried out leaves nothing to do, and its standbys stay', () => {
  fc.assert(
    fc.property(snapshots, (input) => {
      const first = plan(input);
      const groups = input.groups.map((stored) => ({
        ...stored,
        standbys: first.standbys.find((choice) => choice.group === stored.group)?.hosts ?? [],
        slots: stored.slots.map((old) => {
          const to = first.actions.find((action) => action.group === stored.group && action.slot === old.slot)?.host;
          return to === undefined || to === null ? old : { ...old, ...ownedBy(to), evidence: null };
        }),
      }));
      const second = plan({ ...input, groups });
      expect(second.actions.filter((action) => action.host !== null)).toEqual([]);
      expect(second.standbys).toEqual(first.standbys);
    }),
    RUNS,
  );
});
