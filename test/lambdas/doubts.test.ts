/** What the control plane reads may be wrong: a malformed item, a clock that was set, an older registry, a proof that passed by. */
import { describe, expect, jest, test } from '@jest/globals';
import { type GroupRecord, type Heartbeat, type HostRecord, keys } from '../../core/protocol/records.ts';
import { startHaRun } from '../../lambdas/shared/start-run.ts';
import { EMPTY_SWEEP_MEMORY, sweepOnce } from '../../lambdas/find-behind/sweep.ts';
import { DB, definitionOf, PAIR } from './definitions.ts';
import { createWorld, type World } from './world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

const THREE = definitionOf({ hosts: 3, groups: [DB] });

test.each(['is revoked', 'vanishes'])(
  'a second session of the same machine %s before the first was dealt with: still the successor of the first (S7)',
  async (fate) => {
    const world = await createWorld({ yaml: PAIR, scripts: { h1: { bootMs: 100 }, h2: { bootMs: 100 } } });
    await world.whole();
    const owner = world.owner('db/0') ?? '';
    const first = world.slot('db/0').owner?.session ?? '';
    let isBlocked = true;
    world.invoke = async (task) => {
      const { work } = task.input as { work?: { session?: string } };
      if (isBlocked && work?.session === first && task.state === 'Stop') throw new Error('not now');
      return world.call(task);
    };
    world.host(owner).boot();
    await world.until('the second session is seen', () => {
      const seen = world.hostRecord(owner)?.seen?.session;
      return seen !== undefined && seen !== first;
    });
    world.host(owner).die();
    if (fate === 'vanishes') world.tables.heartbeats.delete(world.host(owner).principal);
    await world.until(
      'the second session is over',
      () => world.heartbeat(owner)?.session.startsWith('revoked:') === true,
      60_000,
    );
    await world.run(5_000);
    expect(world.slot('db/0')).toMatchObject({ epoch: 1, evidence: null });
    isBlocked = false;
    await world.until('it was taken over', () => world.slot('db/0').epoch === 2 && world.isActive('db/0'), 120_000);
    expect(world.slot('db/0').tookOverBy).toMatchObject({ kind: 'successor', host: owner, session: first });
  },
);

test('a revoked successor that no sweep had seen: the item keeps its machine', async () => {
  const world = await createWorld({ yaml: PAIR, scripts: { h1: { bootMs: 100 }, h2: { bootMs: 100 } } });
  await world.whole();
  const owner = world.owner('db/0') ?? '';
  const first = world.slot('db/0').owner?.session ?? '';
  const { principal } = world.host(owner);
  world.host(owner).boot();
  await world.until('it has registered anew', () => world.heartbeat(owner)?.session !== first);
  world.host(owner).die();
  const { session, seq } = world.heartbeat(owner) ?? { session: '', seq: 0 };
  expect(await world.ports.heartbeats.revoke(principal, session, seq, 'by-hand')).toMatchObject({ outcome: 'revoked' });
  await world.until('it was taken over', () => world.slot('db/0').epoch === 2 && world.isActive('db/0'), 120_000);
  expect(world.slot('db/0').tookOverBy).toMatchObject({ kind: 'successor', session: first });
});

test('nobody knows on which machine the owner ran: a newer session of its host proves nothing (S7)', async () => {
  const world = await createWorld({ yaml: PAIR, sweeps: false, scripts: { h1: { bootMs: 100 }, h2: { bootMs: 100 } } });
  for (const name of ['h1', 'h2']) await world.until(`${name} beats`, () => world.heartbeat(name) !== undefined);
  await sweepOnce(world.ports, EMPTY_SWEEP_MEMORY);
  await world.whole();
  const owner = world.owner('db/0') ?? '';
  const first = world.slot('db/0').owner?.session;
  const hostKey = keys.host('pair', owner);
  const host = await world.ports.registry.get<HostRecord>(hostKey);
  if (host !== undefined) await world.ports.registry.put(hostKey, { ...host.body, seen: null }, host.version);
  const group = await world.ports.registry.get<GroupRecord>(keys.group('pair', 'db'));
  const slots = group?.body.slots.map((slot) =>
    slot.owner === null ? slot : { ...slot, owner: { ...slot.owner, machine: undefined } },
  );
  if (group !== undefined) await world.ports.registry.put(group.key, { ...group.body, slots }, group.version);
  world.host(owner).boot();
  await world.until('it has registered anew', () => world.heartbeat(owner)?.session !== first);
  await world.run(10_000);
  expect(world.slot('db/0')).toMatchObject({ epoch: 1, evidence: null });
  expect(world.workflow.visited).toContain('Hold');
});

