import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import {
  HOST_ACTIONS,
  HOST_EVENT_NAMES,
  HOST_EVENTS,
  HOST_STATUS_ROWS,
  HOST_STATUSES,
  hostStatusStep,
} from '../../../core/detection/host-status.ts';
import { hostStatusPage } from '../../../core/detection/host-status-page.ts';
import type { HostStatus } from '../../../core/protocol/records.ts';

/** Written by hand from the design: what each event may not change. 140 pairs = 79 rows + these 61. */
const IGNORED: Readonly<Record<string, readonly HostStatus[]>> = {
  registered: ['Fencing', 'Removed'],
  beat: ['Up', 'Investigating', 'Fencing', 'Fenced', 'Removed'],
  behind: ['Investigating', 'Disconnected', 'Down', 'Fencing', 'Fenced', 'Alert', 'Removed'],
  run_opened: ['Investigating', 'Down', 'Fencing', 'Fenced', 'Removed'],
  renewed: ['Connecting', 'Up', 'Removed'],
  disconnected: ['Connecting', 'Up', 'Behind', 'Down', 'Fencing', 'Fenced', 'Alert', 'Removed'],
  certain_death: ['Down', 'Fenced', 'Removed'],
  fence_ordered: ['Fencing', 'Fenced', 'Removed'],
  fence_confirmed: ['Connecting', 'Up', 'Behind', 'Investigating', 'Disconnected', 'Fenced', 'Removed'],
  revoked: ['Connecting', 'Up', 'Fenced', 'Removed'],
  session_over: ['Connecting', 'Down', 'Fenced', 'Removed'],
  admitted: ['Connecting', 'Up', 'Behind', 'Investigating', 'Disconnected', 'Down', 'Fencing'],
  removed: ['Removed'],
  alert: ['Alert', 'Removed'],
};

describe('the table', () => {
  test('knows every event once', () => {
    expect(HOST_STATUS_ROWS).toHaveLength(79);
    expect([...HOST_EVENT_NAMES].sort()).toEqual(Object.keys(HOST_EVENTS).sort());
    expect(Object.keys(IGNORED).sort()).toEqual(Object.keys(HOST_EVENTS).sort());
  });

  test.each(HOST_EVENT_NAMES)('%s: every status either has one row or ignores it', (event) => {
    for (const from of HOST_STATUSES) {
      const rows = HOST_STATUS_ROWS.filter((row) => row.event === event && row.from === from);
      const isIgnored = IGNORED[event]?.includes(from) === true;
      expect([from, rows.length]).toEqual([from, isIgnored ? 0 : 1]);
      expect(hostStatusStep(from, event)).toEqual(rows[0] ?? { from, event, to: from, action: 'none' });
    }
  });

  test('no row says nothing, and every action is used', () => {
    expect(HOST_STATUS_ROWS.filter((row) => row.from === row.to && row.action === 'none')).toEqual([]);
    expect([...new Set(HOST_STATUS_ROWS.map((row) => row.action))].sort()).toEqual(Object.keys(HOST_ACTIONS).sort());
  });

  test('the printed page is current (node tools/write-host-status.ts)', () => {
    expect(readFileSync('docs/internals/host-status.md', 'utf8')).toBe(hostStatusPage());
  });
});

function walk(from: HostStatus, events: readonly (typeof HOST_EVENT_NAMES)[number][]): readonly string[] {
  let status = from;
  return events.map((event) => {
    const step = hostStatusStep(status, event);
    status = step.to;
    return step.action === 'none' ? step.to : `${step.to}:${step.action}`;
  });
}

describe('stories', () => {
  test('a host dies, its lease runs out, and it comes back', () => {
    const events = ['registered', 'behind', 'run_opened', 'revoked', 'beat', 'registered', 'beat'] as const;
    expect(walk('Connecting', events)).toEqual([
      'Up:reconcile',
      'Behind:open_run',
      'Investigating',
      'Fenced:recover_slots',
      'Fenced',
      'Connecting:reconcile',
      'Up:reconcile',
    ]);
  });
  test('a late renewal closes the run', () => {
    expect(walk('Up', ['behind', 'run_opened', 'renewed'])).toEqual([
      'Behind:open_run',
      'Investigating',
      'Up:close_run',
    ]);
  });
  test('cut off from AWS and held, then fenced by policy', () => {
    const events = ['run_opened', 'disconnected', 'disconnected', 'fence_ordered', 'fence_confirmed'] as const;
    expect(walk('Behind', events)).toEqual([
      'Investigating',
      'Disconnected:hold',
      'Disconnected:hold',
      'Fencing:fence',
      'Fenced:recover_slots',
    ]);
  });
  test('EC2 shows it off, then late duplicates', () => {
    expect(walk('Investigating', ['certain_death', 'certain_death', 'revoked', 'fence_confirmed', 'behind'])).toEqual([
      'Down:recover_slots',
      'Down',
      'Fenced',
      'Fenced',
      'Fenced',
    ]);
  });
});

describe('nothing is a dead end, and nothing is fenced unasked', () => {
  test('from every status events lead to Up, and to Removed', () => {
    for (const start of HOST_STATUSES) {
      const reached = new Set<HostStatus>([start]);
      for (const status of reached) for (const event of HOST_EVENT_NAMES) reached.add(hostStatusStep(status, event).to);
      expect([start, reached.has('Up'), reached.has('Removed')]).toEqual([start, true, true]);
    }
  });

  test('fenced only by order, up only after a sign of life, slots recovered only from a session that is over', () => {
    for (const from of HOST_STATUSES) {
      for (const event of HOST_EVENT_NAMES) {
        const { to, action } = hostStatusStep(from, event);
        if (to === 'Fencing' && from !== 'Fencing') expect(event).toBe('fence_ordered');
        if (to === 'Up' && from !== 'Up') expect(['registered', 'beat', 'renewed']).toContain(event);
        if (from === 'Fenced') expect(['Fenced', 'Connecting', 'Removed', 'Alert']).toContain(to);
        if (to === 'Alert' && from !== 'Alert') expect(action).toBe('page');
        if (action === 'recover_slots') expect(['Down', 'Fenced']).toContain(to);
      }
    }
  });
});
