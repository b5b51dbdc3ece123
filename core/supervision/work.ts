/** The inside of one step: the state being built, the moment, and the effects collected so far. Lives no longer than the step. */
import type { Order, ReportOutcome } from '../protocol/records.ts';
import type { Instant } from '../time/time.ts';
import type { Effect, ServiceRecord, SlotState } from './state.ts';
import { NEW_SERVICE } from './state.ts';

export interface Work {
  state: SlotState;
  readonly now: Instant;
  readonly effects: Effect[];
}

export function set(work: Work, change: Partial<SlotState>): void {
  work.state = { ...work.state, ...change };
}

export function recordOf(work: Work, name: string): ServiceRecord {
  return work.state.services[name] ?? NEW_SERVICE;
}

export function setService(work: Work, name: string, change: Partial<ServiceRecord>): void {
  set(work, { services: { ...work.state.services, [name]: { ...recordOf(work, name), ...change } } });
}

/** The next number for an effect that will be answered. */
export function nextRun(work: Work): number {
  const run = work.state.lastRun + 1;
  set(work, { lastRun: run });
  return run;
}

export function report(work: Work, order: Order, outcome: ReportOutcome, detail: string): void {
  work.effects.push({ do: 'report', order, outcome, detail });
}

/** Answers the standing order. */
export function answer(work: Work, outcome: ReportOutcome, detail: string): void {
  if (work.state.order === null) return;
  set(work, { reported: outcome });
  report(work, work.state.order, outcome, detail);
}
