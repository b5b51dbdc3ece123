/** The workflow file: its codes, and that every state of it is reached by some story. */
import { describe, expect, jest, test } from '@jest/globals';
import { FAILURES, HaError } from '../../core/failures/failures.ts';
import { PAIR } from '../lambdas/definitions.ts';
import { ASL, type Invocation } from '../lambdas/virtual-workflow.ts';
import { createWorld, type World } from '../lambdas/world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

function collect(value: unknown, key: string): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  const here = Object.entries(value).flatMap(([name, inner]) => (name === key ? [inner as unknown] : []));
  return [...here, ...Object.values(value).flatMap((inner) => collect(inner, key))];
}

const STATES = collect(ASL, 'States').flatMap((states) =>
  Object.entries(states as Record<string, Record<string, unknown>>),
);

describe('the file', () => {
  test('matches only on failure codes, Lambda.* and States.* names', () => {
    const names = collect(ASL, 'ErrorEquals').flat() as string[];
    expect(names.length).toBeGreaterThan(0);
    for (const name of names)
      expect(name in FAILURES || /^(Lambda|States)\.[A-Za-z]+$/.test(name) ? '' : name).toBe('');
  });

  test('retries every failure whose table entry says so, and no other', () => {
    const toRetry = Object.entries(FAILURES).flatMap(([code, { retry }]) => (retry === 'backoff' ? [code] : []));
    for (const [name, state] of STATES.filter(([, { Type }]) => Type === 'Task')) {
      const codes = (collect(state['Retry'], 'ErrorEquals').flat() as string[]).filter((code) => code in FAILURES);
      // Somebody else was faster: from new facts the step decides anew.
      expect({ name, codes: codes.toSorted() }).toEqual({
        name,
        codes: expect.arrayContaining(['conflict', 'store_throttled', 'store_unavailable', 'timed_out']) as unknown,
      });
      expect(codes.filter((code) => code !== 'conflict' && !toRetry.includes(code))).toEqual([]);
    }
  });

  test('every task has a time-out above the 20 s of a long poll, a retry for a handler that was killed, and a way out of every failure', () => {
    for (const [name, state] of STATES.filter(([, { Type }]) => Type === 'Task')) {
      expect({ name, limit: state['TimeoutSeconds'] }).toEqual({ name, limit: 60 });
      expect(collect(state['Retry'], 'ErrorEquals').flat()).toEqual(
        expect.arrayContaining(['Lambda.Unknown', 'States.Timeout']),
      );
      expect(collect(state['Catch'], 'ErrorEquals').flat()).toEqual(['States.ALL']);
    }
  });

  test('no Wait state is a safety timer: there is none', () => {
    expect(STATES.filter(([, { Type }]) => Type === 'Wait')).toEqual([]);
  });

  test('every state says to an operator what it is', () => {
    expect(
      STATES.filter(([, state]) => !('Comment' in state) && state['Type'] !== 'Succeed' && state['Type'] !== 'Fail'),
    ).toEqual([]);
  });
});

