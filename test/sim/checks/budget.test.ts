import { describe, expect, test } from '@jest/globals';
import { resolveTiming } from '../../../core/config/timing.ts';
import { keys } from '../../../core/protocol/records.ts';
import { definitionOf, FakeWorld, hostDefinition, SCENE, wall } from './fake-world.ts';

const I7 = (world: FakeWorld): readonly string[] => world.violations('I7');
const NAMES = Array.from({ length: 14 }, (_, index) => `h${index + 1}`);
const HOST = SCENE.hosts[0];

/** `zones` of hosts, in turn; every host has renewed at 0. */
function fleet(size: number, zones: readonly string[] = ['a', 'b', 'c', 'd']): FakeWorld {
  const names = NAMES.slice(0, size);
  const hosts = names.map((name, index) => hostDefinition(name, { zone: zones[index % zones.length] }));
  const scene = { hosts: names.flatMap((name) => (HOST === undefined ? [] : [{ ...HOST, name }])) };
  const world = new FakeWorld(definitionOf({ hosts }), scene).at(0);
  for (const name of names) world.beat(name).host(name);
  return world;
}

interface Payment {
  readonly host: string;
  readonly atMs: number;
  readonly zone?: string;
}

function pay(world: FakeWorld, payments: readonly Payment[]): FakeWorld {
  const spent = payments.map(({ host, atMs, zone = 'a' }) => ({
    host,
    session: `s-${host}`,
    zone,
    run: 'r',
    atMs: wall(atMs),
  }));
  return world.write(keys.budget('c'), { spent, storm: null, held: [] });
}

function stop(world: FakeWorld, host: string): FakeWorld {
  return world.tell({ type: 'power_call', machine: `i-${host}`, host, call: 'stop', by: 'ha-fence' });
}

/** All others renew. */
function stopAlone(world: FakeWorld, host: string): FakeWorld {
  for (const { name } of world.scene.hosts) if (name !== host) world.beat(name);
  return stop(world, host);
}

describe('I7: the budget', () => {
  test('one stop, paid for right before', () => {
    expect(I7(stopAlone(pay(fleet(4).at(20_000), [{ host: 'h1', atMs: 20_000 }]).at(20_500), 'h1'))).toEqual([]);
  });

  test('a stop that nobody paid for, or paid for another host, or long ago', () => {
    expect(I7(stopAlone(fleet(4).at(20_000), 'h1'))).toEqual([
      'at 20.000 s ha-fence stopped h1 (i-h1) without having paid for it (S14): no entry of the brake names it',
    ]);
    expect(I7(stopAlone(pay(fleet(4).at(20_000), [{ host: 'h2', atMs: 20_000 }]), 'h1'))).toHaveLength(1);
    expect(I7(stopAlone(pay(fleet(4).at(20_000), [{ host: 'h1', atMs: 20_000 }]).at(201_000), 'h1'))).toHaveLength(1);
  });

  test('of a machine that is off, and by the order of an operator, nothing is paid', () => {
    expect(I7(stopAlone(fleet(4).at(20_000).machine('h1', 'off').at(20_001), 'h1'))).toEqual([]);
    const order = { session: 's-h1', by: 'anna', atMs: wall(0) };
    expect(I7(stopAlone(fleet(4).at(20_000).host('h1', { fenceOrder: order }), 'h1'))).toEqual([]);
    expect(
      I7(
        stopAlone(
          fleet(4)
            .at(20_000)
            .host('h1', { fenceOrder: { ...order, session: 's-h2' } }),
          'h1',
        ),
      ),
    ).toHaveLength(1);
  });

  test('it went off in the instant of the call', () => {
    expect(I7(stopAlone(fleet(4).at(20_000).machine('h1', 'off'), 'h1'))).toHaveLength(1);
  });

  test('a start is no stop', () => {
    expect(I7(fleet(4).tell({ type: 'power_call', machine: 'i-h1', host: 'h1', call: 'start', by: 'x' }))).toEqual([]);
  });

  test('ten hosts within a window of fast; the eleventh is one too many, and comes when it has slid', () => {
    const ten = NAMES.slice(0, 10).map((host, at) => ({ host, atMs: at, zone: `z${at % 4}` }));
    expect(I7(pay(fleet(14).at(100), ten))).toEqual([]);
    expect(I7(pay(fleet(14).at(100), [...ten, { host: 'h11', atMs: 59_999, zone: 'z9' }]))[0]).toContain('at most 10');
    const slid = pay(fleet(14).at(100), ten);
    expect(I7(pay(slid, [{ host: 'h11', atMs: 60_000, zone: 'z9' }]))).toEqual([]);
  });

  test('payments that the record has dropped count all the same', () => {
    const world = fleet(2, ['a', 'b']).at(100);
    pay(world, [{ host: 'h1', atMs: 0, zone: 'a' }]);
    expect(I7(pay(world, [{ host: 'h2', atMs: 1_000, zone: 'b' }]))[0]).toContain(
      '2 hosts within 60000 ms (h1, h2), at most 1',
    );
  });

  test('the same host and session pays once, however often it is let through', () => {
    const world = fleet(2, ['a', 'b']).at(100);
    for (const atMs of [0, 1_000, 2_000]) pay(world, [{ host: 'h1', atMs, zone: 'a' }]);
    expect(I7(world)).toEqual([]);
  });

  test('a zone is never fenced whole; one of a single host may be', () => {
    const both = [
      { host: 'h1', atMs: 0 },
      { host: 'h3', atMs: 1 },
    ];
    expect(I7(pay(fleet(4, ['a', 'b']).at(100), both))[0]).toContain('2 hosts of zone a');
    expect(I7(pay(fleet(6, ['a', 'b']).at(100), both))).toEqual([]);
    expect(I7(pay(fleet(4, ['a', 'b', 'c', 'd']).at(100), [{ host: 'h1', atMs: 0 }]))).toEqual([]);
  });
});

