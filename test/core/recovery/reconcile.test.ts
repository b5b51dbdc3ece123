import { describe, expect, test } from '@jest/globals';
import {
  haRunName,
  plannedRunName,
  reconcile,
  type ReconcileAction,
  type ReconcileFacts,
  retryPauseMs,
} from '../../../core/recovery/reconcile.ts';
import type { GroupDefinition } from '../../../core/config/model.ts';
import type { GroupRecord, Heartbeat, HostRecord, SlotReport, SlotRecord } from '../../../core/protocol/records.ts';
import { type WallInstant, wallInstant } from '../../../core/time/time.ts';
import { definition, evidenceAbout, group, host, ownedBy, record, slot } from '../placement/fixtures.ts';
import { item } from './fixtures.ts';

const NOW = wallInstant(1_000_000);
const ago = (ms: number): WallInstant => wallInstant(1_000_000 - ms);
const LIST = [{ no: 3, hosts: ['h1', 'h2'] }];

function hostRecord(name: string, claim: HostRecord['claim'] = null): HostRecord {
  return {
    host: name,
    principal: `p-${name}`,
    status: 'Up',
    statusSinceMs: ago(60_000),
    why: '',
    admin: 'enabled',
    adminReason: '',
    claim,
    seen: null,
    tombstoneAtMs: null,
  };
}

/** h1 runs db/0 in epoch 1 and says so; h2 stands by. */
function facts(
  slotFacts: Partial<SlotRecord> = {},
  changes: Partial<ReconcileFacts> & {
    readonly says?: Partial<SlotReport> | null;
    readonly beat?: Partial<Heartbeat>;
    readonly groups?: readonly GroupRecord[];
    readonly specs?: readonly GroupDefinition[];
  } = {},
): ReconcileFacts {
  const { says, beat, specs, ...rest } = changes;
  const hosts = [host('h1'), host('h2')];
  const own: SlotReport = { group: 'db', slot: 0, epoch: 1, phase: 'Active', health: 'ok', ...says };
  const beats: Record<string, Heartbeat> = {
    h1: item('h1', 's-h1', { lists: { 'db/0': 3 }, slots: says === null ? [] : [own], ...beat }),
    h2: item('h2', 's-h2'),
  };
  return {
    cluster: 'c',
    definition: definition(specs ?? [group('db')], hosts),
    haEnabled: true,
    hosts: [hostRecord('h1'), hostRecord('h2')],
    hostFacts: hosts,
    groups: [record('db', [slot(0, { ...ownedBy('h1'), sinceMs: ago(1_000), lists: LIST, ...slotFacts })], ['h2'])],
    heartbeatOf: (name) => beats[name],
    unprobed: () => [],
    nowMs: NOW,
    ...rest,
  };
}

const NO_HOSTS = { hostFacts: [host('h1', { session: null }), host('h2', { session: null })] };
const NOBODY = 'no host can take db/0 now: h1: it has no live session; h2: it has no live session';
const OFTEN = 'it was moved 3 times within 1 min and is left alone until that window slides';

const gone = { evidence: evidenceAbout('h1'), phase: 'Stopped' } as const;
const verbs = (actions: readonly ReconcileAction[]): readonly string[] =>
  actions.map((action) => (action.do === 'start_planned' ? action.verb : action.do));

