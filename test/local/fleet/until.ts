import { setTimeout as delay } from 'node:timers/promises';

/** Waits for a condition of the world outside this process; fails after `limitMs`. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const rounds = Math.ceil(limitMs / 10);
  for (let n = 0; n < rounds; n += 1) {
    if (await holds()) return;
    await delay(10);
  }
  throw new Error(`waited ${String(limitMs)} ms in vain for: ${what}`);
}
