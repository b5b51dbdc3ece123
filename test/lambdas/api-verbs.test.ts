import { describe, expect, jest, test } from '@jest/globals';
import { type HostRecord, keys } from '../../core/protocol/records.ts';
import type { EventsView, HostVerb, HostVerbRequest, PlanView, StatusView } from '../../core/protocol/views.ts';
import { CRON, DB, definitionOf, PAIR } from './definitions.ts';
import { createWorld, type World } from './world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

async function settled(yaml: string): Promise<World> {
  const world = await createWorld({ yaml });
  await world.whole();
  await world.run(2_000);
  return world;
}

interface Answer extends PlanView {
  readonly status: number;
  readonly detail?: string;
  readonly problems?: readonly { readonly path: string }[];
}

async function verb(world: World, host: string, what: HostVerb, request: HostVerbRequest = {}): Promise<Answer> {
  const answer = await world.http('POST', `/api/v1/hosts/${host}/${what}`, JSON.stringify(request));
  return { ...(JSON.parse(answer.body) as PlanView), status: answer.statusCode };
}

async function view(world: World, host: string): Promise<StatusView['hosts'][number] | undefined> {
  const status = JSON.parse((await world.http('GET', '/api/v1/status')).body) as StatusView;
  return status.hosts.find(({ name }) => name === host);
}

const spare = (owner: string): readonly string[] => ['h1', 'h2', 'h3'].filter((name) => name !== owner);