describe('I6: no fault, no action', () => {
  test('a healthy cluster', () => {
    expect(reconcile(facts())).toEqual([]);
  });

  test.each<[string, ReconcileFacts]>([
    ['its owner has not got round to reporting', facts({ phase: 'Starting' }, { says: null })],
    ['its owner reports another epoch', facts({ phase: 'Starting' }, { says: { epoch: 9 } })],
    ['a heartbeat cannot be read: unknown is not dead (S8)', facts({}, { heartbeatOf: () => undefined })],
    ['a run works on the slot', facts({ phase: 'Stopping', claim: 'run-1' }, { says: { phase: 'Failed' } })],
    ['a slot without owner is being placed', facts({ ...gone, claim: 'run-1' })],
    [
      'a run works on the host that owned it',
      facts(gone, { hosts: [hostRecord('h1', { run: 'ha-1', session: 's-h1', atMs: NOW })] }),
    ],
    ['high availability is switched off: nothing is placed', facts(gone, { haEnabled: false })],
    ['high availability is switched off: nothing is moved', facts({}, { says: { phase: 'Failed' }, haEnabled: false })],
    ['nobody could take it, and it says so', facts({ ...gone, phase: 'Held', why: NOBODY }, NO_HOSTS)],
    [
      'it was moved too often, and says so',
      facts({ ...gone, phase: 'Held', why: `db/0 is not started: ${OFTEN}`, movesMs: [ago(50_000), ago(2), ago(1)] }),
    ],
  ])('%s', (_, given) => {
    expect(verbs(reconcile(given)).filter((verb) => verb !== 'candidates' && verb !== 'standbys')).toEqual([]);
  });

  test('a pass that runs twice says the same twice', () => {
    const given = facts(gone);
    expect(reconcile(given)).toEqual(reconcile(given));
  });
});

describe('what nobody runs and nobody can take is held, for a reason that holds now (I11)', () => {
  const web = group('web', { redundancy: { model: 'n', active: 2, exclusive: false } });
  const held = (given: ReconcileFacts): readonly ReconcileAction[] =>
    reconcile(given).filter((action) => action.do === 'hold');

  test('it was not held yet', () => {
    expect(held(facts(gone, NO_HOSTS))).toEqual([{ do: 'hold', group: 'db', slot: 0, why: NOBODY, isShort: true }]);
  });

  test('it was held for another reason', () => {
    const phase = 'Held' as const;
    expect(held(facts({ ...gone, phase, why: 'it failed to start on 3 hosts' }, NO_HOSTS))).toHaveLength(1);
  });

  test('only a duration differs: the same reason', () => {
    const failedOn = [
      { host: 'h1', atMs: ago(20_000) },
      { host: 'h2', atMs: ago(20_000) },
    ];
    const why =
      'no host can take db/0 now: h1: a start failed there: db/0, 59 s of the window left; h2: a start failed there: db/0, 58 s of the window left';
    expect(held(facts({ ...gone, failedOn, phase: 'Held', why }))).toEqual([]);
    expect(held(facts({ ...gone, failedOn }))).toMatchObject([{ isShort: false }]);
  });

  test('a slot that its group can spare says that it waits', () => {
    const free = slot(1, { ...ownedBy('h2'), evidence: evidenceAbout('h2'), phase: 'Held' });
    const given = (why: string): ReconcileFacts =>
      facts(
        {},
        {
          specs: [web],
          groups: [record('web', [slot(0, { ...ownedBy('h1'), lists: LIST }), { ...free, why }])],
          hostFacts: [host('h1'), host('h2', { session: null })],
        },
      );
    const why = 'no host can take web/1 now: h1: it owns another slot of web; h2: it has no live session';
    expect(held(given(why))).toEqual([{ do: 'hold', group: 'web', slot: 1, why, isShort: true }]);
    expect(held(given(`waits for a host: ${why}`))).toEqual([]);
  });

  test('a slot moved too often is neither placed nor forgotten; as the window slides it is placed (S15)', () => {
    const moved = { ...gone, movesMs: [ago(60_000), ago(2), ago(1)] };
    expect(verbs(reconcile(facts(moved)))).toContain('place');
    expect(verbs(reconcile(facts({ ...moved, movesMs: [ago(59_999), ago(2), ago(1)] })))).not.toContain('place');
    expect(held(facts({ ...moved, movesMs: [ago(59_999), ago(2), ago(1)] }))).toEqual([
      { do: 'hold', group: 'db', slot: 0, why: `db/0 is not started: ${OFTEN}`, isShort: false },
    ]);
  });

  test('never of a slot that was never placed, that may be running, or that is no longer defined', () => {
    expect(held(facts({ owner: null, epoch: 0, phase: 'Stopped', lists: [] }, NO_HOSTS))).toEqual([]);
    expect(held(facts({}, NO_HOSTS))).toEqual([]);
    expect(held(facts(gone, { ...NO_HOSTS, specs: [] }))).toEqual([]);
  });
});

