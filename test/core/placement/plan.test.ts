import { describe, expect, test } from '@jest/globals';
import type { PlacementRules } from '../../../core/config/model.ts';
import { objectionTo, stillAllowed } from '../../../core/placement/allowed.ts';
import type { Filter, HostFacts, Snapshot } from '../../../core/placement/facts.ts';
import { plan } from '../../../core/placement/plan.ts';
import { standbysNow } from '../../../core/placement/standbys.ts';
import { findingInWords } from '../../../core/placement/words.ts';
import { wallInstant } from '../../../core/time/time.ts';
import { evidenceAbout, group, host, NOW, ONE_PLUS_ONE, ownedBy, record, slot, snapshot } from './fixtures.ts';

const places = (input: Snapshot) => plan(input).actions.map((a) => `${a.group}/${a.slot}@${a.host ?? 'none'}`);
const standbys = (input: Snapshot) => plan(input).standbys.map((s) => [s.hosts.map((h) => h.host).join(), s.missing]);

describe('first placement', () => {
  test('1+1: an owner and a warm standby on another host', () => {
    const input = snapshot([group('db')], [host('h2'), host('h1')], [record('db', [slot(0)])]);
    expect(plan(input).actions).toEqual([{ group: 'db', slot: 0, host: 'h1', session: 's-h1', wave: 0 }]);
    expect(plan(input).standbys).toEqual([{ group: 'db', hosts: [{ host: 'h2', session: 's-h2' }], missing: 0 }]);
  });

  test('a group without a record yet is placed like one whose slots never ran', () => {
    expect(places(snapshot([group('db')], [host('h1')]))).toEqual(['db/0@h1']);
  });

  test('2+1 on three hosts', () => {
    const web = group('web', { redundancy: { model: 'n-plus-m', active: 2, standby: 1 } });
    const input = snapshot([web], [host('h1'), host('h2'), host('h3')]);
    expect(places(input)).toEqual(['web/0@h1', 'web/1@h2']);
    expect(standbys(input)).toEqual([['h3', 0]]);
  });

  test('N: one slot per host, and none where hosts run out', () => {
    const web = group('web', { redundancy: { model: 'n', active: 3, exclusive: false } });
    const input = snapshot([web], [host('h1'), host('h2')]);
    expect(places(input)).toEqual(['web/0@h1', 'web/1@h2', 'web/2@none']);
    expect(plan(input).standbys).toEqual([]);
  });

  test('a standby that no host can be is counted as missing', () => {
    expect(standbys(snapshot([group('db')], [host('h1')]))).toEqual([['', 1]]);
  });
});

describe('what needs an owner', () => {
  test('an owner that may still run the slot is left alone, even on a host that is down and locked', () => {
    const hosts = [host('h1', { status: 'Down', session: null, admin: 'locked' }), host('h2')];
    expect(places(snapshot([group('db')], hosts, [record('db', [slot(0, ownedBy('h1'))])]))).toEqual([]);
  });

  test('with evidence about the owner the slot goes to the warm standby, before the preferred and the last host', () => {
    const db = group('db', { placement: { prefer: [{ host: 'h1', weight: 100 }] } });
    const lost = slot(0, { ...ownedBy('h1'), evidence: evidenceAbout('h1') });
    const input = snapshot([db], [host('h1'), host('h2'), host('h3')], [record('db', [lost], ['h3'])]);
    expect(places(input)).toEqual(['db/0@h3']);
    expect(standbys(input)).toEqual([['h1', 0]]);
  });

  test('a standby of an earlier session is not warm', () => {
    const lost = slot(0, { ...ownedBy('h1'), evidence: evidenceAbout('h1') });
    const hosts = [host('h1', { session: null, status: 'Down' }), host('h2'), host('h3', { session: 'newer' })];
    expect(places(snapshot([group('db')], hosts, [record('db', [lost], ['h3'])]))).toEqual(['db/0@h2']);
  });
});

