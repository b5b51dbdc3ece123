/**
 * CLOCK_BOOTTIME of this machine, which Node does not offer: its own clocks stand still while a machine is suspended.
 *
 * `/proc/uptime` counts suspended time but has a grain of 10 ms; `hrtime` is fine but stops in suspend. Both run at
 * one rate, so boot time = hrtime + a gap that only ever grows (by suspends). Each reading of uptime, rounded down by
 * the kernel and compared with an hrtime taken AFTER it, is a lower bound of that gap; the largest bound seen is kept.
 * The result is never ahead of true boot time, never behind `/proc/uptime`, and lengths between two readings are never
 * understated except across a suspend, by less than the grain (S2 needs a holder that counts at least as fast).
 */
import { openSync, readSync } from 'node:fs';
import type { BootClock } from '../../core/ports.ts';
import { instant } from '../../core/time/time.ts';
import type { Instant } from '../../core/time/time.ts';

const LINE_BYTES_MAX = 64;

export interface BootClockSources {
  /** Boot time in milliseconds, rounded down to a grain. */
  uptimeMs(): number;
  /** Monotonic milliseconds, fine grained, standing still in suspend. */
  monotonicMs(): number;
}

export function bootClock(sources: BootClockSources = systemSources()): BootClock {
  let gapMs = Number.NEGATIVE_INFINITY;
  return {
    now(): Instant {
      const uptimeMs = sources.uptimeMs();
      const monotonicMs = sources.monotonicMs();
      gapMs = Math.max(gapMs, uptimeMs - monotonicMs);
      return instant(monotonicMs + gapMs);
    },
  };
}

/** The file stays open for the life of the process: a reading is one system call. */
function systemSources(): BootClockSources {
  const file = openSync('/proc/uptime', 'r');
  const buffer = Buffer.alloc(LINE_BYTES_MAX);
  return {
    uptimeMs: () => parseUptime(buffer.toString('latin1', 0, readSync(file, buffer, 0, LINE_BYTES_MAX, 0))),
    monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  };
}

/** First field of `/proc/uptime`, seconds with two decimals. */
export function parseUptime(line: string): number {
  const match = /^(\d+)\.(\d\d) /.exec(line);
  if (match?.[1] === undefined || match[2] === undefined) throw new Error(`/proc/uptime is not readable: "${line}"`);
  return Number(match[1]) * 1000 + Number(match[2]) * 10;
}