describe('taking a host out of service', () => {
  test('maintenance: its slot moves away by the run that is named, and the host says that it is drained', async () => {
    const world = await settled(definitionOf({ hosts: 3, groups: [DB] }));
    const from = world.owner('db/0') ?? '';
    const answer = await verb(world, from, 'maintenance', { reason: 'new disk' });
    expect(answer).toMatchObject({ status: 200, objections: [] });
    expect(answer.runs).toHaveLength(1);
    expect((await view(world, from))?.why).toContain('maintenance (new disk): draining, db/0 still here');
    await world.until('it moved', () => world.isActive('db/0') && world.owner('db/0') !== from);
    await world.whole();
    expect(world.slot('db/0').tookOverBy).toMatchObject({ kind: 'released', host: from, run: answer.runs[0] });
    expect(await view(world, from)).toMatchObject({ admin: 'maintenance', adminReason: 'new disk' });
    expect((await view(world, from))?.why).toContain('maintenance (new disk): drained, it runs nothing');
    await world.run(5_000);
    expect(spare(from)).toContain(world.owner('db/0'));
  });

  test('what the API left undone, reconcile does: the record is all there is of a drain', async () => {
    const world = await settled(definitionOf({ hosts: 3, groups: [DB, CRON] }));
    const from = world.owner('db/0') ?? '';
    const key = keys.host(world.cluster, from);
    const stored = await world.ports.registry.get<HostRecord>(key);
    if (stored === undefined) throw new Error('no host');
    await world.ports.registry.put(key, { ...stored.body, admin: 'maintenance', adminReason: 'x' }, stored.version);
    await world.until('nothing is left there', () =>
      ['db/0', 'cron/0'].every((slot) => world.isActive(slot) && world.owner(slot) !== from),
    );
    await world.whole();
  });

  test('the record says since when the host is out of service; another reason does not change that', async () => {
    const world = await settled(definitionOf({ hosts: 3, groups: [DB] }));
    const [first = ''] = spare(world.owner('db/0') ?? '');
    const since = () => world.hostRecord(first)?.adminSinceMs;
    expect(since()).toBeUndefined();
    const nowMs = world.ports.wall.now();
    await verb(world, first, 'disable', { reason: 'odd noises' });
    expect(since()).toBe(nowMs);
    await world.run(3_000);
    await verb(world, first, 'disable', { reason: 'very odd noises' });
    expect(world.hostRecord(first)).toMatchObject({ adminReason: 'very odd noises', adminSinceMs: nowMs });
    await verb(world, first, 'enable');
    expect(world.hostRecord(first)).toMatchObject({ admin: 'enabled', adminSinceMs: nowMs + 3_000 });
  });

  test('disable: what runs there stays, and nothing new comes', async () => {
    const world = await settled(definitionOf({ hosts: 3, groups: [DB] }));
    const from = world.owner('db/0') ?? '';
    const [first = '', second = ''] = spare(from);
    expect((await verb(world, first, 'disable', { reason: 'odd noises' })).status).toBe(200);
    expect((await verb(world, from, 'disable', { reason: 'odd noises' })).runs).toEqual([]);
    await world.run(5_000);
    expect(world.owner('db/0')).toBe(from);
    await world.move('db/0');
    await world.until('it moved', () => world.isActive('db/0') && world.owner('db/0') !== from);
    expect(world.owner('db/0')).toBe(second);
  });

  test('a host that dies in maintenance with a slot on it is recovered from like any other', async () => {
    const world = await settled(PAIR);
    const from = world.owner('db/0') ?? '';
    const other = from === 'h1' ? 'h2' : 'h1';
    await verb(world, other, 'disable', { reason: 'busy' });
    expect((await verb(world, from, 'maintenance', { reason: 'disk', force: true })).status).toBe(200);
    await world.run(3_000);
    expect(world.owner('db/0')).toBe(from);
    expect(world.truth.runners('db/0')).toEqual([from]);
    await verb(world, other, 'enable');
    world.host(from).die();
    await world.until('it was taken over', () => world.isActive('db/0') && world.owner('db/0') === other);
  });

  test('the only one for a slot: refused with the reason, changed nothing; a dry run tells the same', async () => {
    const world = await settled(PAIR);
    const from = world.owner('db/0') ?? '';
    const other = from === 'h1' ? 'h2' : 'h1';
    await verb(world, other, 'disable', { reason: 'busy' });
    const dump = world.dump();
    for (const what of ['lock', 'drain', 'maintenance'] as const) {
      const refused = await verb(world, from, what, { reason: 'disk' });
      expect(refused.status).toBe(409);
      expect(refused.detail).toContain(`${from} is the only one that can run db/0`);
      const dry = await verb(world, from, what, { reason: 'disk', dryRun: true });
      expect(dry).toMatchObject({ status: 200, runs: [] });
      expect(dry.objections[0]).toContain('the only one');
    }
    expect(world.dump()).toBe(dump);
  });

  test('the last standby: only a lock asks about it', async () => {
    const world = await settled(PAIR);
    const standby = world.owner('db/0') === 'h1' ? 'h2' : 'h1';
    const refused = await verb(world, standby, 'lock', { reason: 'disk' });
    expect(refused).toMatchObject({ status: 409 });
    expect(refused.detail).toContain(`${standby} is the last standby of db`);
    expect((await verb(world, standby, 'lock', { reason: 'disk', force: true })).status).toBe(200);
    expect((await verb(world, standby, 'enable')).detail).toContain('is locked (disk): unlock it');
    expect((await verb(world, standby, 'unlock')).status).toBe(200);
    expect((await view(world, standby))?.admin).toBe('enabled');
  });

  test('a verb repeated finds nothing to do and writes nothing', async () => {
    const world = await settled(PAIR);
    const standby = world.owner('db/0') === 'h1' ? 'h2' : 'h1';
    await verb(world, standby, 'drain');
    const dump = world.dump();
    const again = await verb(world, standby, 'drain');
    expect(again.plan).toEqual([`${standby} is maintenance already and runs nothing: there is nothing to do`]);
    expect(again.runs).toEqual([]);
    expect(world.dump()).toBe(dump);
  });

  test('who did it and why is an event', async () => {
    const world = await settled(PAIR);
    await verb(world, 'h1', 'disable', { reason: 'odd noises' });
    const { events } = JSON.parse((await world.http('GET', '/api/v1/events?limit=1')).body) as EventsView;
    expect(events[0]).toMatchObject({ kind: 'operator.disable', subject: 'h1', by: 'operator' });
    expect(events[0]?.says).toContain('odd noises');
  });

  test.each([
    ['disable', {}, 'reason'],
    ['lock', { reason: '  ' }, 'reason'],
    ['maintenance', {}, 'reason'],
    ['fence', {}, 'confirm'],
    ['fence', { confirm: 'h2' }, 'confirm'],
  ] as const)('%s with %j lacks its %s', async (what, request, path) => {
    const world = await settled(PAIR);
    const dump = world.dump();
    const refused = await verb(world, 'h1', what, request);
    expect(refused.status).toBe(400);
    expect(refused.problems?.map((problem) => problem.path)).toEqual([path]);
    expect(world.dump()).toBe(dump);
  });

  test('a host that is not there', async () => {
    const world = await settled(PAIR);
    expect(await verb(world, 'h9', 'drain')).toMatchObject({
      status: 404,
      detail: 'there is no host h9; there are h1, h2',
    });
  });
});

describe('the kill switch', () => {
  const turn = async (world: World, request: object): Promise<PlanView> =>
    JSON.parse((await world.http('POST', '/api/v1/switch', JSON.stringify(request))).body) as PlanView;

  test('off, a drain waits; on, it goes on', async () => {
    const world = await settled(definitionOf({ hosts: 3, groups: [DB, CRON] }));
    await turn(world, { haEnabled: false, reason: 'night work' });
    expect((await turn(world, { haEnabled: false })).plan[0]).toContain('off already');
    const from = world.owner('db/0') ?? '';
    const key = keys.host(world.cluster, from);
    const stored = await world.ports.registry.get<HostRecord>(key);
    if (stored === undefined) throw new Error('no host');
    await world.ports.registry.put(key, { ...stored.body, admin: 'locked' }, stored.version);
    await world.run(5_000);
    expect(world.owner('db/0')).toBe(from);
    await turn(world, { haEnabled: true });
    await world.until('it moved', () => world.isActive('db/0') && world.owner('db/0') !== from);
  });
});
