/** What supervision needs of the rest of the agent. */
import type { LeaveRequest, SlotRef } from '../../core/protocol/guard-link.ts';
import type { Order, ReportOutcome } from '../../core/protocol/records.ts';
import type { Instant } from '../../core/time/time.ts';

export interface SupervisorPorts {
  now(): Instant;
  /** The guard's leave, asked before every start (S6). */
  leave(request: LeaveRequest): Promise<{ granted: boolean; why: string }>;
  /** Asks the guard to prove the slot stopped and to write the released epoch to disk; true only then may `released` be reported. */
  release(request: SlotRef): Promise<boolean>;
  report(report: { order: Order; outcome: ReportOutcome; detail: string }): void;
  log(level: 'info' | 'warn' | 'error', text: string, facts?: object): void;
}