describe('I7: a storm', () => {
  /** Of five hosts these fell silent at 30 s; a stop of h1, paid for, at `at`. */
  function silent(
    names: readonly string[],
    at = 50_000,
    before = (world: FakeWorld): FakeWorld => world,
  ): readonly string[] {
    const world = fleet(5).at(30_000);
    for (const name of NAMES.slice(0, 5)) world.beat(name);
    world.at(at - 100);
    for (const name of NAMES.slice(0, 5)) if (!names.includes(name)) world.beat(name);
    return I7(stop(pay(before(world), [{ host: 'h1', atMs: at }]).at(at), 'h1'));
  }

  test('two of five are none, three of five are one', () => {
    expect(silent(['h1', 'h2'])).toEqual([]);
    expect(silent(['h1', 'h2', 'h3'])).toEqual([
      'at 50.000 s ha-fence stopped h1 (i-h1) on mere suspicion in a storm: 3 of 5 hosts have fallen silent within 60000 ms (h1, h2, h3)',
    ]);
  });

  test('silent for less than a look takes, or for longer than the window', () => {
    expect(silent(['h1', 'h2', 'h3'], 33_000)).toEqual([]);
    expect(silent(['h1', 'h2', 'h3'], 90_000)).toEqual([]);
    expect(silent(['h1', 'h2', 'h3'], 89_000)).toHaveLength(1);
  });

  test('hosts that are Down or Fenced already leave the count', () => {
    expect(silent(['h1', 'h2', 'h3'], 50_000, (world) => world.host('h3', { status: 'Down' }))).toEqual([]);
  });

  test('a function that was frozen, or deceived by a stale scan, acts on what it saw before', () => {
    for (const kind of ['lambda_frozen', 'stale_scan'] as const) {
      const tell = (world: FakeWorld): FakeWorld =>
        world.tell({ type: 'fault', kind, subject: '', now: 'begins', says: '' });
      expect(silent(['h1', 'h2', 'h3'], 50_000, tell)).toEqual([]);
    }
  });

  test('of two hosts one is no storm; exactly half is none', () => {
    const pair = fleet(2, ['a', 'b']).at(30_000).beat('h1').at(49_900).beat('h2');
    expect(I7(stop(pay(pair, [{ host: 'h1', atMs: 50_000 }]).at(50_000), 'h1'))).toEqual([]);
    const four = fleet(4).at(30_000).beat('h1').beat('h2').at(49_900).beat('h3').beat('h4');
    expect(I7(stop(pay(four, [{ host: 'h1', atMs: 50_000 }]).at(50_000), 'h1'))).toEqual([]);
  });

  test('demo: its window is too short for a storm beyond doubt, and its budget is its own', () => {
    const world = new FakeWorld(definitionOf({ timing: resolveTiming({ profile: 'demo' }) })).at(0);
    for (const host of ['h1', 'h2', 'h3']) world.beat(host).host(host);
    world.at(4_900).beat('h3');
    expect(I7(stop(pay(world, [{ host: 'h1', atMs: 5_000 }]).at(5_000), 'h1'))).toEqual([]);
  });
});