describe('filters, in order', () => {
  const lost = (takers: readonly string[] | null = null) =>
    slot(0, { ...ownedBy('h9'), evidence: evidenceAbout('h9', takers) });
  const cases: readonly [Filter, string, Snapshot][] = [
    ['admin', 'enable the host', snapshot([group('db')], [host('h1', { admin: 'locked', status: 'Down' })])],
    ['status', 'it is Behind, not Up', snapshot([group('db')], [host('h1', { status: 'Behind' })])],
    ['status', 'no live session', snapshot([group('db')], [host('h1', { session: null })])],
    [
      'labels',
      'the label storage=ssd is missing',
      snapshot(
        [group('db', { placement: { require: { storage: 'ssd' } } })],
        [host('h1', { labels: { storage: 'hdd' } })],
      ),
    ],
    [
      'capacity',
      'it needs 3 cpu, 2 left',
      snapshot(
        [group('db', { cpu: 3 }), group('old', { cpu: 2, redundancy: { model: 'n', active: 1, exclusive: true } })],
        [host('h1', { capacity: { cpu: 4 } })],
        [record('old', [slot(0, ownedBy('h1'))])],
      ),
    ],
    [
      'failed-there',
      '41 s of the window left',
      snapshot(
        [group('db')],
        [host('h1')],
        [record('db', [slot(0, { failedOn: [{ host: 'h1', atMs: wallInstant(NOW - 19_000) }] })])],
      ),
    ],
    ['takers', 'S11', snapshot([group('db')], [host('h1')], [record('db', [lost(['h9'])])])],
    [
      'same-group',
      'it owns another slot of db',
      snapshot(
        [group('db', { redundancy: { model: 'n-plus-m', active: 2, standby: 0 } })],
        [host('h1')],
        [record('db', [slot(0), slot(1, ownedBy('h1'))])],
      ),
    ],
    [
      'apart',
      'db and report must be apart',
      snapshot(
        [group('db'), group('report', { placement: { apart: ['db'] } })],
        [host('h1')],
        [record('report', [slot(0, ownedBy('h1'))])],
      ),
    ],
    [
      'together',
      'its aggregate is on h9',
      snapshot(
        [group('db', { placement: { together: ['vip'] } }), group('vip')],
        [host('h1')],
        [record('vip', [slot(0, ownedBy('h9'))])],
      ),
    ],
  ];
  test.each(cases)('%s: %s', (filter, words, input) => {
    const result = plan(input);
    expect(result.actions.find((action) => action.group === 'db')?.host).toBeNull();
    const shown = result.explanations.find((explanation) => explanation.group === 'db');
    const finding = shown?.hosts.find((candidate) => candidate.host === 'h1');
    expect(finding).toMatchObject({ outcome: 'dropped', filter });
    expect(finding === undefined ? '' : findingInWords(finding)).toContain(words);
    expect(shown?.says).toMatch(/^no host can take db\/0.* now: .*h1: /);
  });

  test('a failure counts until its window has passed, and not longer', () => {
    const failedAt = (agoMs: number) =>
      snapshot(
        [group('db')],
        [host('h1')],
        [record('db', [slot(0, { failedOn: [{ host: 'h1', atMs: wallInstant(NOW - agoMs) }] })])],
      );
    expect(places(failedAt(59_999))).toEqual(['db/0@none']);
    expect(places(failedAt(60_000))).toEqual(['db/0@h1']);
  });

  test('capacity that only one side states limits nothing', () => {
    expect(places(snapshot([group('db', { cpu: 8 })], [host('h1', { capacity: { memoryMb: 1 } })]))).toEqual([
      'db/0@h1',
    ]);
    expect(places(snapshot([group('db')], [host('h1', { capacity: { cpu: 0 } })]))).toEqual(['db/0@h1']);
  });

  test('a bound slot chooses before a free one, which would have taken its only host', () => {
    const web = group('web', { redundancy: { model: 'n-plus-m', active: 2, standby: 0 } });
    const bound = slot(1, { ...ownedBy('h9'), evidence: evidenceAbout('h9', ['h1', 'h9']) });
    const input = snapshot([web], [host('h1'), host('h2')], [record('web', [slot(0), bound])]);
    expect(places(input)).toEqual(['web/0@h2', 'web/1@h1']);
  });
});

