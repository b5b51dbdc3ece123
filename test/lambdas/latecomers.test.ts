/** Runs that are late, stopped or redriven act on nothing that has changed since (S17). */
import { describe, expect, jest, test } from '@jest/globals';
import { type HostRecord, keys } from '../../core/protocol/records.ts';
import { DB, definitionOf, PAIR } from './definitions.ts';

import { createWorld, type World } from './world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

const SLOT = { cluster: 'pair', group: 'db', slot: 0 } as const;

describe('a planned run of epoch 1 reaches its step when epoch 2 runs', () => {
  test.each(['move', 'restart', 'stop'] as const)('%s: it leaves the new owner alone', async (verb) => {
    const world = await createWorld({ yaml: definitionOf({ hosts: 3, groups: [DB] }) });
    await world.whole();
    const first = world.owner('db/0') ?? '';
    let isHeldUp = true;
    world.invoke = async (task) => {
      while (task.run === 'late' && task.state === 'Place' && isHeldUp) await world.clock.sleeper.sleep(100);
      return world.call(task);
    };
    await world.ports.workflow.start('late', { ...SLOT, verb, epoch: 1, to: null });
    await world.until('it has the claim', () => world.slot('db/0').claim === 'late');
    world.host(first).die();
    await world.until('epoch 2 runs', () => world.slot('db/0').epoch === 2 && world.isActive('db/0'));
    isHeldUp = false;
    await world.until('the late run has ended', () => !world.workflow.running.includes('late'));
    await world.run(5_000);
    await world.whole();
    expect(world.slot('db/0')).toMatchObject({ epoch: 2, phase: 'Active', claim: null });
  });
});

describe('a step of a run that is over is called again', () => {
  const moved = async (): Promise<{ world: World; run: string }> => {
    const world = await createWorld({ yaml: PAIR });
    await world.whole();
    await world.run(2_000);
    const { run = '' } = await world.move('db/0');
    await world.until('it has moved', () => world.slot('db/0').epoch === 2 && world.isActive('db/0'));
    await world.whole();
    return { world, run };
  };
  const work = { ...SLOT, verb: 'move', to: null, attempt: 0, round: 0, opened: 1, epoch: 2, says: '' };

  test.each(['Failed', 'Release'])(
    'take-back after `%s` of the epoch that it made: nothing is stopped',
    async (next) => {
      const { world, run } = await moved();
      const before = world.dump();
      expect(await world.handlers.HaRecover({ step: 'take-back', run, work: { ...work, next } })).toMatchObject({
        next: 'Superseded',
      });
      expect(world.dump()).toBe(before);
    },
  );

  test('place by a planned run that has lost its claim: the slot is whoever claims it now', async () => {
    const { world } = await moved();
    const before = world.dump();
    const answer = await world.handlers.HaRecover({
      step: 'place',
      run: 'another',
      work: { ...work, verb: 'stop', opened: 2, epoch: 0, next: 'Place' },
    });
    expect(answer).toMatchObject({ next: 'Superseded', says: 'no run has the claim on db/0 now' });
    expect(world.dump()).toBe(before);
  });
});

describe('a place of an HA run is delivered again when that run is long over', () => {
  test('and another run has freed the slot: that run goes on, the latecomer takes nothing', async () => {
    const world = await createWorld({ yaml: definitionOf({ hosts: 3, groups: [DB] }) });
    await world.whole();
    const runs: string[] = [];
    world.workflow.onEnter = (run, entered) => void (entered === 'Place' && runs.push(run));
    world.host(world.owner('db/0') ?? '').die();
    await world.until('it has failed over', () => world.slot('db/0').epoch === 2 && world.isActive('db/0'));
    const [ha = ''] = runs.filter((run) => run.startsWith('ha.'));
    expect(ha).not.toBe('');
    await world.until('the run is over', () => !world.workflow.running.includes(ha));

    let isHeldUp = true;
    const isFreed = (): boolean => world.slot('db/0').evidence?.kind === 'released';
    world.invoke = async (task) => {
      while (task.run !== ha && task.state === 'Place' && isFreed() && isHeldUp) await world.clock.sleeper.sleep(100);
      return world.call(task);
    };
    await world.move('db/0');
    await world.until('the move has freed it', isFreed);
    const again = { ...SLOT, verb: 'ha', to: null, attempt: 0, round: 0, opened: 0, epoch: 0, next: 'Place', says: '' };
    const answer = await world.handlers.HaRecover({ step: 'place', run: ha, work: again });
    expect(answer).toMatchObject({ next: 'Superseded' });
    expect(world.slot('db/0')).toMatchObject({ epoch: 2, evidence: { kind: 'released' } });
    isHeldUp = false;
    await world.until('the move is done', () => world.slot('db/0').epoch === 3 && world.isActive('db/0'));
    await world.whole();
  });
});

