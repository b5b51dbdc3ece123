/** Notices of EC2 and of AWS Health: what is moved, who is called, and what changes nothing. */
import { describe, expect, jest, test } from '@jest/globals';
import { HaError } from '../../core/failures/failures.ts';
import { type EventRecord, type HostRecord, keys } from '../../core/protocol/records.ts';
import type { InstanceStateResult } from '../../lambdas/instance-state/handler.ts';
import { CRON, DB, definitionOf, PAIR } from './definitions.ts';
import { createWorld, type World } from './world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

const THREE = definitionOf({ hosts: 3, groups: [DB, CRON] });
const STRANGER = 'i-0123456789abcdef0';

async function settled(yaml = THREE): Promise<World> {
  const world = await createWorld({ yaml });
  await world.whole();
  await world.run(2_000);
  return world;
}

/** As the documentation of EC2 and of AWS Health show them. */
function envelope(world: World, type: string, detail: object, options: { id?: string; agoMs?: number } = {}): object {
  const time = new Date(world.clock.wall.now() - (options.agoMs ?? 0)).toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    ...{ version: '0', id: options.id ?? '12345678-1234-1234-1234-123456789012', 'detail-type': type },
    ...{ source: type === 'AWS Health Event' ? 'aws.health' : 'aws.ec2', account: '123456789012', time },
    ...{ region: 'us-east-2', resources: [], detail },
  };
}

const spot = (world: World, machine: string, options: { id?: string; agoMs?: number; action?: string } = {}): object =>
  envelope(
    world,
    'EC2 Spot Instance Interruption Warning',
    { 'instance-id': machine, 'instance-action': options.action ?? 'terminate' },
    options,
  );

const rebalance = (world: World, machine: string): object =>
  envelope(world, 'EC2 Instance Rebalance Recommendation', { 'instance-id': machine });

const RETIREMENT_ARN =
  'arn:aws:health:us-east-2::event/EC2/AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED/AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED_90353408594353980';

function health(world: World, machines: readonly string[], detail: object = {}): object {
  return envelope(world, 'AWS Health Event', {
    eventArn: RETIREMENT_ARN,
    ...{ service: 'EC2', eventTypeCode: 'AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED', eventTypeCategory: 'scheduledChange' },
    ...{ eventScopeCode: 'ACCOUNT_SPECIFIC', communicationId: '1234abc01232a4012345678-1', statusCode: 'upcoming' },
    ...{ startTime: 'Thu, 27 Aug 2026 13:19:03 GMT', lastUpdatedTime: 'Thu, 13 Aug 2026 13:19:03 GMT' },
    eventDescription: [{ language: 'en_US', latestDescription: 'A description of the event will be provided here' }],
    affectedEntities: machines.map((entityValue) => ({ entityValue, status: 'IMPAIRED' })),
    ...{ affectedAccount: '123456789012', page: '1', totalPages: '1' },
    ...detail,
  });
}

async function send(world: World, event: object): Promise<InstanceStateResult> {
  const sent = world.instanceState(JSON.parse(JSON.stringify(event)));
  let isDone = false;
  const done = (): void => void (isDone = true);
  sent.then(done, done);
  await world.until('the event was taken', () => isDone, 60_000);
  return (await sent) as InstanceStateResult;
}

const events = (world: World, kind: string): readonly EventRecord[] =>
  [...world.tables.registry.keys()]
    .filter((pk) => pk.startsWith(`E#${world.cluster}#`))
    .flatMap((pk) => world.records<EventRecord>(pk, ''))
    .filter((event) => event.kind === kind);

/** What decides about slots; times and events left out. */
const standing = (world: World): string =>
  JSON.stringify([
    world.groups.map(({ slots }) => slots.map(({ owner, epoch, phase }) => [owner?.host, epoch, phase])),
    [...world.hosts.keys()].map((name) => [name, world.hostRecord(name)?.admin, world.hostRecord(name)?.adminReason]),
  ]);