describe('scores', () => {
  const free = { redundancy: { model: 'n', active: 1, exclusive: true } } as const;
  test('preference before stickiness, stickiness before spread and balance', () => {
    const lost = record('db', [slot(0, { ...ownedBy('h2'), evidence: evidenceAbout('h2') })]);
    const busy = record('x', [slot(0, ownedBy('h2'))]);
    const hosts = [host('h1'), host('h2'), host('h3')];
    const preferring = group('db', { ...free, placement: { prefer: [{ host: 'h3', weight: 1 }] } });
    expect(places(snapshot([preferring, group('x', free)], hosts, [lost, busy]))).toEqual(['db/0@h3']);
    expect(places(snapshot([group('db', free), group('x', free)], hosts, [lost, busy]))).toEqual(['db/0@h2']);
  });

  test('spread by zone or by label, before balance', () => {
    const two = { model: 'n', active: 2, exclusive: false } as const;
    const hosts: HostFacts[] = [
      host('h1', { zone: 'a', labels: { rack: 'r1' } }),
      host('h2', { zone: 'a', labels: { rack: 'r2' } }),
      host('h3', { zone: 'b', labels: { rack: 'r1' } }),
    ];
    const busy = [record('x', [slot(0, ownedBy('h3'))]), record('y', [slot(0, ownedBy('h2')), slot(1, ownedBy('h2'))])];
    const by = (spread: string) =>
      places(snapshot([group('web', { redundancy: two, placement: { spread } })], hosts, busy));
    expect(by('zone')).toEqual(['web/0@h1', 'web/1@h3']);
    expect(by('rack')).toEqual(['web/0@h1', 'web/1@h2']);
  });

  test('balance, then the name, and the explanation says which decided', () => {
    const busy = record('x', [slot(0, ownedBy('h1'))]);
    const { actions, explanations } = plan(snapshot([group('db', free)], [host('h3'), host('h2'), host('h1')], [busy]));
    expect(actions.map((action) => action.host)).toEqual(['h2']);
    expect(explanations[0]?.hosts.map(findingInWords)).toEqual([
      'h1: possible, but the other owns fewer slots (owns 1)',
      'h2: taken (owns nothing)',
      'h3: possible, but equal in everything, so the name decides (owns nothing)',
    ]);
    expect(explanations[0]?.says).toBe('db/0 goes to h2: owns nothing');
  });
});

