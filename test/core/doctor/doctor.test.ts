import { describe, expect, test } from '@jest/globals';
import type { FenceMethod } from '../../../core/config/model.ts';
import { doctorChecks } from '../../../core/doctor/doctor.ts';
import type { DoctorFacts } from '../../../core/doctor/facts.ts';
import type { PowerReading } from '../../../core/ports.ts';
import type { Heartbeat, HostRecord } from '../../../core/protocol/records.ts';
import type { DoctorCheck } from '../../../core/protocol/views.ts';
import { wallInstant } from '../../../core/time/time.ts';
import { fenceTest } from './fence-tests.ts';
import { definition, group, host, NOW, ownedBy, record, slot, type GroupSketch } from '../placement/fixtures.ts';

const DAY = 86_400_000;
const now = wallInstant(10 * DAY);
const ago = (ms: number) => wallInstant(10 * DAY - ms);

/** Three hosts, all well; `ledger` on h1 with a standby, acknowledged candidates everywhere. */
function hostRecord(name: string, change: Partial<HostRecord> = {}): HostRecord {
  return {
    host: name,
    principal: `p-${name}`,
    status: 'Up',
    statusSinceMs: NOW,
    why: '',
    admin: 'enabled',
    adminReason: '',
    claim: null,
    seen: null,
    tombstoneAtMs: null,
    ...change,
  };
}

function item(name: string, change: Partial<Heartbeat> = {}): Heartbeat {
  const timing = {
    intervalMs: 1_000,
    holderLeaseMs: 10_000,
    takerWaitMs: 12_000,
    killMs: 500,
    writeLifeMs: 500,
    freezeMs: 500,
    clockRateError: 0.001,
  };
  return {
    principal: `p-${name}`,
    cluster: 'c',
    host: name,
    session: `s-${name}`,
    machine: `i-${name}`,
    bootId: 'b',
    launchTime: '2026-01-01T00:00:00Z',
    guardLevel: 'init',
    rules: 1,
    timing,
    agentVersion: '0.1.0',
    incarnation: 'x',
    mayHold: false,
    obeyed: 1,
    slots: [],
    lists: { 'ledger/0': 4 },
    sentAtWallMs: now - 400,
    seq: 7,
    directive: 1,
    ttl: 0,
    ...change,
  };
}

const NAMES = ['h1', 'h2', 'h3'];

interface Sketch {
  readonly hosts?: Readonly<Record<string, Partial<HostRecord>>>;
  /** null: no item. */
  readonly items?: Readonly<Record<string, Partial<Heartbeat> | null>>;
  readonly fencing?: readonly (readonly FenceMethod[])[];
  readonly instanceId?: boolean;
  readonly group?: GroupSketch & { readonly accepts?: readonly ('lease-over' | 'power-off')[] };
  readonly slot?: Parameters<typeof slot>[1];
  readonly facts?: Partial<DoctorFacts>;
}

function facts(sketch: Sketch = {}): DoctorFacts {
  const { accepts, ...groupSketch } = sketch.group ?? {};
  const ledger = { ...group('ledger', groupSketch), accepts: accepts ?? (['lease-over'] as const) };
  const base = definition(
    [ledger],
    NAMES.map((name) => host(name)),
  );
  const hosts = base.hosts.map((one) => {
    const id = sketch.instanceId === true ? { instanceId: `i-${one.name}` } : {};
    return { ...one, ...id, fencing: sketch.fencing ?? [['lease' as const]] };
  });
  const items = NAMES.flatMap((name) => {
    const change = sketch.items?.[name];
    return change === null ? [] : [[`p-${name}`, item(name, change)] as const];
  });
  const lists = [{ no: 4, hosts: NAMES }];
  return {
    record: {
      cluster: 'c',
      rev: 1,
      incarnation: 'x',
      haEnabled: true,
      account: { partition: 'aws', region: 'r', id: '1' },
    },
    definition: { ...base, hosts },
    hosts: NAMES.map((name) => hostRecord(name, sketch.hosts?.[name])),
    groups: [record('ledger', [slot(0, { ...ownedBy('h1'), lists, ...sketch.slot })], ['h2'])],
    heartbeats: new Map(items),
    lastSweepMs: ago(800),
    troubles: [],
    power: new Map(),
    powerUnasked: [],
    fenceFunction: null,
    fenceTests: new Map(NAMES.map((name) => [name, fenceTest(name)])),
    nowMs: now,
    ...sketch.facts,
  };
}

const found = (given: DoctorFacts): readonly DoctorCheck[] =>
  doctorChecks(given).filter(({ verdict }) => verdict !== 'ok');

const brief = (given: DoctorFacts): readonly string[] =>
  found(given).map(({ id, verdict, subject }) => `${verdict} ${id} ${subject}`);

const IDS = [
  'ha-switch',
  'observer',
  'page',
  'host-up',
  'admin-state',
  'guard-level',
  'power-identity',
  'power-reach',
  'fence-test',
  'fence-rights',
  'stop-protection',
  'scaling-group',
  'auto-recovery',
  'slow-stop',
  'egress',
  'guard-path',
  'accepted-evidence',
  'slot-held',
  'sole-candidate',
  'list-acknowledged',
  'capacity',
  'agent-versions',
  'clock-offset',
];

