/** Many hosts fall silent: who is powered off, who is not, and what ends the wait (S13, S14, S15). */
import { describe, expect, jest, test } from '@jest/globals';
import type { BrakeRecord } from '../../core/protocol/brake-records.ts';
import { type EventRecord, keys } from '../../core/protocol/records.ts';
import { PAIR } from './definitions.ts';
import { createWorld, POWERED, SAMPLE, type World } from './world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

/** Nothing but the power proves a host gone: what is suspected must be powered off, or wait. */
const service = (name: string): string => `
    services:
      - name: ${name}
        agent: exec
        params: { command: ${name} }
        monitor: { every: 1s, timeout: 1s }
        actions: { start: { timeout: 2s }, stop: { timeout: 150ms } }`;
const powerOnly = (zones: readonly string[]): string =>
  `apiVersion: holdfast/v1\ncluster: power\ntiming: { profile: demo }\nhosts:${zones
    .map(
      (zone, at) =>
        `\n  - { name: h${at + 1}, instanceId: i-0000000000000000${at + 1}, zone: ${zone}, fencing: [[ec2]] }`,
    )
    .join('')}\ngroups:
  - name: db
    redundancy: { model: n-plus-m, active: ${zones.length - 1}, standby: 1 }
    limits: { movesPerWindow: 100 }
    accepts: [power-off]${service('db')}\n`;

const stopped = (world: World): readonly string[] => world.machines.stops.map(({ machine }) => `h${machine.slice(-1)}`);
const events = (world: World, kind: string): readonly EventRecord[] =>
  [...world.tables.registry.keys()]
    .filter((pk) => pk.startsWith(`E#${world.cluster}#`))
    .flatMap((pk) => world.records<EventRecord>(pk, ''))
    .filter((event) => event.kind === kind);
const brakeOf = (world: World): BrakeRecord | undefined => world.record<BrakeRecord>(keys.budget(world.cluster));

async function standing(yaml: string): Promise<World> {
  const world = await createWorld({ yaml });
  await world.whole();
  await world.run(1_000);
  return world;
}

function cut(world: World, names: readonly string[], isCut = true): void {
  for (const name of names) world.host(name).isCut = isCut;
}

describe('a storm (S14)', () => {
  test('all hosts are cut off from the store at once: none is powered off, and all resume', async () => {
    const world = await standing(powerOnly(['a', 'b', 'c']));
    cut(world, ['h1', 'h2', 'h3']);
    await world.run(20_000);
    expect(stopped(world)).toEqual([]);
    cut(world, ['h1', 'h2', 'h3'], false);
    await world.whole();
    expect(stopped(world)).toEqual([]);
  });

  test('two of three are cut off: held with numbers and one call; they come back and nothing was harmed', async () => {
    const world = await standing(powerOnly(['a', 'b', 'c']));
    cut(world, ['h1', 'h2']);
    await world.until('the brake holds', () => (brakeOf(world)?.storm ?? null) !== null);
    cut(world, ['h1', 'h2'], false);
    await world.whole();
    await world.run(10_000);
    expect(stopped(world)).toEqual([]);
    expect(world.alerts.pages.filter(({ subject }) => subject === 'storm in power')).toHaveLength(1);
    expect(events(world, 'brake.storm')[0]?.says).toContain('2 of 3 hosts fell silent within 5 s: h1, h2');
    expect(brakeOf(world)).toMatchObject({ storm: null, held: [], spent: [] });
    expect(events(world, 'brake.calm')).toHaveLength(1);
    for (const name of ['h1', 'h2', 'h3']) expect(world.hostRecord(name)?.status).toBe('Up');
  });

  test('two of three really die, and EC2 shows it: not braked, no call is needed, and what they ran goes on elsewhere', async () => {
    const world = await standing(POWERED);
    for (const name of ['h1', 'h2']) world.machines.cut(world.machineOf(name));
    const tookMs = await world.until(
      'ledger runs on h3',
      () => world.isActive('ledger/0') && world.owner('ledger/0') === 'h3',
    );
    expect(tookMs).toBeLessThan(6_000);
    expect(stopped(world)).toEqual([]);
  });

  test('after it, hosts that stay silent are powered off one per window', async () => {
    const world = await standing(powerOnly(['a', 'b', 'c', 'd', 'e']));
    cut(world, ['h1', 'h2', 'h3']);
    await world.until('the brake holds', () => (brakeOf(world)?.storm ?? null) !== null);
    const began = world.clock.boot.now();
    cut(world, ['h3'], false);
    await world.until('h1 and h2 are off', () => world.machines.stops.length >= 2, 60_000);
    expect([...stopped(world)].toSorted()).toEqual(['h1', 'h2']);
    const at = world.machines.stops.map(({ atMs }) => atMs);
    expect((at[0] ?? 0) - began).toBeGreaterThanOrEqual(5_000);
    // The second is paid for a window after the first was; each call follows its payment at once.
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(4_900);
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeLessThan(20_000);
    await world.until(
      'what can run runs',
      () => world.slot('db/0').phase === 'Active' || world.slot('db/0').phase === 'Held',
    );
    await world.run(15_000);
    expect(brakeOf(world)?.storm).toBeNull();
  });
});