describe('the item of a session that no sweep has seen vanishes', () => {
  async function vanish(owns: boolean): Promise<{ world: World; name: string; session: string }> {
    const world = await createWorld({ yaml: PAIR, scripts: { h1: { bootMs: 100 }, h2: { bootMs: 100 } } });
    await world.whole();
    const owner = world.owner('db/0') ?? '';
    const name = owns ? owner : owner === 'h1' ? 'h2' : 'h1';
    const key = keys.host('pair', name);
    const first = world.heartbeat(name)?.session;
    if (!owns) {
      world.host(name).boot();
      await world.until('it has registered anew', () => world.heartbeat(name)?.session !== first);
    }
    const { session = '' } = world.heartbeat(name) ?? {};
    const host = await world.ports.registry.get<HostRecord>(key);
    if (owns && host !== undefined) await world.ports.registry.put(key, { ...host.body, seen: null }, host.version);
    world.tables.heartbeats.delete(world.host(name).principal);
    await startHaRun(world.ports, { cluster: 'pair', host: name, session, seq: 0 });
    return { world, name, session };
  }

  test('it is ended all the same (S3): its host registers anew, and nobody is called', async () => {
    const { world, name, session } = await vanish(false);
    expect(world.hostRecord(name)?.seen?.session).not.toBe(session);
    await world.until(
      'its host is up in a newer session',
      () => {
        const { seen, status } = world.hostRecord(name) ?? {};
        return status === 'Up' && seen?.session !== session && seen?.session === world.heartbeat(name)?.session;
      },
      60_000,
    );
    expect(world.workflow.visited).not.toContain('Hold');
    expect(world.alerts.pages).toEqual([]);
  });

  test('an owner that lives: what it registers next shows that it is over', async () => {
    const { world, name, session } = await vanish(true);
    await world.until('it was taken over', () => world.slot('db/0').epoch === 2 && world.isActive('db/0'), 60_000);
    expect(world.slot('db/0').tookOverBy).toMatchObject({ kind: 'successor', host: name, session });
  });

  test('an owner that does not come back: nobody knows how long its lease is, so it is held (S8)', async () => {
    const { world, name, session } = await vanish(true);
    world.host(name).die();
    await world.until('a person is called', () => world.alerts.pages.length > 0, 600_000);
    expect(world.slot('db/0')).toMatchObject({ epoch: 1, evidence: null, owner: { host: name, session } });
  });
});

test('a malformed heartbeat item: its host is set aside, the others are looked after, a person is called once (S16)', async () => {
  const world = await createWorld({ yaml: THREE });
  await world.whole();
  await world.move('db/0', 'h2');
  await world.until('h2 runs it', () => world.owner('db/0') === 'h2' && world.isActive('db/0'));
  await world.whole();
  world.host('h1').die();
  const { principal } = world.host('h1');
  world.tables.heartbeats.set(principal, JSON.stringify({ pk: principal, session: 7 }));
  await world.run(1_000);
  world.host('h3').boot();
  await world.until('h3 stands by', () => world.host('h3').phaseOf('db/0') === 'Standby', 5_000);
  await world.run(60_000);
  const told = world.alerts.pages.filter(({ subject }) => subject === 'h1 in pair cannot be looked after');
  expect(told).toHaveLength(1);
  expect(told[0]?.text).toContain('malformed');
  expect(world.logged.some((line) => line === 'error: reconcile of h1 in pair failed')).toBe(true);
  world.tables.heartbeats.delete(principal);
  await world.until('it is no trouble any more', () => world.record(keys.trouble('pair', 'h1')) === undefined);
});

test('the wall clock jumps while a run waits: the wait is counted anew, and nothing is taken from a host that runs', async () => {
  const world = await createWorld({ yaml: PAIR });
  await world.whole();
  const owner = world.owner('db/0') ?? '';
  world.host(owner).isCut = true;
  let waiting = '';
  world.workflow.onEnter = (run, state) => void (state === 'Await proof' && (waiting = run));
  await world.until('a run waits', () => waiting !== '');
  await world.run(200);
  const jumpedAtMs = world.clock.boot.now();
  world.clock.setWall(world.clock.wall.now() + 60_000);
  await world.until('it was taken over', () => world.slot('db/0').epoch === 2, 60_000);
  expect(world.clock.boot.now() - jumpedAtMs).toBeGreaterThanOrEqual(3_400);
  expect(world.steps(waiting).some(({ says }) => says.includes('the wall clock was set'))).toBe(true);
  await world.whole();
});

test('a store that answers slowly is not taken for a set clock: the wait is not counted anew', async () => {
  const world = await createWorld({ yaml: PAIR });
  await world.whole();
  world.host(world.owner('db/0') ?? '').isCut = true;
  let waiting = '';
  world.workflow.onEnter = (run, state) => void (state === 'Await proof' && (waiting = run));
  // Each strong read of the run's own record takes 300 ms, six times the gap that the demo profile allows its clocks.
  world.faults = (op, phase, subject) =>
    phase === 'before' && op === 'registry.get' && subject.includes('R#ha.')
      ? world.clock.sleeper.sleep(300)
      : undefined;
  await world.until('it was taken over', () => world.slot('db/0').epoch === 2, 60_000);
  expect(world.steps(waiting).some(({ says }) => says.includes('the wall clock was set'))).toBe(false);
  await world.whole();
});

