import { describe, expect, test } from '@jest/globals';
import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { endOf, errorsOf, historyLines, visitsOf } from '../../../tools/ministack/history.ts';

const START_MS = 1_000_000;

function event(id: number, atMs: number, type: string, more: object = {}): HistoryEvent {
  return { id, timestamp: new Date(START_MS + atMs), type, ...more } as HistoryEvent;
}

const entered = (id: number, atMs: number, name: string, input = '{}') =>
  event(id, atMs, 'TaskStateEntered', { stateEnteredEventDetails: { name, input } });
const exited = (id: number, atMs: number, name: string, output = '{}') =>
  event(id, atMs, 'TaskStateExited', { stateExitedEventDetails: { name, output } });

describe('the history of an execution', () => {
  test('has each state with when it was entered, how long it took and what it said', () => {
    const said = '{"work":{"next":"Plan","says":"h1 cannot be running it"}}';
    const events = [
      event(1, 0, 'ExecutionStarted'),
      entered(2, 10, 'Stop'),
      exited(3, 250, 'Stop', said),
      event(4, 260, 'ExecutionSucceeded'),
    ];
    expect(visitsOf(events)).toEqual([
      { state: 'Stop', enteredMs: 10, tookMs: 240, output: 'Plan: h1 cannot be running it' },
    ]);
    expect(endOf(events)).toBe('ExecutionSucceeded');
  });

  test('pairs entries and exits of a state that runs several times, and leaves open what was never left', () => {
    const events = [
      event(1, 0, 'ExecutionStarted'),
      entered(2, 0, 'Place'),
      entered(3, 5, 'Place'),
      exited(4, 20, 'Place'),
    ];
    expect(visitsOf(events).map(({ tookMs }) => tookMs)).toEqual([20, null]);
  });

  test('tells every attempt that failed', () => {
    const events = [
      event(1, 0, 'ExecutionStarted'),
      event(2, 5, 'TaskFailed', { taskFailedEventDetails: { error: 'conflict', cause: 'somebody else' } }),
    ];
    expect(errorsOf(events)).toEqual(['conflict: somebody else']);
    expect(historyLines(events).at(-1)).toBe('  an attempt failed: conflict: somebody else');
  });
});
