/**
 * What-if against what then happens: random clusters in virtual time, with the real handlers and the real workflow. The
 * answer is asked first, then the change is made and the cluster comes to rest; every slot must be where it was said.
 */
import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { readDefinition } from '../../adapters/node/definition-file.ts';
import type { HypotheticalChange } from '../../core/protocol/views.ts';
import { isOwned } from '../../core/recovery/ownership.ts';
import { simulate } from '../../lambdas/api/simulate.ts';
import { why } from '../../lambdas/api/why.ts';
import { DB, definitionOf, PAIR } from './definitions.ts';
import { createWorld, type World } from './world.ts';

jest.setTimeout(120_000);

interface HostSketch {
  readonly name: string;
  readonly zone: string;
  readonly disk: string;
  readonly cpu: number;
}

interface GroupSketch {
  readonly name: string;
  readonly model: string;
  readonly active: number;
  readonly standby: number;
  readonly cpu: number;
  readonly priority: number;
  readonly rules: readonly string[];
}

const NAMES = ['a', 'b', 'c'];

const hostSketch = (at: number): fc.Arbitrary<HostSketch> =>
  fc
    .record({
      zone: fc.constantFrom('z1', 'z2'),
      disk: fc.constantFrom('ssd', 'hdd'),
      cpu: fc.integer({ min: 2, max: 4 }),
    })
    .map((host) => ({ name: `h${at}`, ...host }));

const rule = (name: string): fc.Arbitrary<string> => {
  const other = fc.constantFrom(...NAMES.filter((one) => one !== name));
  return fc.oneof(
    fc.constantFrom('require: { disk: ssd }', 'spread: zone', 'haTag: disk=ssd', 'overcommit: true'),
    fc.constantFrom('h1', 'h2').map((host) => `prefer: [{ host: ${host} }]`),
    fc.constant('prefer: [{ labels: { disk: hdd }, weight: 10 }, { host: h3, weight: 5 }]'),
    other.map((group) => `prefer: [{ apart: ${group} }]`),
    other.map((group) => `prefer: [{ together: ${group} }]`),
    other.map((group) => `apart: [${group}]`),
    other.map((group) => `together: [${group}]`),
  );
};

const groupSketch = (name: string): fc.Arbitrary<GroupSketch> =>
  fc.record({
    name: fc.constant(name),
    model: fc.constantFrom('n-plus-m', 'n-plus-m', 'n', 'n-exclusive'),
    active: fc.integer({ min: 1, max: 3 }),
    standby: fc.integer({ min: 0, max: 2 }),
    cpu: fc.integer({ min: 0, max: 2 }),
    priority: fc.constantFrom(1, 2),
    rules: fc.uniqueArray(rule(name), { maxLength: 3, selector: (text) => text.split(':')[0] }),
  });

function yamlOf(hosts: readonly HostSketch[], groups: readonly GroupSketch[]): string {
  const host = ({ name, zone, disk, cpu }: HostSketch): string =>
    `\n  - { name: ${name}, instanceId: i-0000000000000000${name.slice(1)}, zone: ${zone}, labels: { disk: ${disk} }, capacity: { cpu: ${cpu} } }`;
  const group = ({ name, model, active, standby, cpu, priority, rules }: GroupSketch): string => `
  - name: ${name}
    redundancy: ${model === 'n-plus-m' ? `{ model: n-plus-m, active: ${active}, standby: ${standby} }` : `{ model: n, active: ${active}, exclusive: ${model !== 'n'} }`}
    priority: ${priority}
    placement: { ${rules.join(', ')} }
    services:
      - name: ${name}
        agent: exec
        params: { command: ${name} }${cpu === 0 ? '' : `\n        needs: { cpu: ${cpu} }`}
        actions: { start: { timeout: 2s }, stop: { timeout: 150ms } }`;
  return `apiVersion: holdfast/v1\ncluster: pair\ntiming: { profile: demo }\nhosts:${hosts.map(host).join('')}\ngroups:${groups.map(group).join('')}\n`;
}

const isValid = (yaml: string): boolean => readDefinition([{ content: yaml }]).ok;

