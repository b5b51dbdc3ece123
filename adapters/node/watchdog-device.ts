/**
 * The kernel's watchdog device. Its time-out is set when its module is loaded (Node has no ioctl); here it is read
 * back, and refused if it differs from the one that timing counts with (V5).
 *
 * With `nowayout` the kernel ignores the magic close: the machine then resets w after an orderly end, by its owner's choice.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { HaError, messageOf } from '../../core/failures/failures.ts';
import type { Watchdog } from '../../core/ports.ts';

export interface WatchdogPaths {
  readonly device: string;
  /** Whole seconds. */
  readonly timeout: string;
}

export const WATCHDOG_PATHS: WatchdogPaths = {
  device: '/dev/watchdog0',
  timeout: '/sys/class/watchdog/watchdog0/timeout',
};

export function deviceWatchdog(paths: WatchdogPaths = WATCHDOG_PATHS): Watchdog {
  let device: number | undefined;
  return {
    arm(timeoutMs) {
      return Promise.resolve().then(() => {
        checkTimeout(paths, timeoutMs); // Before opening: opening starts the count.
        device ??= openDevice(paths);
        writeSync(device, '\0');
      });
    },
    feed() {
      if (device !== undefined) writeSync(device, '\0');
    },
    disarm() {
      if (device === undefined) return;
      writeSync(device, 'V');
      closeSync(device);
      device = undefined;
    },
  };
}

function checkTimeout(paths: WatchdogPaths, timeoutMs: number): void {
  let text: string;
  try {
    text = readFileSync(paths.timeout, 'utf8').trim();
  } catch (error) {
    throw new HaError('config_invalid', `the watchdog's time-out cannot be read back: ${messageOf(error)}`);
  }
  if (!/^\d+$/.test(text) || Number(text) * 1000 !== timeoutMs) {
    const advice = 'load its module with that time-out, or set timing.watchdogMs to the real one';
    throw new HaError(
      'config_invalid',
      `the watchdog's time-out is "${text}" s, timing counts with ${String(timeoutMs)} ms (V5): ${advice}`,
    );
  }
}

function openDevice(paths: WatchdogPaths): number {
  try {
    return openSync(paths.device, 'r+');
  } catch (error) {
    throw new HaError('config_invalid', `the watchdog ${paths.device} cannot be opened: ${messageOf(error)}`);
  }
}
