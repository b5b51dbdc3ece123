/** Planned work at once, bounded: what cannot wait comes first, and what fails again and again keeps nobody out. */
import { describe, expect, test } from '@jest/globals';
import { PLANNED_RUNS_MAX, withinLimit } from '../../../core/recovery/planned-limit.ts';
import type { PlannedVerb, ReconcileAction } from '../../../core/recovery/reconcile.ts';

const start = (group: string, verb: PlannedVerb, epoch: number, attempt = 1): ReconcileAction => ({
  ...{ do: 'start_planned', verb, group, slot: 0, epoch, attempt, why: '' },
});
const many = (count: number, verb: PlannedVerb, epoch: number, attempt?: number): ReconcileAction[] =>
  Array.from({ length: count }, (_, n) => start(`${verb}${String(n)}`, verb, epoch, attempt));
const failure: ReconcileAction = { do: 'start_ha', host: 'h1', session: 's', why: '' };
const groupsOf = (actions: readonly ReconcileAction[]): string[] =>
  actions.flatMap((action) => ('group' in action ? [action.group] : []));

describe('withinLimit', () => {
  test('changes nothing below the limit', () => {
    const actions = [failure, ...many(60, 'place', 0)];
    expect(withinLimit(actions, 4)).toEqual({ actions, deferred: 0 });
  });

  test('counts what runs already, and defers the rest', () => {
    const { actions, deferred } = withinLimit(many(200, 'place', 0), 60);
    expect(groupsOf(actions)).toEqual(['place0', 'place1', 'place2', 'place3']);
    expect(deferred).toBe(196);
  });

  test('never holds back a failed host, nor what is no start, however many runs there are', () => {
    const standbys: ReconcileAction = { do: 'standbys', group: 'g', standbys: [] };
    const { actions, deferred } = withinLimit([start('a', 'place', 0), failure, standbys], PLANNED_RUNS_MAX + 5);
    expect(actions).toEqual([failure, standbys]);
    expect(deferred).toBe(1);
  });

  test('an outage before a first start, a first start before a move', () => {
    const actions = [start('m', 'move', 3), start('f', 'place', 0), start('r', 'restart', 2), start('o', 'place', 7)];
    const by = (running: number): string[] => groupsOf(withinLimit(actions, running).actions);
    expect(by(PLANNED_RUNS_MAX - 1)).toEqual(['r']);
    expect(by(PLANNED_RUNS_MAX - 2)).toEqual(['r', 'o']);
    expect(by(PLANNED_RUNS_MAX - 3)).toEqual(['f', 'r', 'o']);
  });

  test('what was tried least comes first', () => {
    const failing = many(PLANNED_RUNS_MAX, 'restart', 1, 5);
    expect(groupsOf(withinLimit([...failing, start('fresh', 'move', 1)], PLANNED_RUNS_MAX - 1).actions)).toEqual([
      'fresh',
    ]);
  });
});
