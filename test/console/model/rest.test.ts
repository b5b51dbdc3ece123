import { describe, expect, test } from '@jest/globals';
import { diagnosis, subjectPlace } from '../../../console/model/doctor.ts';
import { byDay, findEvents, isAbout, kindsIn, kindWord } from '../../../console/model/events.ts';
import { CONTROL_FAULTS, hostFaults, serviceFaults, undoFor } from '../../../console/model/faults.ts';
import { routeOf, to } from '../../../console/model/routes.ts';
import { evidenceWords, hostMeaning, runMeaning, slotMeaning } from '../../../console/model/tones.ts';
import { verbsFor } from '../../../console/model/verbs.ts';
import { changeWords, effectOf, forecast, healthChanges, hostAdded } from '../../../console/model/what-if.ts';
import { count, listed, offset, sentence, span } from '../../../console/model/words.ts';
import type { DoctorCheck, EventView, SimulateView } from '../../../core/protocol/views.ts';
import { parseFault } from '../../../local/fleet/faults.ts';

describe('words', () => {
  test.each([
    [-5, '0.0 s'],
    [400, '0.4 s'],
    [9_940, '9.9 s'],
    [9_950, '10 s'],
    [59_400, '59 s'],
    [59_600, '1 min'],
    [185_000, '3 min 5 s'],
    [3_600_000, '1 h'],
    [7_800_000, '2 h 10 min'],
    [356_400_000, '4 d 3 h'],
  ])('%i ms is %s', (ms, words) => {
    expect(span(ms)).toBe(words);
  });

  test.each([
    [[], 'none'],
    [['a'], 'a'],
    [['a', 'b'], 'a and b'],
    [['a', 'b', 'c', 'd', 'e', 'f'], 'a, b, c, d and 2 more'],
  ])('%p is listed as %s', (names, words) => {
    expect(listed(names)).toBe(words);
  });

  test.each([
    ['', ''],
    ['it runs', 'It runs.'],
    ['h1 is behind', 'h1 is behind.'],
    ['ledger/0 goes to h2', 'ledger/0 goes to h2.'],
    ['lease-over: it stood', 'lease-over: it stood.'],
    ['Done!', 'Done!'],
  ])('%p as a sentence: names stay as they are written', (text, as) => {
    expect(sentence(text)).toBe(as);
  });

  test('counts and offsets', () => {
    expect([count(1, 'host'), count(0, 'host'), count(2, 'standby', 'standbys')]).toEqual([
      '1 host',
      '0 hosts',
      '2 standbys',
    ]);
    expect([offset(620), offset(-50)]).toEqual(['+0.62 s', '−0.05 s']);
  });
});

describe('addresses', () => {
  test.each([
    ['', { at: 'overview' }],
    ['#/', { at: 'overview' }],
    ['#/runs', { at: 'runs' }],
    [to.run('ha.h1.s.4 2/x'), { at: 'run', run: 'ha.h1.s.4 2/x' }],
    [to.host('ä/b'), { at: 'host', host: 'ä/b' }],
    [to.group('db'), { at: 'group', group: 'db', slot: null }],
    [to.group('db', 3), { at: 'group', group: 'db', slot: 3 }],
    ['#/groups/db/x', { at: 'group', group: 'db', slot: null }],
    [to.events('a&b'), { at: 'events', about: 'a&b' }],
    [to.whatIf('h1'), { at: 'what-if', down: 'h1' }],
    [to.doctor(), { at: 'doctor' }],
    ['#/%E0%A4', { at: 'nowhere', hash: '#/%E0%A4' }],
    ['#/runs/a/b', { at: 'nowhere', hash: '#/runs/a/b' }],
  ])('%s', (hash, route) => {
    expect(routeOf(hash)).toEqual(route);
  });
});

test('a word of a newer control plane is shown as it is', () => {
  const strange = JSON.parse('"Hibernating"') as never;
  expect(hostMeaning(strange)).toEqual({ tone: 'quiet', word: 'Hibernating', says: '' });
  expect(slotMeaning(strange).word).toBe('Hibernating');
  expect(runMeaning({ phase: strange, outcome: 'toString', summary: '' }).word).toBe('Hibernating');
  expect(evidenceWords(strange)).toBe('Hibernating');
});

describe('events', () => {
  const event = (id: string, more: Partial<EventView>): EventView => ({
    id,
    atMs: Date.UTC(2026, 0, 1, 12),
    kind: 'host.status',
    subject: 'h1',
    says: 'h1 is Up',
    run: null,
    by: 'h1',
    ...more,
  });
  const events = [
    event('1', {}),
    event('2', { kind: 'slot.owner', subject: 'db/0', says: 'db/0 goes to h2' }),
    event('3', { subject: 'h10' }),
  ];

  test('newest first, by words and by kind', () => {
    const ids = (text: string, kind: string) => findEvents(events, { text, kind }).map(({ id }) => id);
    expect(ids('', '')).toEqual(['3', '2', '1']);
    expect(ids('GOES TO', '')).toEqual(['2']);
    expect(ids('', 'New owner')).toEqual(['2']);
    expect(kindsIn(events)).toEqual(['Host status', 'New owner']);
  });

  test('a day at a time; what is about h1 is not about h10', () => {
    expect(byDay(events)).toHaveLength(1);
    expect(events.filter((one) => isAbout(one, 'h1')).map(({ id }) => id)).toEqual(['1']);
    expect(events.filter((one) => isAbout(one, 'db')).map(({ id }) => id)).toEqual(['2']);
  });

  test.each([
    ['operator.anything', 'Operator'],
    ['host.fence', 'Host fence'],
    ['slot.active', 'Active'],
  ])('%s is %s', (kind, word) => {
    expect(kindWord(kind)).toBe(word);
  });
});