describe('what is missing is brought about', () => {
  test('a slot whose owner is gone is placed', () => {
    expect(reconcile(facts(gone))).toContainEqual({
      do: 'start_planned',
      verb: 'place',
      group: 'db',
      slot: 0,
      epoch: 1,
      attempt: 1,
      why: 'it has no owner',
    });
  });

  test('a slot that never ran waits until every candidate has shown that nothing of it runs there (S20)', () => {
    const fresh = { owner: null, epoch: 0, phase: 'Stopped', lists: [] } as const;
    expect(verbs(reconcile(facts(fresh)))).toContain('place');
    expect(verbs(reconcile(facts(fresh, { unprobed: () => ['h2'] })))).not.toContain('place');
  });

  test.each([
    ['of another life of the host', 's-new'],
    ['that was revoked', 'revoked:run-1'],
  ])('an owner whose session gave way to one %s is looked into', (_, session) => {
    expect(reconcile(facts({}, { beat: { session } }))).toEqual([
      { do: 'start_ha', host: 'h1', session: 's-h1', why: 'session s-h1 of h1 is no longer the current one' },
    ]);
  });

  test.each(['Starting', 'Unknown', 'Failed'] as const)('an owner that reports Active makes %s Active', (phase) => {
    expect(reconcile(facts({ phase }))).toEqual([
      { do: 'active', group: 'db', slot: 0, epoch: 1, session: 's-h1', why: 'the owner reports it active' },
    ]);
  });

  test('an owner that reports an active slot stopped is given the time of a start', () => {
    expect(verbs(reconcile(facts({}, { says: { phase: 'Stopped' } })))).toEqual(['starting']);
  });

  test('what is no longer defined is stopped, and so is a slot beyond the count', () => {
    expect(reconcile(facts({}, { specs: [] }))).toContainEqual({
      do: 'start_planned',
      verb: 'stop',
      group: 'db',
      slot: 0,
      epoch: 1,
      attempt: 1,
      why: 'it is no longer defined',
    });
    const second = record('db', [
      slot(0, { ...ownedBy('h2'), lists: LIST }),
      slot(1, { ...ownedBy('h1'), lists: LIST }),
    ]);
    const actions = reconcile(facts({}, { groups: [second] }));
    expect(actions.filter((action) => action.do === 'start_planned')).toMatchObject([{ verb: 'stop', slot: 1 }]);
  });
});

