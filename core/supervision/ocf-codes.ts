/**
 * Exit codes of OCF resource agents, as data.
 *
 * 5 (not installed) on a stop or monitor: what is not installed does not run, or a host without the software could
 * never report a slot released. The performer believes a "stopped" only if it also finds no process of the service.
 */
import type { ActionResult, MonitorResult } from './state.ts';

export const OCF_CODES: Readonly<Record<number, string>> = {
  0: 'success',
  1: 'generic error',
  2: 'wrong arguments',
  3: 'action not implemented',
  4: 'insufficient privileges',
  5: 'not installed',
  6: 'not configured',
  7: 'not running',
  8: 'running as promoted',
  9: 'failed as promoted',
};

const START: Readonly<Record<number, ActionResult>> = { 0: 'success' };
const STOP: Readonly<Record<number, ActionResult>> = { 0: 'success', 5: 'success' };
const MONITOR: Readonly<Record<number, MonitorResult>> = { 0: 'running', 5: 'stopped', 7: 'stopped', 8: 'running' };

/** `null`: ended by a signal. */
export function ocfAction(action: 'start' | 'stop', code: number | null): ActionResult {
  const table = action === 'start' ? START : STOP;
  return code === null ? 'failed' : (table[code] ?? 'failed');
}

export function ocfMonitor(code: number | null): MonitorResult {
  return code === null ? 'failed' : (MONITOR[code] ?? 'failed');
}

export function ocfWords(code: number | null): string {
  if (code === null) return 'ended by a signal';
  return `exit ${code} (${OCF_CODES[code] ?? 'unknown code'})`;
}
