import { describe, expect, jest, test } from '@jest/globals';
import { definitionOf, DB, PAIR } from './definitions.ts';
import { createWorld, type World } from './world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

async function pair(): Promise<{ readonly world: World; readonly from: string; readonly to: string }> {
  const world = await createWorld({ yaml: PAIR });
  await world.whole();
  await world.run(2_000);
  const from = world.owner('db/0') ?? '';
  return { world, from, to: from === 'h1' ? 'h2' : 'h1' };
}

describe('an operator moves a slot', () => {
  test('the from-side releases, then the to-side owns (S9)', async () => {
    const { world, from, to } = await pair();
    const { run = '' } = await world.move('db/0');
    await world.until('it has moved', () => world.isActive('db/0') && world.owner('db/0') === to);
    await world.whole();
    expect(world.slot('db/0')).toMatchObject({ epoch: 2, placedBy: run });
    expect(world.slot('db/0').tookOverBy).toMatchObject({ kind: 'released', host: from, run });
    expect(world.runRecord(run)).toMatchObject({ work: 'Move', phase: 'Done', outcome: 'Moved' });
  });

  test('to the host that was named', async () => {
    const world = await createWorld({ yaml: definitionOf({ hosts: 4, groups: [DB] }) });
    await world.whole();
    const from = world.owner('db/0');
    for (const to of ['h4', 'h3', 'h4'].filter((name) => name !== from)) {
      await world.move('db/0', to);
      await world.until(`it runs on ${to}`, () => world.isActive('db/0') && world.owner('db/0') === to);
      await world.whole();
    }
  });

  test.each([
    ['where it is', (from: string) => from, 'conflict'],
    ['to a host that does not exist', () => 'h9', 'not_found'],
  ] as const)('%s: refused', async (_, to, code) => {
    const { world, from } = await pair();
    const dump = world.dump();
    expect((await world.move('db/0', to(from))).code).toBe(code);
    expect(world.dump()).toBe(dump);
  });

  test('with no place to go: refused with the reasons, and nothing is stopped', async () => {
    const { world, from, to } = await pair();
    world.host(to).die();
    await world.until('its end is known', () => world.hostRecord(to)?.status === 'Fenced');
    await world.run(2_000);
    const names = world.workflow.names.length;
    const refused = await world.move('db/0');
    expect(refused.code).toBe('no_host');
    expect(refused.detail).toContain(`${to}: no, it is Fenced, not Up`);
    expect(refused.detail).not.toContain(`${from}:`);
    await world.run(5_000);
    expect(world.workflow.names).toHaveLength(names);
    expect(world.slot('db/0')).toMatchObject({ epoch: 1, phase: 'Active' });
    expect(world.truth.runners('db/0')).toEqual([from]);
  });

  test('and the place is lost before the run gets there: cancelled, nothing was stopped', async () => {
    const { world, from, to } = await pair();
    const asked = world.move('db/0');
    world.invoke = async (task) => {
      // The order was given; the other host is lost before the first step runs.
      if (task.state === 'Open') world.tables.heartbeats.delete(world.host(to).principal);
      return world.call(task);
    };
    const { run = '' } = await asked;
    await world.until('the run has ended', () => world.workflow.running.every((name) => name !== run));
    expect(world.runRecord(run)).toMatchObject({ phase: 'Cancelled', outcome: 'Cancelled' });
    expect(world.truth.runners('db/0')).toEqual([from]);
    expect(world.slot('db/0').epoch).toBe(1);
  });
});

describe('a from-side that is slow is cancelled back (S9)', () => {
  test('it never read the order: it runs on as before', async () => {
    const { world, from } = await pair();
    world.host(from).script.readMs = 30_000;
    const { run = '' } = await world.move('db/0');
    await world.until('the run has ended', () => world.workflow.execution(run)?.status === 'SUCCEEDED');
    expect(world.runRecord(run)).toMatchObject({ phase: 'Cancelled', outcome: 'Cancelled' });
    expect(world.runRecord(run)?.summary).toContain('did not release db/0');
    await world.whole();
    expect(world.slot('db/0')).toMatchObject({ epoch: 1, phase: 'Active' });
    expect(world.truth.runners('db/0')).toEqual([from]);
    await world.run(60_000);
    expect(world.slot('db/0')).toMatchObject({ epoch: 1, phase: 'Active' });
    expect(world.alerts.pages).toEqual([]);
  });

  test('it stops after all, too late for the run: the slot is started in a new epoch, without a person', async () => {
    const { world, from } = await pair();
    world.host(from).script.stopMs = 8_000;
    const { run = '' } = await world.move('db/0');
    await world.until('the run has ended', () => world.workflow.execution(run)?.status === 'SUCCEEDED');
    expect(world.runRecord(run)?.outcome).toBe('Cancelled');
    await world.until('it runs in a new epoch', () => world.slot('db/0').epoch === 2 && world.isActive('db/0'));
    await world.whole();
  });

  test('it hangs in its stop for good: held, a person is called, and it never runs twice', async () => {
    const { world, from } = await pair();
    world.host(from).script.onRelease = () => 'stuck';
    await world.move('db/0');
    await world.run(60_000);
    expect(world.truth.runners('db/0')).toEqual([from]);
    expect(world.slot('db/0')).toMatchObject({ epoch: 1, phase: 'Held', evidence: null });
    expect(world.alerts.pages.some(({ text }) => text.includes('did not release db/0'))).toBe(true);
  });
});

test('the to-side fails to start: back to where it ran, with evidence, in a new epoch', async () => {
  const { world, from, to } = await pair();
  world.host(to).script.onStart = () => 'failed';
  await world.move('db/0');
  await world.until('it runs again', () => world.slot('db/0').epoch === 3 && world.isActive('db/0'));
  await world.whole();
  expect(world.owner('db/0')).toBe(from);
});

test('the from-side dies while it releases: its own run takes over', async () => {
  const { world, from, to } = await pair();
  world.host(from).script.stopMs = 4_000;
  await world.move('db/0');
  await world.until('it is asked to stop', () => world.host(from).phaseOf('db/0') === 'Stopping');
  world.host(from).die();
  await world.until('it runs on the other', () => world.isActive('db/0') && world.owner('db/0') === to);
  await world.whole();
  expect(world.slot('db/0').tookOverBy?.kind).toBe('lease-over');
});