describe('every state is reached', () => {
  const visited = new Set<string>();
  const settled = async (): Promise<World> => {
    const world = await createWorld({ yaml: PAIR });
    await world.whole();
    await world.run(2_500);
    return world;
  };
  const keep = (world: World): void => {
    for (const state of world.workflow.visited) visited.add(state);
  };
  const failing = (world: World, isBad: (task: Invocation) => boolean): void => {
    world.invoke = async (task) => {
      if (isBad(task)) throw new HaError('store_unavailable', 'scripted');
      return world.call(task);
    };
  };
  const ended = (world: World): Promise<number> =>
    world.until('no run is left', () => world.workflow.running.length === 0, 300_000);

  test('a host dies and its slot fails to start on the first choice', async () => {
    const world = await settled();
    const owner = world.owner('db/0') ?? '';
    world.host(owner === 'h1' ? 'h2' : 'h1').script.onStart = () => 'failed';
    world.host(owner).die();
    await world.until('it is held', () => world.slot('db/0').phase === 'Held');
    keep(world);
    for (const state of ['Fence', 'Await proof', 'Stop', 'Plan', 'Place', 'Await started', 'Take back', 'Close']) {
      expect(world.workflow.visited).toContain(state);
    }
  });

  test('an investigator that cannot be asked says nothing, and the run goes on (S8)', async () => {
    const world = await settled();
    failing(world, ({ state }) => state.startsWith('Ask '));
    const owner = world.owner('db/0') ?? '';
    world.host(owner).die();
    await world.until('it runs elsewhere', () => world.isActive('db/0') && world.owner('db/0') !== owner, 120_000);
    for (const name of ['heartbeat', 'registry', 'EC2', 'guard', 'probe'])
      expect(world.workflow.visited).toContain(`No word from ${name}`);
    keep(world);
  });

  test('it renews in time; a second run for it is a duplicate', async () => {
    const world = await settled();
    const owner = world.owner('db/0') ?? '';
    world.host(owner).isCut = true;
    await world.until('a run waits', () => world.workflow.running.length > 0);
    const { input } = world.workflow.execution(world.workflow.running[0] ?? '') ?? {};
    await world.ports.workflow.start('again', input as object);
    await world.run(1_000);
    world.host(owner).isCut = false;
    await ended(world);
    expect(world.workflow.visited).toContain('Duplicate: close');
    expect(world.workflow.visited).toContain('Alive: close');
    keep(world);
  });

  test.each([
    ['a host that is not defined', { cluster: 'pair', host: 'h9', session: 's', seq: 0 }],
    ['an epoch that has passed', { cluster: 'pair', verb: 'place', group: 'db', slot: 0, epoch: 0, to: null }],
    ['a slot that does not exist', { cluster: 'pair', verb: 'place', group: 'db', slot: 7, epoch: 0, to: null }],
  ])('work about %s is gone', async (_, input) => {
    const world = await settled();
    const groups = JSON.stringify(world.groups);
    await world.ports.workflow.start('gone', input);
    await ended(world);
    expect(world.workflow.execution('gone')?.status).toBe('SUCCEEDED');
    expect(world.workflow.visited).toContain('Gone: close');
    expect(JSON.stringify(world.groups)).toBe(groups);
    keep(world);
  });

  test('a run that cannot be opened fails and leaves nothing; the next attempt does the work', async () => {
    const world = await settled();
    const owner = world.owner('db/0') ?? '';
    let first: string | null = null;
    failing(world, ({ state, run }) => {
      if (state === 'Open') first ??= run;
      return state === 'Open' && run === first;
    });
    world.host(owner).die();
    await world.until('it runs elsewhere', () => world.isActive('db/0') && world.owner('db/0') !== owner, 120_000);
    expect(world.workflow.execution(first ?? '')).toMatchObject({ status: 'FAILED', failure: { error: 'conflict' } });
    expect(world.workflow.visited).toContain('Not opened');
    keep(world);
  });

  test('a run that cannot be closed fails, and reconcile closes it', async () => {
    const world = await settled();
    const owner = world.owner('db/0') ?? '';
    failing(world, ({ state }) => state === 'Close');
    world.host(owner).die();
    await world.until('the run is closed', () => world.runs.some(({ outcome }) => outcome === 'Error'), 120_000);
    expect(world.workflow.visited).toContain('Not closed');
    await world.until('the claim is given back', () => world.hostRecord(owner)?.claim === null);
    expect(world.isActive('db/0')).toBe(true);
    keep(world);
  });

  test('a place step that keeps failing: the run says what stands, and reconcile places the slot', async () => {
    const world = await settled();
    const owner = world.owner('db/0') ?? '';
    failing(world, ({ state, run }) => state === 'Place' && run.startsWith('ha.'));
    world.host(owner).die();
    await world.until('it runs elsewhere', () => world.isActive('db/0') && world.owner('db/0') !== owner, 120_000);
    expect(world.workflow.visited).toContain('Slot failed');
    expect(world.runs.filter(({ work }) => work === 'HA').map(({ outcome }) => outcome)).toEqual(['Held']);
    expect(world.runs.filter(({ work }) => work === 'Place').at(-1)?.outcome).toBe('Placed');
    expect(world.alerts.pages.length).toBeGreaterThan(0);
    keep(world);
  });

  test.each(['Verdict', 'Fence', 'Await proof', 'Stop', 'Plan'])(
    '%s keeps failing: held, a person is called, nothing is started; later it is made good',
    async (bad) => {
      const world = await settled();
      const owner = world.owner('db/0') ?? '';
      let isBroken = true;
      failing(world, ({ state }) => isBroken && state === bad);
      world.host(owner).die();
      await world.until('it is held', () => world.runs.some(({ phase }) => phase === 'Held'), 120_000);
      expect(world.workflow.visited).toContain('Hold');
      expect(world.alerts.pages.length).toBeGreaterThan(0);
      expect(world.slot('db/0').epoch).toBe(1);
      isBroken = false;
      await world.until('it runs elsewhere', () => world.isActive('db/0') && world.owner('db/0') !== owner, 180_000);
      keep(world);
    },
  );

  test('together these stories visit all states of the file', () => {
    expect([...visited].toSorted()).toEqual(STATES.map(([name]) => name).toSorted());
  });
});