test('a cluster that is well: every check says what it looked at', () => {
  const checks = doctorChecks(facts());
  expect(checks.map(({ id }) => id)).toEqual(IDS);
  expect(checks.every(({ verdict, change }) => verdict === 'ok' && change === null)).toBe(true);
});

describe('the cluster', () => {
  test('HA is switched off', () => {
    const { record: cluster } = facts();
    expect(brief(facts({ facts: { record: { ...cluster, haEnabled: false } } }))).toEqual(['fail ha-switch c']);
  });

  test.each([
    ['just missed a few', ago(7_900), []],
    ['silent for longer than five periods, the clocks and a start', ago(8_100), ['fail observer c']],
    ['never ran', null, ['fail observer c']],
    ['a clock that runs ahead', ago(-3_000), []],
  ])('the observer: %s', (_, lastSweepMs, expected) => {
    expect(brief(facts({ facts: { lastSweepMs } }))).toEqual(expected);
  });

  test('a page that is outstanding, and trouble that nobody was told of yet', () => {
    const trouble = { subject: 'h2', sinceMs: ago(60_000), why: 'its assignment cannot be written', isTold: true };
    const fresh = { ...trouble, subject: 'h3', isTold: false };
    const given = facts({ facts: { troubles: [trouble, fresh] } });
    expect(brief(given)).toEqual(['fail page h2', 'warn page h3']);
    expect(found(given)[0]?.says).toBe(
      'a person was called and it is not over (for 60 s): its assignment cannot be written',
    );
  });

  test('mixed versions of agents', () => {
    const given = facts({ items: { h3: { agentVersion: '0.2.0' } } });
    expect(brief(given)).toEqual(['warn agent-versions c']);
    expect(found(given)[0]?.says).toBe('agents of 2 versions run: 0.1.0 on h1, h2, 0.2.0 on h3');
  });
});

describe('hosts', () => {
  test.each<[string, Sketch, readonly string[]]>([
    ['never heard of', { hosts: { h3: { status: 'Connecting' } }, items: { h3: null } }, ['fail host-up h3']],
    ['down', { hosts: { h3: { status: 'Down', why: 'its lease ran out' } } }, ['fail host-up h3']],
    ['on its way', { hosts: { h3: { status: 'Investigating' } } }, ['warn host-up h3']],
    ['locked for long', { hosts: { h3: { admin: 'locked', adminSinceMs: ago(DAY + 1) } } }, ['warn admin-state h3']],
    ['locked for a day', { hosts: { h3: { admin: 'locked', adminSinceMs: ago(DAY) } } }, []],
    ['disabled, nobody knows since when', { hosts: { h3: { admin: 'disabled' } } }, ['warn admin-state h3']],
    ['without a guard level, lease only', { items: { h3: { guardLevel: 'none' } } }, ['fail guard-level h3']],
    ['of unknown rules', { items: { h3: { rules: 2 } } }, ['fail guard-level h3']],
    ['a clock ahead', { items: { h3: { sentAtWallMs: now + 5_001 } } }, ['warn clock-offset h3']],
    ['a clock behind', { items: { h3: { sentAtWallMs: now - 6_901 } } }, ['warn clock-offset h3']],
    ['a beat that is only old', { items: { h3: { sentAtWallMs: now - 6_800 } } }, []],
  ])('%s', (_, sketch, expected) => {
    expect(brief(facts(sketch))).toEqual(expected);
  });

  test('each says what to do', () => {
    const since = ago(3 * DAY);
    const given = facts({ hosts: { h3: { admin: 'locked', adminReason: 'bad memory', adminSinceMs: since } } });
    expect(found(given)).toEqual([
      {
        id: 'admin-state',
        verdict: 'warn',
        subject: 'h3',
        says: 'it has been locked for 3 days (bad memory): nothing fails over to it',
        change: 'when the work is done: holdfast unlock h3',
      },
    ]);
  });
});