describe('a spot instance is to be interrupted', () => {
  test('its slots move to other hosts, released first, well within the two minutes; and a person is called', async () => {
    const world = await settled();
    const from = world.owner('db/0') ?? '';
    const answer = await send(world, spot(world, world.machineOf(from)));
    const moved = (): boolean => ['db/0', 'cron/0'].every((slot) => world.isActive(slot) && world.owner(slot) !== from);
    await world.until('nothing is left there', moved, 10_000);
    expect(answer.hosts).toEqual([`pair/${from}`]);
    expect(answer.runs.length).toBeGreaterThan(0);
    expect(answer.off).toEqual([]);
    expect(world.slot('db/0').tookOverBy).toMatchObject({ kind: 'released', host: from });
    expect(world.hostRecord(from)).toMatchObject({ admin: 'maintenance' });
    expect(world.hostRecord(from)?.adminReason).toMatch(/^EC2 spot interruption \(terminate\) announced at 20/);
    expect(world.machines.stops).toEqual([]);
    expect(world.runs.some(({ work }) => work === 'HA')).toBe(false);
    expect(world.alerts.pages).toHaveLength(1);
    expect(world.alerts.pages[0]?.subject).toBe(`EC2 takes ${from} away within two minutes`);
    expect(world.alerts.pages[0]?.text).toContain(`holdfast enable ${from} --cluster pair`);
    expect(events(world, 'host.notice')).toMatchObject([{ subject: from, by: 'ec2', facts: { action: 'terminate' } }]);
    // Then it is interrupted: nothing runs there that could be lost.
    world.machines.cut(world.machineOf(from));
    await world.run(5_000);
    expect(moved()).toBe(true);
  });

  test('more than one wave of slots: the next moves do not wait for reconcile', async () => {
    const groups = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => DB.replaceAll(/\bdb\b/g, name));
    const world = await createWorld({ yaml: definitionOf({ hosts: 2, groups }), sweeps: true });
    await world.whole();
    const slots = groups.map((_, n) => `${'abcdef'[n] ?? ''}/0`);
    const from = 'h1';
    for (const slot of slots.filter((one) => world.owner(one) !== from)) {
      await world.move(slot, from);
      await world.until(`${slot} is there`, () => world.owner(slot) === from && world.isActive(slot));
    }
    await world.whole();
    // No reconcile from here on: it would only help.
    world.reconcile = () => Promise.resolve(null);
    const answer = await send(world, spot(world, world.machineOf(from)));
    expect(new Set(answer.runs).size).toBe(6);
    await world.until('all have moved', () =>
      slots.every((slot) => world.owner(slot) === 'h2' && world.isActive(slot)),
    );
  });

  test('what has no other place stays, and the call says so', async () => {
    const world = await settled(definitionOf({ hosts: 1, groups: [CRON] }));
    const sent = await send(world, spot(world, world.machineOf('h1')));
    expect(sent.runs).toEqual([]);
    expect(world.owner('cron/0')).toBe('h1');
    expect(world.isActive('cron/0')).toBe(true);
    expect(world.alerts.pages[0]?.text).toContain('cron/0 stays on h1 until there is a place for it');
  });

  test('HA is switched off: an event and a call, and nothing is touched', async () => {
    const world = await settled();
    await world.setHaEnabled(false);
    const from = world.owner('db/0') ?? '';
    const before = standing(world);
    const answer = await send(world, spot(world, world.machineOf(from)));
    await world.run(5_000);
    expect(answer.runs).toEqual([]);
    expect(standing(world)).toBe(before);
    expect(events(world, 'host.notice')).toHaveLength(1);
    expect(world.alerts.pages).toHaveLength(1);
    expect(world.alerts.pages[0]?.text).toContain('nothing is moved: HA is switched off for this cluster');
    expect(world.alerts.pages[0]?.text).toContain(`holdfast drain ${from} --cluster pair`);
  });

  test('the same event again changes nothing, also after an operator has put the host back in service', async () => {
    const world = await settled();
    const from = world.owner('db/0') ?? '';
    const event = spot(world, world.machineOf(from));
    await send(world, event);
    await world.whole();
    await world.http('POST', `/api/v1/hosts/${from}/enable`, '{}');
    await world.run(2_000);
    const before = standing(world);
    await Promise.all([send(world, event), world.run(100)]);
    await world.run(5_000);
    expect(standing(world)).toBe(before);
    expect(world.hostRecord(from)?.admin).toBe('enabled');
    expect(world.alerts.pages).toHaveLength(1);
    expect(events(world, 'host.notice')).toHaveLength(1);
  });

  test.each([
    ['hours late', { agoMs: 3 * 3_600_000 }, 'the notice came too late'],
    ['minutes late', { agoMs: 241_000 }, 'the notice came too late'],
  ])('%s: it is written down, and nobody is moved or called', async (_, options, why) => {
    const world = await settled();
    const from = world.owner('db/0') ?? '';
    const before = standing(world);
    await send(world, spot(world, world.machineOf(from), options));
    await world.run(5_000);
    expect(standing(world)).toBe(before);
    expect(world.alerts.pages).toEqual([]);
    expect(events(world, 'host.notice')).toMatchObject([{ says: expect.stringContaining(why) as unknown }]);
  });

  test('about an earlier life of an instance that was stopped and is back: nothing is moved', async () => {
    const world = await settled();
    const from = world.owner('db/0') ?? '';
    const event = spot(world, world.machineOf(from), { action: 'stop', agoMs: 1_000 });
    world.machines.cut(world.machineOf(from));
    await world.run(3_000);
    world.machines.start(world.machineOf(from));
    await world.until('it is back', () => world.hostRecord(from)?.status === 'Up');
    await world.whole();
    const before = standing(world);
    await send(world, event);
    await world.run(3_000);
    expect(standing(world)).toBe(before);
    expect(world.alerts.pages.filter(({ subject }) => subject.startsWith('EC2 takes'))).toEqual([]);
  });

  test('a host that an operator has locked keeps his reason, and its slots go on leaving', async () => {
    const world = await settled();
    const from = world.owner('db/0') ?? '';
    await world.http('POST', `/api/v1/hosts/${from}/lock`, JSON.stringify({ reason: 'mine', force: true }));
    await send(world, spot(world, world.machineOf(from)));
    await world.whole();
    expect(world.hostRecord(from)).toMatchObject({ admin: 'locked', adminReason: 'mine' });
    expect(world.owner('db/0')).not.toBe(from);
  });

  test('nobody can be called: the slots move all the same, and the event is delivered again', async () => {
    const world = await settled();
    const from = world.owner('db/0') ?? '';
    const page = world.alerts.page.bind(world.alerts);
    let isDown = true;
    Object.assign(world.alerts, {
      page: (subject: string, text: string) => {
        if (isDown) throw new HaError('store_unavailable', 'SNS');
        return page(subject, text);
      },
    });
    const event = spot(world, world.machineOf(from));
    await expect(send(world, event)).rejects.toMatchObject({ code: 'store_unavailable' });
    await world.until('db has moved', () => world.isActive('db/0') && world.owner('db/0') !== from);
    isDown = false;
    await send(world, event);
    expect(world.alerts.pages).toHaveLength(1);
  });

  test('the definition names another machine for the host: nothing is moved, for the name outlives the machine', async () => {
    const world = await settled();
    const from = world.owner('db/0') ?? '';
    const key = keys.host('pair', from);
    const stored = await world.ports.registry.get<HostRecord>(key);
    if (stored?.body.seen === undefined || stored.body.seen === null) throw new Error('no session');
    const seen = { ...stored.body.seen, machine: STRANGER };
    const principal = stored.body.principal.replace(/[^/]+$/, STRANGER);
    await world.ports.registry.put(key, { ...stored.body, principal, seen }, stored.version);
    const answer = await send(world, spot(world, STRANGER));
    expect(answer.hosts).toEqual([`pair/${from}`]);
    expect(world.hostRecord(from)?.admin).toBe('enabled');
    expect(world.alerts.pages[0]?.text).toContain(`${from} is defined as another machine by now`);
  });
});

