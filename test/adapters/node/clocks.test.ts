import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { nodeTimers, unrefTimers } from '../../../adapters/node/clocks.ts';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

describe.each([
  ['nodeTimers', nodeTimers],
  ['unrefTimers', unrefTimers],
])('%s', (_, timers) => {
  test('fire once, not before their time: a part of a millisecond counts as a whole one', () => {
    let fired = 0;
    timers.after(9.2, () => (fired += 1));
    jest.advanceTimersByTime(9);
    expect(fired).toBe(0);
    jest.advanceTimersByTime(1);
    expect(fired).toBe(1);
    jest.advanceTimersByTime(100);
    expect(fired).toBe(1);
  });

  test('what is taken back never fires, and may be taken back again', () => {
    let fired = 0;
    const cancel = timers.after(10, () => (fired += 1));
    cancel();
    cancel();
    jest.advanceTimersByTime(100);
    expect(fired).toBe(0);
  });
});
