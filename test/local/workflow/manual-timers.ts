import type { Timers } from '../../../local/workflow/timers.ts';
import { wallInstant } from '../../../core/time/time.ts';

/** Timers that move only when the test says so. */
export interface ManualTimers extends Timers {
  /** Passes `ms`, running what falls due on the way at its own time. */
  pass(ms: number): void;
  /** How many timers are set. */
  pending(): number;
}

export function manualTimers(startMs = 1_750_000_000_000): ManualTimers {
  let nowMs = startMs;
  const tasks = new Set<{ readonly atMs: number; readonly task: () => void }>();
  return {
    now: () => wallInstant(nowMs),
    after: (ms, task) => {
      const entry = { atMs: nowMs + ms, task };
      tasks.add(entry);
      return () => tasks.delete(entry);
    },
    pass: (ms) => {
      const endMs = nowMs + ms;
      for (;;) {
        const due = [...tasks].filter((entry) => entry.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
        if (due === undefined) break;
        tasks.delete(due);
        nowMs = Math.max(nowMs, due.atMs);
        due.task();
      }
      nowMs = endMs;
    },
    pending: () => tasks.size,
  };
}