test('an HA run was stopped, another run claims its host since: redriven it places nothing (seed 312032 of its time)', async () => {
  const world = await createWorld({ yaml: definitionOf({ hosts: 3, groups: [DB] }) });
  await world.whole();
  const host = world.owner('db/0') ?? '';
  let stopped: string | undefined;
  let isHeldUp = true;
  world.workflow.onEnter = (run, entered) => {
    if (stopped !== undefined || entered !== 'Place') return;
    stopped = run;
    world.workflow.stop(run);
  };
  world.invoke = async (task) => {
    while (task.run !== stopped && task.state === 'Place' && isHeldUp) await world.clock.sleeper.sleep(100);
    return world.call(task);
  };
  world.host(host).die();
  await world.until('the run was stopped', () => stopped !== undefined);
  const key = keys.host(SLOT.cluster, host);
  const record = await world.ports.registry.get<HostRecord>(key);
  const claim = { run: 'another', session: record?.body.seen?.session ?? '', atMs: world.clock.wall.now() };
  await world.ports.registry.put(key, { ...record?.body, claim }, record?.version ?? null);
  const work = { ...SLOT, verb: 'ha', to: null, attempt: 0, round: 0, opened: 0, epoch: 0, next: 'Place', says: '' };
  const before = world.slot('db/0');
  const answer = await world.handlers.HaRecover({ step: 'place', run: stopped, work });
  expect(answer).toMatchObject({ next: 'Superseded', says: `another has the claim on ${host} now` });
  expect(world.slot('db/0')).toEqual(before);
  isHeldUp = false;
});

describe('a run is stopped by hand and its host is well again', () => {
  test.each([
    ['Investigating', 'Fence'],
    ['Fencing', 'Await proof'],
  ] as const)('%s: the next beats make it Up', async (status, state) => {
    const world = await createWorld({ yaml: PAIR });
    await world.whole();
    const idle = world.owner('db/0') === 'h1' ? 'h2' : 'h1';
    let seen: string | undefined;
    world.workflow.onEnter = (run, entered) => {
      if (entered !== state) return;
      seen = world.hostRecord(idle)?.status;
      world.workflow.stop(run);
      world.host(idle).isCut = false;
    };
    world.host(idle).isCut = true;
    await world.until('the run was stopped', () => seen !== undefined);
    expect(seen).toBe(status);
    await world.until('it is Up', () => world.hostRecord(idle)?.status === 'Up', 5_000);
    await world.run(3_000);
    expect(world.hostRecord(idle)).toMatchObject({ status: 'Up', claim: null });
  });
});

test('a host that fails again while its run is busy: no duplicates pile up, and then the second failure is handled', async () => {
  const world = await createWorld({ yaml: PAIR, off: ['h2'], scripts: { h1: { bootMs: 100 } } });
  await world.whole();
  const busy: { run?: string; untilMs: number } = { untilMs: 0 };
  world.invoke = async (task) => {
    if (task.state !== 'Await started' || !task.run.startsWith('ha.')) return world.call(task);
    if (busy.run === undefined) Object.assign(busy, { run: task.run, untilMs: world.clock.wall.now() + 60_000 });
    if (task.run !== busy.run || world.clock.wall.now() > busy.untilMs) return world.call(task);
    await world.clock.sleeper.sleep(20_000);
    const { work } = task.input as { work: object };
    return { ...work, next: 'Again' };
  };
  world.host('h1').boot();
  await world.until('it was placed back', () => world.slot('db/0').epoch === 2);
  await world.run(1_000);
  const second = world.host('h1').session;
  world.host('h1').die();
  world.host('h2').boot();
  await world.run(45_000);
  expect(world.workflow.names.filter((name) => name.startsWith('ha.'))).toEqual([busy.run]);
  await world.until('the other runs it', () => world.owner('db/0') === 'h2' && world.isActive('db/0'), 60_000);
  await world.whole();
  expect(world.slot('db/0').tookOverBy).toMatchObject({ kind: 'lease-over', host: 'h1', session: second });
  expect(world.workflow.names.filter((name) => name.startsWith('ha.'))).toHaveLength(2);
  expect(world.workflow.visited).not.toContain('Duplicate: close');
});

test('a run about a session that owns nothing and gave way long ago: nothing is to be proven, nobody is called', async () => {
  const world = await createWorld({ yaml: PAIR });
  await world.whole();
  await world.run(3_000);
  const before = JSON.stringify(world.groups);
  await world.ports.workflow.start('old', { cluster: 'pair', host: 'h1', session: 'long-ago', seq: 3 });
  await world.until('it has ended', () => world.workflow.running.length === 0);
  expect(world.runRecord('old')).toMatchObject({ outcome: 'Recovered', summary: 'h1 owned nothing' });
  await world.run(3_000);
  expect(JSON.stringify(world.groups)).toBe(before);
  expect(world.hostRecord('h1')).toMatchObject({ status: 'Up', claim: null });
  expect(world.alerts.pages).toEqual([]);
});