describe('a rebalance recommendation', () => {
  test('is written down once, and nothing else', async () => {
    const world = await settled();
    const from = world.owner('db/0') ?? '';
    const before = standing(world);
    for (let n = 0; n < 3; n += 1) await send(world, rebalance(world, world.machineOf(from)));
    await world.run(5_000);
    expect(standing(world)).toBe(before);
    expect(world.alerts.pages).toEqual([]);
    expect(events(world, 'host.notice')).toMatchObject([{ subject: from, by: 'ec2' }]);
  });
});

describe('AWS Health', () => {
  test('a scheduled change calls a person once, with what, when, and the command; and moves nothing', async () => {
    const world = await settled();
    const from = world.owner('db/0') ?? '';
    const machine = world.machineOf(from);
    const before = standing(world);
    for (let n = 0; n < 2; n += 1) await send(world, health(world, [machine, STRANGER, 'us-east-2a', 'UNKNOWN']));
    // Well for long: what a person was told of a host that is well is forgotten, this is not.
    await world.run(5_000);
    await send(world, health(world, [machine], { statusCode: 'open' }));
    await send(world, health(world, [machine], { startTime: 'Fri, 28 Aug 2026 13:19:03 GMT' }));
    await world.run(2_000);
    expect(standing(world)).toBe(before);
    expect(world.alerts.pages).toHaveLength(1);
    const { subject = '', text = '' } = world.alerts.pages[0] ?? {};
    expect(subject).toBe(`AWS will act on ${from}: AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED`);
    expect(text).toContain(machine);
    expect(text).toContain('Thu, 27 Aug 2026 13:19:03 GMT');
    expect(text).toContain(`holdfast drain ${from} --cluster pair`);
    // Each state of it is in the log.
    expect(events(world, 'host.notice')).toHaveLength(3);
  });

  test.each([
    [
      'is away for a moment: the call fails, so that the event comes again, and then it is told',
      'store_unavailable',
      1,
    ],
    ['holds what nobody can read: one cluster shall not fail every event', 'config_invalid', 0],
  ] as const)('the record of the cluster %s', async (_, code, pages) => {
    const world = await settled();
    const event = health(world, [world.machineOf('h2')]);
    world.faults = (op, phase, subject) => {
      if (op === 'registry.get' && phase === 'before' && subject.startsWith('C#pair')) throw new HaError(code, 'it');
    };
    const sent = send(world, event);
    await (pages === 0
      ? expect(sent).resolves.toMatchObject({ hosts: [] })
      : expect(sent).rejects.toMatchObject({ code }));
    world.faults = () => undefined;
    if (pages > 0) await send(world, event);
    expect(world.alerts.pages).toHaveLength(pages);
  });

  test('one event about two hosts is a call about each; another event is another call', async () => {
    const world = await settled();
    await send(
      world,
      health(
        world,
        ['h1', 'h2'].map((name) => world.machineOf(name)),
      ),
    );
    expect(world.alerts.pages).toHaveLength(2);
    await send(world, health(world, [world.machineOf('h1')], { eventArn: `${RETIREMENT_ARN}2` }));
    expect(world.alerts.pages).toHaveLength(3);
  });

  test('an entity may be an ARN', async () => {
    const world = await settled();
    await send(world, health(world, [`arn:aws:ec2:us-east-2:123456789012:instance/${world.machineOf('h1')}`]));
    expect(world.alerts.pages).toHaveLength(1);
  });

  test.each([
    ['over', { statusCode: 'closed' }, 1],
    ['an issue, no scheduled change', { eventTypeCategory: 'issue', eventTypeCode: 'AWS_EC2_OPERATIONAL_ISSUE' }, 1],
    ['of another service', { service: 'RDS' }, 0],
    ['without entities', { affectedEntities: [] }, 0],
  ])('%s: nobody is called', async (_, detail, notices) => {
    const world = await settled();
    await send(world, health(world, [world.machineOf('h1')], detail));
    expect(world.alerts.pages).toEqual([]);
    expect(events(world, 'host.notice')).toHaveLength(notices);
  });
});