describe('what failed', () => {
  test.each<[string, Partial<SlotRecord>, Partial<SlotReport>]>([
    ['failed on its host', {}, { phase: 'Failed', detail: 'exit 1' }],
    ['is held', { phase: 'Held', why: 'exit 1' }, { detail: 'exit 1' }],
    ['was left stopping', { phase: 'Stopping', why: 'exit 1' }, { detail: 'exit 1' }],
  ])('and %s is restarted elsewhere', (_, slotFacts, says) => {
    expect(reconcile(facts(slotFacts, { says }))).toContainEqual(
      expect.objectContaining({ do: 'start_planned', verb: 'restart', attempt: 1, why: 'exit 1' }),
    );
  });

  /** Services: 60 s twice to start, and 5 s for everything around them. */
  test.each([
    [125_000, []],
    [125_001, ['restart']],
  ])('a start that goes on for %d ms: %j', (sinceMs, expected) => {
    const starting = facts({ phase: 'Starting', sinceMs: ago(sinceMs) }, { says: { phase: 'Starting' } });
    expect(verbs(reconcile(starting))).toEqual(expected);
  });

  test.each([
    [1, 1_999, []],
    [1, 2_000, ['restart']],
    [3, 7_999, []],
    [3, 8_000, ['restart']],
    [30, 59_999, []],
    [30, 60_000, ['restart']],
  ])('after attempt %d and %d ms: %j', (attempt, ms, expected) => {
    const tried = facts({ attempt, sinceMs: ago(ms) }, { says: { phase: 'Failed' } });
    expect(verbs(reconcile(tried))).toEqual(expected);
    const placed = verbs(reconcile(facts({ ...gone, attempt, sinceMs: ago(ms) })));
    expect(placed.includes('place')).toBe(expected.length > 0);
  });

  test('S15: three moves within a minute are enough; then it is left alone, once, and said so; the window slides', () => {
    const movesMs = [ago(59_999), ago(30_000), ago(10)];
    const why = 'exit 1; it was moved 3 times within 1 min and is left alone until that window slides';
    const says = { phase: 'Failed', detail: 'exit 1' } as const;
    expect(reconcile(facts({ movesMs }, { says }))).toEqual([
      { do: 'failed', group: 'db', slot: 0, epoch: 1, session: 's-h1', why },
    ]);
    expect(reconcile(facts({ movesMs, phase: 'Failed', why }, { says }))).toEqual([]);
    expect(verbs(reconcile(facts({ movesMs: [ago(60_000), ago(30_000), ago(10)] }, { says })))).toEqual(['restart']);
  });

  test.each(['Stopped', 'Starting', 'Standby'] as const)(
    'what was left alone is looked at again when the window has slid, though its owner shows %s (S15)',
    (phase) => {
      const why = 'h1 did not release db/0 within 10000 ms; it was moved once within 1 min';
      const left = { phase: 'Failed', why, movesMs: [ago(60_000)] } as const;
      expect(verbs(reconcile(facts(left, { says: { phase } })))).toEqual(['restart']);
    },
  );
});

describe('lists', () => {
  test('candidates follow the live sessions; what was superseded by an acknowledged one goes', () => {
    const alone = facts({}, { hostFacts: [host('h1'), host('h2', { session: null })] });
    expect(reconcile(alone)).toContainEqual({ do: 'candidates', group: 'db', slot: 0, hosts: ['h1'], acknowledged: 3 });
    const stale = facts({ lists: [{ no: 2, hosts: ['h1'] }, ...LIST] });
    expect(reconcile(stale)).toEqual([
      { do: 'candidates', group: 'db', slot: 0, hosts: ['h1', 'h2'], acknowledged: 3 },
    ]);
  });

  test('standbys that are recorded otherwise are recorded anew', () => {
    const none = facts({}, { groups: [record('db', [slot(0, { ...ownedBy('h1'), lists: LIST })])] });
    expect(reconcile(none)).toEqual([{ do: 'standbys', group: 'db', standbys: [{ host: 'h2', session: 's-h2' }] }]);
  });
});

describe('names and pauses', () => {
  test('the same work has the same name', () => {
    const work = { cluster: 'c', verb: 'place', group: 'db', slot: 0, epoch: 4, attempt: 2 } as const;
    expect(plannedRunName(work)).toBe('place.c.db.0.e4.2');
    const failure = { host: 'h1', session: 's-h1', seq: 77 };
    expect(haRunName(failure, 1)).toBe('ha.h1.s-h1.77');
    expect(haRunName(failure, 2)).toBe('ha.h1.s-h1.77.2');
  });

  test.each([
    [0, 1_000],
    [1, 2_000],
    [5, 32_000],
    [6, 60_000],
    [5_000, 60_000],
  ])('pause after %d attempts: %d ms', (attempts, ms) => {
    expect(retryPauseMs(attempts)).toBe(ms);
  });
});