interface Case {
  readonly yaml: string;
  readonly added: string;
  readonly edited: string;
  readonly kind: 'host-down' | 'host-added' | 'definition';
  readonly victim: number;
  readonly again: boolean;
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    hosts: fc
      .integer({ min: 2, max: 5 })
      .chain((count) => fc.tuple(...Array.from({ length: count }, (_, at) => hostSketch(at + 1)))),
    extra: hostSketch(6),
    groups: fc.tuple(...NAMES.map(groupSketch)),
    others: fc.tuple(...NAMES.map(groupSketch)),
    edited: fc.subarray([0, 1, 2]),
    removed: fc.option(fc.constantFrom(0, 1, 2), { nil: null }),
    kind: fc.constantFrom('host-down', 'host-down', 'host-added', 'definition'),
    victim: fc.nat(4),
    again: fc.boolean(),
  })
  .map(({ hosts, extra, groups, others, edited, removed, kind, victim, again }) => {
    const changed = groups
      .map((group, at) => (edited.includes(at) ? (others[at] ?? group) : group))
      .filter((_, at) => at !== removed);
    return {
      yaml: yamlOf(hosts, groups),
      added: yamlOf([...hosts, extra], groups),
      edited: yamlOf(hosts, changed),
      extra,
      kind,
      victim: victim % hosts.length,
      again,
    };
  })
  .filter(({ yaml, added, edited }) => isValid(yaml) && isValid(added) && isValid(edited));

/** Nobody works on anything and nothing has changed for a while. */
async function atRest(world: World): Promise<void> {
  let last = '';
  let quiet = 0;
  await world.until(
    'the cluster is at rest',
    () => {
      const now = JSON.stringify([world.groups, world.workflow.running]);
      quiet = now === last && world.workflow.running.length === 0 ? quiet + 1 : 0;
      last = now;
      return quiet >= 60;
    },
    120_000,
  );
}

const owners = (world: World): Record<string, string | null> =>
  Object.fromEntries(
    world.groups.flatMap(({ group, slots }) =>
      slots.map((slot) => [`${group}/${slot.slot}`, isOwned(slot) ? (slot.owner?.host ?? null) : null] as const),
    ),
  );

/** The owners as the answer says they will be. */
async function foretold(world: World, changes: readonly HypotheticalChange[]): Promise<Record<string, string | null>> {
  const { slots } = await simulate(world.ports, world.cluster, { changes });
  return { ...owners(world), ...Object.fromEntries(slots.map(({ group, slot, to }) => [`${group}/${slot}`, to])) };
}

async function playThrough(drawn: Case & { readonly extra: HostSketch }): Promise<void> {
  const world = await createWorld({ yaml: drawn.yaml });
  await atRest(world);
  const names = [...world.hosts.keys()];
  const victim = names[drawn.victim] ?? '';
  const changes: HypotheticalChange[] = [];
  const steps: (() => void | Promise<void>)[] = [];
  if (drawn.kind === 'host-down') {
    changes.push({ change: 'host-down', host: victim });
    steps.push(() => world.host(victim).die());
    const next = names[(drawn.victim + 1) % names.length] ?? '';
    if (drawn.again && next !== victim) {
      changes.push({ change: 'host-down', host: next });
      steps.push(() => world.host(next).die());
    }
  } else if (drawn.kind === 'host-added') {
    const { name, zone, disk, cpu } = drawn.extra;
    changes.push({ change: 'host-added', host: { name, zone, labels: { disk }, capacity: { cpu } } });
    steps.push(async () => {
      await world.apply(drawn.added);
      world.addHost(name).boot();
    });
  } else {
    changes.push({ change: 'definition', yaml: drawn.edited });
    steps.push(() => world.apply(drawn.edited));
  }
  const said = await foretold(world, changes);
  for (const step of steps) {
    await step();
    await world.run(500);
    await atRest(world);
  }
  const found = owners(world);
  // A slot that the answer does not name stays as it was: new ones without an owner.
  const slots = [...new Set([...Object.keys(said), ...Object.keys(found)])].sort();
  const differing = slots.filter((where) => (said[where] ?? null) !== (found[where] ?? null));
  const story = differing.map((where) => `${where}: said ${said[where] ?? 'none'}, found ${found[where] ?? 'none'}`);
  if (story.length > 0) throw new Error([...story, JSON.stringify(changes), drawn.yaml, world.story()].join('\n'));
}

const SEED = Number(process.env['SIMULATE_SEED'] ?? 20_261);
const CASES = Number(process.env['SIMULATE_CASES'] ?? 100);

