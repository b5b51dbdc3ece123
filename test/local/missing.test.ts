import { expect, test } from '@jest/globals';
import { readDefinition } from '../../adapters/node/definition-file.ts';
import type { Definition } from '../../core/config/model.ts';
import type { HostView, StatusView } from '../../core/protocol/views.ts';
import { missingFrom } from '../../local/missing.ts';

const YAML = `
apiVersion: holdfast/v1
cluster: demo
hosts:
  - { name: h1, instanceId: i-00000000000000001 }
  - { name: h2, instanceId: i-00000000000000002 }
groups:
  - name: ledger
    redundancy: { model: n-plus-m, active: 1, standby: 1 }
    services:
      - { name: ledger, agent: exec, params: { command: ledger } }
`;

function definition(): Definition {
  const read = readDefinition([{ content: YAML }]);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.definition;
}

function host(name: string, changed: Partial<HostView> = {}): HostView {
  const about = { status: 'Up', why: '', admin: 'enabled', guardLevel: 'init', beatAgeMs: 10, claimRun: null } as const;
  const place = { adminReason: '', zone: null, labels: {}, machine: null, fencing: [['lease']] } as const;
  return { name, ...about, ...place, session: `session of ${name}`, seq: 7, slots: [], ...changed };
}

const REPORT = { group: 'ledger', slot: 0, epoch: 3, phase: 'Active' } as const;

function status(hosts: readonly HostView[]): StatusView {
  const slot = {
    slot: 0,
    owner: 'h1',
    epoch: 3,
    phase: 'Active',
    why: '',
    evidenceKind: null,
    candidates: [],
  } as const;
  const group = { name: 'ledger', model: 'n-plus-m', priority: 10, health: 'ok', covered: true } as const;
  return {
    ...{ cluster: 'demo', rev: 1, haEnabled: true, atMs: 0, runs: [], bound: { recoveryMs: 1, outageMs: 1 } },
    hosts,
    groups: [{ ...group, slots: [slot], standbys: ['h2'] }],
  };
}

const BEFORE = status([host('h1', { seq: 6 }), host('h2', { seq: 6 })]);

test('nothing is missing when hosts beat, owners report and standbys stand', () => {
  const now = status([host('h1', { slots: [REPORT] }), host('h2')]);
  expect(missingFrom(now, definition(), BEFORE)).toEqual([]);
});

test('a host counts again only after a beat: the same number of the same session is what was stored before', () => {
  const stale = status([host('h1', { slots: [REPORT] }), host('h2')]);
  expect(missingFrom(stale, definition(), stale)).toEqual([
    'host h1 has not been heard yet',
    'host h2 has not been heard yet',
  ]);
  const reborn = status([host('h1', { slots: [REPORT], session: 'next' }), host('h2', { session: 'next' })]);
  expect(missingFrom(reborn, definition(), stale)).toEqual([]);
});

test('a slot that its owner does not report, or reports in another epoch, is not active', () => {
  const silent = status([host('h1'), host('h2')]);
  expect(missingFrom(silent, definition(), BEFORE)).toEqual(['ledger/0 is not reported by its owner']);
  const old = status([host('h1', { slots: [{ ...REPORT, epoch: 2 }] }), host('h2', { slots: [REPORT] })]);
  expect(missingFrom(old, definition(), BEFORE)).toEqual(['ledger/0 is not reported by its owner']);
});

test('what is not there at all is said in words', () => {
  const now = { ...status([host('h1', { status: 'Behind', slots: [REPORT] })]), groups: [] };
  expect(missingFrom(now, definition(), BEFORE)).toEqual([
    'host h1 is Behind',
    'host h2 is unknown',
    'ledger/0 is unknown',
    'ledger has 0 of 1 standbys',
  ]);
});