describe('breaking things', () => {
  const at = { host: 'h1', group: 'db', slot: 0, service: 'store' };
  const all = [...hostFaults('h1'), ...serviceFaults(at), ...CONTROL_FAULTS];

  test.each(
    all
      .flatMap(({ fault, undo }) => (undo === null ? [fault] : [fault, undo.fault]))
      .map((fault) => [fault.fault, fault]),
  )('the local runtime knows %s', (_, fault) => {
    expect(parseFault(fault)).toEqual(fault);
  });

  test.each([
    [{ host: 'h1', power: 'stopped', isCut: true }, 'power-on'],
    [{ host: 'h1', power: 'running', isCut: true }, 'heal'],
    [{ host: 'h1', power: 'running', isCut: false }, undefined],
  ])('the way back of %p', (instance, fault) => {
    expect(undoFor(instance)?.fault.fault).toBe(fault);
  });
});

test.each([
  ['enabled', ['drain', 'maintenance', 'lock', 'disable', 'fence']],
  ['locked', ['drain', 'maintenance', 'disable', 'unlock', 'fence']],
  ['disabled', ['drain', 'maintenance', 'lock', 'enable', 'fence']],
  ['maintenance', ['lock', 'disable', 'enable', 'fence']],
] as const)('a host that is %s offers what would change something', (admin, verbs) => {
  expect(verbsFor({ admin }).map(({ verb }) => verb)).toEqual(verbs);
});

describe('what if', () => {
  test('empty fields say nothing about a host', () => {
    expect(hostAdded({ name: ' h4 ', zone: ' ', cpu: '', memoryMb: 'x' })).toEqual({
      change: 'host-added',
      host: { name: 'h4' },
    });
    const full = hostAdded({ name: 'h4', zone: 'd', cpu: '2.5', memoryMb: '4096' });
    expect(full).toEqual({
      change: 'host-added',
      host: { name: 'h4', zone: 'd', capacity: { cpu: 2.5, memoryMb: 4096 } },
    });
    expect(changeWords(full)).toBe('h4 is added (zone d, 2.5 CPU, 4096 MB)');
    expect(changeWords({ change: 'host-down', host: 'h1' })).toBe('h1 goes down');
    expect(changeWords({ change: 'definition', yaml: 'a\nb' })).toBe('the definition becomes 2 lines of YAML');
  });

  const moved = { group: 'db', slot: 0, from: 'h1', to: 'h2', why: '' };
  const lost = { group: 'db', slot: 1, from: 'h1', to: null, why: '' };
  const view = (slots: SimulateView['slots']): SimulateView => ({
    says: [],
    slots,
    unchanged: 1,
    health: [
      { group: 'db', before: 'ok', after: 'degraded' },
      { group: 'web', before: 'ok', after: 'ok' },
    ],
    bound: { recoveryMs: 13_900, outageMs: 1 },
  });

  test.each([
    [[], 'good', 'Nothing would move.'],
    [[moved], 'good', 'Everything would run: 1 slot would move, within 14 s.'],
    [[moved, lost], 'bad', '1 slot would run nowhere, 1 would move.'],
    [[lost], 'bad', '1 slot would run nowhere.'],
  ] as const)('%#', (slots, tone, says) => {
    expect(forecast(view(slots))).toEqual({ tone, says });
  });

  test('each effect has a word; only changed health is shown', () => {
    expect([moved, lost, { ...moved, from: null }].map((one) => effectOf(one).word)).toEqual([
      'Moves',
      'Runs nowhere',
      'Starts',
    ]);
    expect(healthChanges(view([]))).toEqual([
      { group: 'db', before: 'good', after: 'warn', says: 'Healthy → Degraded' },
    ]);
  });
});

describe('the doctor', () => {
  const check = (verdict: DoctorCheck['verdict']): DoctorCheck => ({
    id: verdict,
    verdict,
    subject: 'db/0',
    says: '',
    change: null,
  });
  test.each([
    [['ok', 'warn', 'fail'], 'bad', '1 thing would break a failover.'],
    [['ok', 'warn', 'warn'], 'warn', 'A failover would work; 2 things would make it better.'],
    [['ok'], 'good', 'Nothing was found that would break a failover.'],
    [[], 'quiet', 'There was nothing to check.'],
  ] as const)('%p', (verdicts, tone, says) => {
    expect(diagnosis(verdicts.map(check))).toMatchObject({ tone, says });
  });

  test('what fails comes first', () => {
    expect(diagnosis([check('warn'), check('ok'), check('fail')]).findings.map(({ id }) => id)).toEqual([
      'fail',
      'warn',
    ]);
  });

  test.each([
    ['h1', { kind: 'host', name: 'h1' }],
    ['db/0', { kind: 'group', name: 'db' }],
    ['demo', null],
  ])('a subject %s leads to its screen', (subject, place) => {
    expect(subjectPlace(subject, { hosts: new Set(['h1']), groups: new Set(['db']) })).toEqual(place);
  });
});