describe('a what-if', () => {
  const ask = (world: World, changes: readonly HypotheticalChange[]) =>
    simulate(world.ports, world.cluster, { changes });

  test('changes nothing, and says where each slot of a dead host goes and why', async () => {
    const world = await createWorld({ yaml: PAIR });
    await atRest(world);
    const before = world.groups;
    const from = world.owner('db/0') ?? '';
    const to = from === 'h1' ? 'h2' : 'h1';
    const answer = await ask(world, [{ change: 'host-down', host: from }]);
    expect(answer).toMatchObject({ slots: [{ group: 'db', slot: 0, from, to }], unchanged: 0 });
    expect(answer.slots[0]?.why).toContain(`db/0 goes to ${to}: warm standby`);
    expect(answer.health).toEqual([{ group: 'db', before: 'ok', after: 'warn' }]);
    expect(world.groups).toEqual(before);
  });

  test('says that nobody can take it once the last host is gone', async () => {
    const world = await createWorld({ yaml: PAIR });
    await atRest(world);
    const answer = await ask(world, [
      { change: 'host-down', host: 'h1' },
      { change: 'host-down', host: 'h2' },
    ]);
    expect(answer.slots).toMatchObject([{ group: 'db', slot: 0, to: null }]);
    expect(answer.slots[0]?.why).toContain('no host can take db/0');
    expect(answer.health).toMatchObject([{ after: 'failed' }]);
  });

  test('a host that is defined as another machine gives up what it owns, and takes nothing', async () => {
    const yaml = definitionOf({ hosts: 3, groups: [DB] });
    const world = await createWorld({ yaml });
    await atRest(world);
    const owner = world.owner('db/0') ?? '';
    const edited = yaml.replace(world.machineOf(owner), 'i-00000000000000fff');
    const answer = await ask(world, [{ change: 'definition', yaml: edited }]);
    expect(answer.slots).toMatchObject([{ group: 'db', slot: 0, from: owner }]);
    await world.apply(edited);
    await world.run(500);
    await atRest(world);
    expect(world.owner('db/0')).not.toBe(owner);
    expect(world.owner('db/0')).toBe(answer.slots[0]?.to);
  });

  test('a slot that is added to a group that runs is placed, though the owner of another slot stands by for none (S20)', async () => {
    const yaml = definitionOf({ hosts: 3, groups: [DB] });
    const world = await createWorld({ yaml });
    await atRest(world);
    const grown = yaml.replace('active: 1, standby: 1', 'active: 2, standby: 1');
    const answer = await ask(world, [{ change: 'definition', yaml: grown }]);
    expect(answer.slots).toMatchObject([{ group: 'db', slot: 1, from: null }]);
    await world.apply(grown);
    await world.run(500);
    await atRest(world);
    expect(world.owner('db/1')).toBe(answer.slots[0]?.to);
    expect(world.isActive('db/1')).toBe(true);
  });

  test('what it refuses: unknown hosts, names that are taken, definitions that apply would refuse, too many changes', async () => {
    const world = await createWorld({ yaml: PAIR });
    await atRest(world);
    const refusals: readonly [readonly HypotheticalChange[], string, string][] = [
      [[{ change: 'host-down', host: 'h7' }], 'not_found', 'there is no host h7; there are h1, h2'],
      [[{ change: 'host-added', host: { name: 'h1' } }], 'config_invalid', 'there is a host h1 already'],
      [[{ change: 'host-added', host: { name: 'H 1' } }], 'config_invalid', 'got H 1'],
      [[{ change: 'host-added', host: { name: 'h3', capacity: { cpu: 0 } } }], 'config_invalid', 'capacity.cpu'],
      [[{ change: 'definition', yaml: 'cluster: [' }], 'config_invalid', 'change 1: the definition has'],
      [[{ change: 'definition', yaml: PAIR.replace('cluster: pair', 'cluster: other') }], 'config_invalid', 'other'],
      [Array.from({ length: 21 }, () => ({ change: 'host-down', host: 'h1' }) as const), 'limit_exceeded', '20'],
    ];
    for (const [changes, code, words] of refusals) {
      const refusal = await ask(world, changes).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code });
      expect((refusal as Error).message).toContain(words);
    }
  });
});

describe('why', () => {
  test('the owner, who would take it, who could, and who cannot with what would change that', async () => {
    const world = await createWorld({ yaml: definitionOf({ hosts: 3, groups: [DB] }), off: ['h3'] });
    await atRest(world);
    const { owner, hosts } = await why(world.ports, world.cluster, 'db', 0);
    expect(owner).toBe('h1');
    expect(hosts).toMatchObject([
      { host: 'h1', verdict: 'owner', why: 'owns it (Active, epoch 1)', change: null },
      { host: 'h2', verdict: 'next', change: null },
      { host: 'h3', verdict: 'dropped', why: 'it is Connecting, not Up' },
    ]);
    expect(hosts[2]?.change).toContain('must be Up');
    await expect(why(world.ports, world.cluster, 'db', 4)).rejects.toMatchObject({ code: 'not_found' });
    await expect(why(world.ports, world.cluster, 'nix', 0)).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('what-if and what then happens', () => {
  test(`agree slot by slot in ${CASES} random cases`, async () => {
    await fc.assert(fc.asyncProperty(cases as fc.Arbitrary<Case & { readonly extra: HostSketch }>, playThrough), {
      numRuns: CASES,
      seed: SEED,
      endOnFailure: true,
    });
  });
});