describe('events about machines of nobody, and what is no event', () => {
  test('write nothing at all', async () => {
    const world = await settled(PAIR);
    world.isControlDown = true; // Nothing else writes meanwhile.
    await world.run(500);
    world.isControlDown = false;
    const registry = (): string => JSON.stringify([...world.tables.registry].map(([pk, rows]) => [pk, [...rows]]));
    const before = registry();
    const sent = [spot, rebalance].map((make) => world.instanceState(make(world, STRANGER)));
    sent.push(world.instanceState(health(world, [STRANGER])));
    expect(await Promise.all(sent)).toEqual([1, 2, 3].map(() => ({ hosts: [], runs: [], off: [] })));
    expect(registry()).toBe(before);
  });

  test.each([
    ['a type that is not known', { 'detail-type': 'EC2 Fleet Spot Instance Request Change' }],
    ['no type', { 'detail-type': undefined }],
    ['no time', { time: undefined }],
    ['a machine that is none', { detail: { 'instance-id': 'h1', 'instance-action': 'stop' } }],
    ['an action that is not known', { detail: { 'instance-id': STRANGER, 'instance-action': 'tease' } }],
  ])('%s is refused', async (_, wrong) => {
    const world = await settled(PAIR);
    await expect(world.instanceState({ ...spot(world, STRANGER), ...wrong })).rejects.toMatchObject({
      code: 'config_invalid',
    });
  });
});