describe('aggregates, standbys and waves', () => {
  test('groups tied by together go to one host that suits all of them', () => {
    const db = group('db', { placement: { together: ['vip'], require: { disk: 'y' } } });
    const vip = group('vip', { placement: { prefer: [{ host: 'h1', weight: 9 }] } });
    const hosts = [host('h1'), host('h2', { labels: { disk: 'y' } }), host('h3', { labels: { disk: 'y' } })];
    const input = snapshot([db, vip], hosts);
    expect(plan(input).actions.map((a) => [a.group, a.host, a.wave])).toEqual([
      ['vip', 'h2', 0],
      ['db', 'h2', 1],
    ]);
    expect(plan(input).explanations[0]?.says).toBe('db/0 (with vip) goes to h2: owns nothing');
    // vip alone would stand by on h1, which it prefers; it follows db.
    expect(standbys(input)).toEqual([
      ['h3', 0],
      ['h3', 0],
    ]);
  });

  test('an aggregate waits as a whole while one of its slots may still run', () => {
    const db = group('db', { placement: { together: ['vip'] } });
    const records = [
      record('db', [slot(0, { ...ownedBy('h1'), evidence: evidenceAbout('h1') })]),
      record('vip', [slot(0, ownedBy('h1'))]),
    ];
    const down = [host('h1', { status: 'Fencing', session: null }), host('h2')];
    expect(places(snapshot([db, group('vip')], down, records))).toEqual(['db/0@none']);
    expect(places(snapshot([db, group('vip')], [host('h1'), host('h2')], records))).toEqual(['db/0@h1']);
  });

  test('current standbys stay, whatever the names say', () => {
    const input = snapshot(
      [group('db')],
      [host('h1'), host('h2'), host('h3')],
      [record('db', [slot(0, ownedBy('h2'))], ['h3'])],
    );
    expect(standbys(input)).toEqual([['h3', 0]]);
  });

  test('lower priority numbers start, and choose, earlier', () => {
    const groups = [
      group('late', { priority: 20, cpu: 2 }),
      group('early', { priority: 5, cpu: 2 }),
      group('same', { priority: 20, redundancy: ONE_PLUS_ONE }),
    ];
    expect(plan(snapshot(groups, [host('h1', { capacity: { cpu: 3 } })])).actions).toMatchObject([
      { group: 'early', host: 'h1', wave: 0 },
      { group: 'late', host: null, wave: 1 },
      { group: 'same', host: 'h1', wave: 1 },
    ]);
  });

  test('groups that name each other start in one wave', () => {
    const groups = [
      group('a', { placement: { together: ['b'] } }),
      group('b', { placement: { together: ['a'] } }),
      group('c', { placement: { together: ['a'] } }),
    ];
    expect(plan(snapshot(groups, [host('h1')])).actions.map((a) => `${a.group}${a.wave}`)).toEqual(['a0', 'b0', 'c0']);
  });
});

test('1,000 groups on 1,000 hosts', () => {
  const hosts = Array.from({ length: 1_000 }, (_, i) => host(`h${i}`, { zone: `z${i % 3}` }));
  const groups = Array.from({ length: 1_000 }, (_, i) => group(`g${i}`, { placement: { spread: 'zone' } }));
  const input = snapshot(groups, hosts);
  const { actions, standbys: chosen, explanations } = plan(input, { explain: (name) => name === 'g7' });
  // Balance puts exactly one on each.
  expect(new Set(actions.map((action) => action.host)).size).toBe(1_000);
  expect(chosen.every((choice) => choice.missing === 0)).toBe(true);
  expect(explanations.map((explanation) => explanation.hosts.length)).toEqual([1_000]);
});