describe('a live host knows more than the registry: it was restored from an older copy (S21)', () => {
  /** Lets h3, which was never booted, renew for ever with what `says` gives. */
  const renewing = (world: World, says: () => Partial<Heartbeat>): void => {
    const model = world.heartbeat('h2');
    const { principal } = world.host('h3');
    let seq = 1;
    const renew = (): void => {
      seq += 1;
      const item = { ...model, principal, pk: principal, host: 'h3', machine: 'm-h3', session: 's-h3', seq, ...says() };
      world.tables.heartbeats.set(principal, JSON.stringify(item));
      world.clock.after(100, renew);
    };
    renew();
  };
  const report = { group: 'db', slot: 0, phase: 'Active', health: 'ok' } as const;

  test.each<[string, Partial<Heartbeat>, string]>([
    ['a later epoch', { slots: [{ ...report, epoch: 7 }] }, 'h3 reports db/0 in epoch 7, the registry knows 1'],
    ['another incarnation', { slots: [], incarnation: 'i-before' }, 'h3 works under incarnation i-before'],
  ])('%s: the slot is held, a person is called once; then it goes on', async (_, contradiction, why) => {
    const world = await createWorld({ yaml: THREE, off: ['h3'] });
    await world.whole();
    const owner = world.owner('db/0') ?? '';
    let isContradicting = true;
    renewing(world, () => (isContradicting ? contradiction : { slots: [] }));
    world.host(owner).die();
    await world.until('it is held', () => world.slot('db/0').phase === 'Held');
    await world.run(30_000);
    expect(world.slot('db/0')).toMatchObject({ epoch: 1, phase: 'Held' });
    expect(world.slot('db/0').why).toContain(why);
    expect(world.alerts.pages.filter(({ subject }) => subject === 'db/0 is held')).toHaveLength(1);
    isContradicting = false;
    await world.until('it has an owner', () => world.slot('db/0').epoch === 2, 120_000);
  });
});

describe('a host is removed from the definition while it owns a slot', () => {
  const without = (name: string): string => THREE.replace(new RegExp(`\\n {2}- \\{ name: ${name},[^\\n]*`), '');

  test('the slot moves, released by its owner, and the host is Removed', async () => {
    const world = await createWorld({ yaml: THREE });
    await world.whole();
    await world.run(2_000);
    const owner = world.owner('db/0') ?? '';
    await world.apply(without(owner));
    await world.until('another runs it', () => world.slot('db/0').epoch === 2 && world.isActive('db/0'));
    expect(world.owner('db/0')).not.toBe(owner);
    expect(world.slot('db/0').tookOverBy).toMatchObject({ kind: 'released', host: owner });
    await world.until('it is Removed', () => world.hostRecord(owner)?.status === 'Removed');
    await world.whole();
    expect(world.alerts.pages).toEqual([]);
  });

  test('without another place it runs on and says why, until there is one', async () => {
    const world = await createWorld({ yaml: THREE, off: ['h2', 'h3'] });
    await world.whole();
    await world.run(2_000);
    await world.apply(without('h1'));
    await world.run(20_000);
    expect(world.slot('db/0')).toMatchObject({ epoch: 1, phase: 'Active' });
    expect(world.slot('db/0').why).toContain('h1 is no longer defined, but nobody else can take it');
    expect(world.truth.runners('db/0')).toEqual(['h1']);
    expect(world.hostRecord('h1')?.status).toBe('Up');
    expect(world.workflow.names.filter((name) => name.startsWith('move.'))).toEqual([]);
    world.host('h2').boot();
    await world.until('h2 runs it', () => world.owner('db/0') === 'h2' && world.isActive('db/0'));
    await world.until('h1 is Removed', () => world.hostRecord('h1')?.status === 'Removed');
  });
});

test('a run about a session that no sweep saw, and that owns nothing, lets the host go when another registers (seed 300460 of its time)', async () => {
  const world = await createWorld({ yaml: PAIR, sweeps: false, scripts: { h1: { bootMs: 100 }, h2: { bootMs: 100 } } });
  for (const name of ['h1', 'h2']) await world.until(`${name} beats`, () => world.heartbeat(name) !== undefined);
  await sweepOnce(world.ports, EMPTY_SWEEP_MEMORY);
  await world.whole();
  const host = world.owner('db/0') ?? '';
  const first = world.slot('db/0').owner?.session ?? '';
  world.host(host).boot();
  await world.until('it has registered anew', () => world.heartbeat(host)?.session !== first);
  world.host(host).die();
  const { session, seq } = world.heartbeat(host) ?? { session: '', seq: 0 };
  const name = `ha.${host}.${session}.${seq}`;
  await world.ports.workflow.start(name, { cluster: 'pair', host, session, seq });
  await world.until('it waits for evidence', () => world.workflow.visited.has('Await proof'));
  expect(world.hostRecord(host)?.seen?.session).not.toBe(session);
  world.host(host).boot();
  // A call of the step waits for 20 s and is repeated for 20 minutes.
  await world.until('the run has ended', () => !world.workflow.running.includes(name), 5_000);
  expect(world.steps(name).find(({ step }) => step === 'Stop')?.says).toContain('owned nothing');
  await world.until('the slot runs again', () => world.slot('db/0').epoch === 2 && world.isActive('db/0'), 120_000);
  expect(world.slot('db/0').tookOverBy).toMatchObject({ kind: 'successor', host, session: first });
});