describe('the budget', () => {
  test('two hosts of a zone of two: one goes, the other waits for the next window, and goes', async () => {
    const world = await standing(powerOnly(['a', 'a', 'b', 'b', 'c']));
    cut(world, ['h1', 'h2']);
    await world.until('one is off', () => world.machines.stops.length === 1);
    const first = world.machines.stops[0]?.atMs ?? 0;
    await world.until(
      'the other is held',
      () => brakeOf(world)?.held.some(({ reason }) => reason === 'budget') === true,
    );
    expect(events(world, 'brake.budget')[0]?.says).toContain('in zone a is spent');
    await world.until('the other is off', () => world.machines.stops.length === 2, 60_000);
    expect((world.machines.stops[1]?.atMs ?? 0) - first).toBeGreaterThanOrEqual(4_900);
    expect([...stopped(world)].toSorted()).toEqual(['h1', 'h2']);
    await world.run(10_000);
    expect(brakeOf(world)?.held).toEqual([]);
  });
});

describe('a group that can spare a slot', () => {
  test('a host dies: the run closes as Recovered, the slot waits for a host, nobody is called; it comes back by itself', async () => {
    const world = await standing(SAMPLE);
    const lost = ['web/0', 'web/1', 'web/2'].find((where) => world.owner(where) === 'h1') ?? '';
    world.host('h1').die();
    await world.until('the run is over', () =>
      world.runs.some(({ work, closedAtMs }) => work === 'HA' && closedAtMs !== null),
    );
    const run = world.runs.find(({ work }) => work === 'HA');
    expect(run).toMatchObject({ phase: 'Done', outcome: 'Recovered' });
    expect(run?.summary).toContain(`${lost} waits for a host`);
    expect(world.slot(lost)).toMatchObject({ phase: 'Held' });
    expect(world.slot(lost).why).toMatch(/^waits for a host: no host can take/);
    await world.run(20_000);
    expect(world.alerts.pages).toEqual([]);
    expect(events(world, 'slot.waiting')).toHaveLength(1);
    world.host('h1').boot();
    await world.whole();
  });

  test('with no active slot left it is held, and a person is called', async () => {
    const world = await standing(SAMPLE);
    for (const name of ['h1', 'h2', 'h3']) world.host(name).die();
    await world.until(
      'web is held',
      () => world.alerts.pages.some(({ subject }) => subject.startsWith('web/')),
      60_000,
    );
    for (const name of ['h1', 'h2', 'h3']) world.host(name).boot();
    await world.whole();
  });
});

describe('what stays held is told once (I11)', () => {
  test('a host that nothing proves gone: tried again and again, one call; a call anew when it happens again', async () => {
    const world = await createWorld({
      yaml: PAIR,
      scripts: { h1: { guardLevel: 'none' }, h2: { guardLevel: 'none' } },
    });
    await world.whole();
    const name = world.owner('db/0') ?? '';
    const attempts = () => world.runs.filter(({ work, host }) => work === 'HA' && host === name);
    world.host(name).die();
    await world.run(300_000);
    expect(attempts().length).toBeGreaterThan(3);
    expect(attempts()[0]).toMatchObject({ outcome: 'Held' });
    expect(world.alerts.pages).toMatchObject([{ subject: `${attempts()[0]?.run ?? ''} is held` }]);
    world.host(name).boot();
    await world.whole(120_000);
    await world.run(5_000);
    expect(world.records(keys.told(world.cluster, '').pk, 'TOLD#')).toEqual([]);
    const again = world.owner('db/0') ?? '';
    world.host(again).die();
    await world.until('a person is called again', () => world.alerts.pages.length === 2);
  });

  test('a slot that no host can take, whatever becomes of the hosts meanwhile: one call', async () => {
    const world = await standing(PAIR);
    world.host('h1').die();
    world.host('h2').die();
    await world.until('it is held', () => world.slot('db/0').phase === 'Held', 120_000);
    await world.run(120_000);
    const pages = world.alerts.pages.filter(({ subject }) => subject === 'db/0 is held');
    expect(pages).toHaveLength(1);
    world.host('h2').boot();
    await world.until('it runs again', () => world.isActive('db/0'), 120_000);
  });
});

describe('damping (S15)', () => {
  test('a slot whose hosts die again and again: so many moves per window, then held with one call; it goes on as the window slides', async () => {
    const world = await standing(
      powerOnly(['a', 'b']).replace('movesPerWindow: 100', 'movesPerWindow: 2, movesWindow: 3m'),
    );
    const kill = async (): Promise<void> => {
      const name = world.owner('db/0') ?? '';
      world.machines.cut(world.machineOf(name));
      await world.until('it has left', () => world.owner('db/0') !== name || world.slot('db/0').phase === 'Held');
      world.machines.start(world.machineOf(name));
    };
    for (let round = 0; round < 2; round += 1) {
      await kill();
      await world.whole();
    }
    expect(world.slot('db/0').epoch).toBe(3);
    await kill();
    await world.run(30_000);
    expect(world.slot('db/0')).toMatchObject({ phase: 'Held', epoch: 3 });
    expect(world.slot('db/0').why).toContain('moved 2 times within 3 min');
    expect(world.alerts.pages.filter(({ subject }) => subject === 'db/0 is held')).toHaveLength(1);
    await world.until('the window slides', () => world.isActive('db/0'), 180_000);
    expect(world.slot('db/0').epoch).toBe(4);
  });
});
