import { expect, test } from '@jest/globals';
import { ocfAction, ocfMonitor, ocfWords } from '../../../core/supervision/ocf-codes.ts';

test.each([
  [0, 'success', 'success', 'running'],
  [1, 'failed', 'failed', 'failed'],
  [2, 'failed', 'failed', 'failed'],
  [3, 'failed', 'failed', 'failed'],
  [4, 'failed', 'failed', 'failed'],
  [5, 'failed', 'success', 'stopped'],
  [6, 'failed', 'failed', 'failed'],
  [7, 'failed', 'failed', 'stopped'],
  [8, 'failed', 'failed', 'running'],
  [9, 'failed', 'failed', 'failed'],
  [77, 'failed', 'failed', 'failed'],
  [null, 'failed', 'failed', 'failed'],
])('exit %p: start %s, stop %s, monitor %s', (code, start, stop, monitor) => {
  expect([ocfAction('start', code), ocfAction('stop', code), ocfMonitor(code)]).toEqual([start, stop, monitor]);
});

test('in words', () => {
  expect(ocfWords(7)).toBe('exit 7 (not running)');
  expect(ocfWords(42)).toBe('exit 42 (unknown code)');
  expect(ocfWords(null)).toBe('ended by a signal');
});