describe('wishes and what gives way', () => {
  const free = { redundancy: { model: 'n', active: 1, exclusive: true } } as const;
  const lost = (name: string) => record(name, [slot(0, { ...ownedBy('h9'), evidence: evidenceAbout('h9') })]);
  const wishing = (wish: PlacementRules['prefer'][number]) => group('db', { ...free, placement: { prefer: [wish] } });

  test('a wish for a label, weighed against one for a host', () => {
    const hosts = [host('h1'), host('h2', { labels: { rack: 'r2' } }), host('h3', { labels: { rack: 'r2' } })];
    const label = { labels: { rack: 'r2' }, weight: 10 };
    expect(places(snapshot([wishing(label)], hosts))).toEqual(['db/0@h2']);
    const both = (weight: number) =>
      places(snapshot([group('db', { ...free, placement: { prefer: [label, { host: 'h1', weight }] } })], hosts));
    expect(both(9)).toEqual(['db/0@h2']);
    expect(both(11)).toEqual(['db/0@h1']);
  });

  test('a wish to be apart from or together with another group bends where apart and together would not', () => {
    const there = record('web', [slot(0, ownedBy('h1'))]);
    const on = (names: readonly string[], wish: PlacementRules['prefer'][number]) =>
      places(
        snapshot(
          [wishing(wish), group('web', free)],
          names.map((name) => host(name)),
          [there],
        ),
      );
    expect(on(['h1', 'h2'], { apart: 'web', weight: 1 })).toEqual(['db/0@h2']);
    expect(on(['h1'], { apart: 'web', weight: 1 })).toEqual(['db/0@h1']);
    expect(on(['h1', 'h2'], { together: 'web', weight: 1 })).toEqual(['db/0@h1']);
    expect(on(['h2'], { together: 'web', weight: 1 })).toEqual(['db/0@h2']);
  });

  test('haTag counts after a failure only, and gives way when no host carries it', () => {
    const db = group('db', { ...free, placement: { haTag: 'spare=yes' } });
    const spare = host('h2', { labels: { spare: 'yes' } });
    expect(places(snapshot([db], [host('h1'), spare]))).toEqual(['db/0@h1']);
    expect(places(snapshot([db], [host('h1'), spare], [lost('db')]))).toEqual(['db/0@h2']);
    const without = plan(snapshot([db], [host('h1')], [lost('db')]));
    expect(without.actions[0]?.host).toBe('h1');
    expect(without.explanations[0]).toMatchObject({ relaxed: ['ha-tag'] });
    expect(without.explanations[0]?.says).toBe('db/0 goes to h1: owns nothing; no host with its haTag could take it');
  });

  test('capacity gives way last, after a failure, and only for a group that says so', () => {
    const small = host('h1', { capacity: { cpu: 1 } });
    const needy = (overcommit?: boolean) =>
      group('db', {
        ...free,
        cpu: 2,
        placement: { haTag: 'spare=yes', ...(overcommit === undefined ? {} : { overcommit }) },
      });
    expect(places(snapshot([needy()], [small], [lost('db')]))).toEqual(['db/0@none']);
    expect(places(snapshot([needy(true)], [small]))).toEqual(['db/0@none']);
    expect(plan(snapshot([needy(true)], [small], [lost('db')])).explanations[0]).toMatchObject({
      host: 'h1',
      relaxed: ['ha-tag', 'capacity'],
    });
  });
});

describe('a choice of a moment ago', () => {
  const two = [group('db', { cpu: 2, placement: { apart: ['web'] } }), group('web', { cpu: 2 })];
  const at = { group: 'db', slot: 0, host: 'h1' };
  test('stands while nothing has changed', () => {
    expect(stillAllowed(snapshot(two, [host('h1')]), at)).toBe(true);
  });
  test('falls when a group that must be apart has come, or has taken the room, or the slot has an owner', () => {
    const web = record('web', [slot(0, ownedBy('h1'))]);
    expect(objectionTo(snapshot(two, [host('h1')], [web]), at)).toMatchObject({ filter: 'apart' });
    const full = snapshot(
      [group('db', { cpu: 2 }), group('web', { cpu: 2 })],
      [host('h1', { capacity: { cpu: 3 } })],
      [web],
    );
    expect(objectionTo(full, at)).toMatchObject({ filter: 'capacity' });
    expect(stillAllowed(full, { ...at, mayOvercommit: true })).toBe(true);
    expect(stillAllowed(snapshot(two, [host('h1')], [record('db', [slot(0, ownedBy('h2'))])]), at)).toBe(false);
  });
});

describe('standbys on record', () => {
  const lost = slot(0, { ...ownedBy('h1'), evidence: evidenceAbout('h1') });
  test('stay while a slot of the group is on its way to one of them, as far as they live', () => {
    const hosts = [host('h2'), host('h3')];
    const stored = record('db', [lost], ['h2', 'h9']);
    expect(standbysNow(stored, plan(snapshot([group('db')], hosts, [stored])), hosts)).toEqual([
      { host: 'h2', session: 's-h2' },
    ]);
  });
  test('are chosen anew once no slot waits for a host that can take it', () => {
    const hosts = [host('h2'), host('h3')];
    const stored = record('db', [slot(0, ownedBy('h2'))], ['h2']);
    expect(standbysNow(stored, plan(snapshot([group('db')], hosts, [stored])), hosts)).toEqual([
      { host: 'h3', session: 's-h3' },
    ]);
  });
});