describe('fencing', () => {
  const powered: Sketch = { fencing: [['ec2'], ['lease']], instanceId: true };
  const reading: PowerReading = {
    state: 'running',
    principal: 'p-h3',
    launchTime: '2026-01-01T00:00:00.000Z',
    canHibernate: false,
    checks: 'ok',
    impairedSince: null,
    says: '',
  };
  const withPower = (change: Partial<PowerReading>): DoctorFacts =>
    facts({ ...powered, facts: { power: new Map([['h3', { ...reading, ...change }]]) } });

  test('ec2 without an instance', () => {
    expect(brief(facts({ fencing: [['ec2']] }))).toEqual([
      'fail power-identity h1',
      'fail power-identity h2',
      'fail power-identity h3',
    ]);
  });

  test.each<[string, Sketch, readonly string[]]>([
    ['power-off alone, no power fence', { group: { accepts: ['power-off'] } }, ['fail accepted-evidence ledger']],
    ['power-off alone, power fence', { ...powered, group: { accepts: ['power-off'] } }, []],
    ['nothing at all', { ...powered, group: { accepts: [] } }, ['fail accepted-evidence ledger']],
    ['both', { group: { accepts: ['power-off', 'lease-over'] } }, []],
    [
      'no guard level, but a power fence',
      { ...powered, items: { h3: { guardLevel: 'none' } } },
      ['warn guard-level h3'],
    ],
  ])('a group that accepts %s', (_, sketch, expected) => {
    expect(brief(facts(sketch))).toEqual(expected);
  });

  test.each<[string, Partial<PowerReading>, readonly string[]]>([
    ['as it should be, the same moment spelt otherwise', {}, []],
    ['unknown', { state: 'unknown', says: 'throttled' }, ['fail power-reach h3']],
    ['hibernation', { canHibernate: true }, ['fail power-reach h3']],
    ['another machine', { principal: 'p-h9' }, ['fail power-reach h3']],
    ['stopped, although it beats', { state: 'stopped' }, ['fail power-reach h3']],
    ['another start', { launchTime: '2026-01-01T00:00:01.000Z' }, ['fail power-reach h3']],
    ['a status check is impaired', { checks: 'impaired' }, ['warn power-reach h3']],
    ['nothing said about principal and start', { principal: null, launchTime: null }, []],
  ])('a power reading: %s', (_, change, expected) => {
    expect(brief(withPower(change))).toEqual(expected);
  });

  test('a silent host whose machine is off: that it is not up says all', () => {
    const off: Sketch = { ...powered, facts: { power: new Map([['h3', { ...reading, state: 'stopped' }]]) } };
    const down = brief(facts({ ...off, hosts: { h3: { status: 'Down' } } }));
    expect(down).toContain('fail host-up h3');
    expect(down).not.toContain('fail power-reach h3');
  });

  test('hosts whose power was not read are named', () => {
    expect(brief(facts({ ...powered, facts: { powerUnasked: ['h1'] } }))).toEqual(['warn power-reach c']);
  });
});

describe('groups', () => {
  test.each<[string, Sketch, readonly string[]]>([
    [
      'held',
      { slot: { owner: null, phase: 'Held', why: 'no host is left', sinceMs: ago(1_000) } },
      ['fail slot-held ledger/0'],
    ],
    ['failed', { slot: { phase: 'Failed', why: 'it does not start' } }, ['fail slot-held ledger/0']],
    ['list not acknowledged, cannot hold', { items: { h1: { lists: {} } } }, ['warn list-acknowledged ledger/0']],
    [
      'list not acknowledged, may hold: nobody could take over',
      { items: { h1: { lists: { 'ledger/0': 3 }, mayHold: true } } },
      ['fail list-acknowledged ledger/0', 'fail capacity h1'],
    ],
    ['an owner that is another session now is not asked', { items: { h1: { session: 's-new', lists: {} } } }, []],
    [
      'a sole candidate',
      { hosts: { h2: { admin: 'locked', adminSinceMs: now }, h3: { admin: 'disabled', adminSinceMs: now } } },
      ['fail sole-candidate ledger', 'fail capacity h1'],
    ],
    [
      'a sole candidate by definition',
      { group: { placement: { require: { disk: 'ssd' } } } },
      ['fail sole-candidate ledger', 'fail capacity h1'],
    ],
    [
      'two hosts left, of which one is apart by a failed start: counted, but without a place',
      { hosts: { h3: { admin: 'locked', adminSinceMs: now } }, slot: { failedOn: [{ host: 'h2', atMs: ago(1) }] } },
      ['fail capacity h1'],
    ],
  ])('%s', (_, sketch, expected) => {
    expect(brief(facts(sketch))).toEqual(expected);
  });

  test('says what would have no place, and what to try', () => {
    const given = facts({
      hosts: { h2: { admin: 'locked', adminSinceMs: now }, h3: { admin: 'disabled', adminSinceMs: now } },
    });
    const [sole, capacity] = found(given);
    expect(sole).toMatchObject({
      says: 'h1 is the only host that can run it now: nothing takes over if that fails',
      change: 'bring back h2, h3 (Up, enabled)',
    });
    expect(capacity?.says).toContain('if it died now, ledger/0 would have no place: no host can take ledger/0 now');
    expect(capacity?.change).toContain('holdfast simulate --add NAME --down h1');
  });

  test('a group that is active everywhere loses nothing with one host, and everything with its last', () => {
    const everywhere = { model: 'n', active: 3, exclusive: false } as const;
    const slots = NAMES.map((name, no) => slot(no, ownedBy(name)));
    const given = facts({ group: { redundancy: everywhere } });
    expect(brief({ ...given, groups: [record('ledger', slots)] })).toEqual([]);
    const alone = facts({ group: { redundancy: { ...everywhere, active: 1 } } });
    const dead = { h2: { status: 'Down' }, h3: { status: 'Down' } } as const;
    expect(
      brief({ ...facts({ group: { redundancy: { ...everywhere, active: 1 } }, hosts: dead }), groups: alone.groups }),
    ).toEqual(['fail host-up h2', 'fail host-up h3', 'fail sole-candidate ledger', 'fail capacity h1']);
  });
});
