/**
 * The guard's ledger: what was started and may still run (the kill list, S20), and which epochs are over here (S6).
 * It is written to disk before a leave is given and before a release is reported.
 */
import type { CleanupCommand, LeaveRequest, SlotRef } from '../protocol/guard-link.ts';

export interface LedgerEntry {
  readonly group: string;
  readonly slot: number;
  readonly epoch: number;
  /** The session that was given leave to start this epoch. */
  readonly session: string;
  readonly covered: boolean;
  /** What removes traces that are no processes (addresses, mounts), run after the kill. */
  readonly cleanup: readonly CleanupCommand[];
}

export interface Ledger {
  /** Sessions of this machine's guards, newest last; at most `SESSIONS_MAX`. A newer guard shows them as hand-over (S1). */
  readonly sessions: readonly string[];
  readonly entries: readonly LedgerEntry[];
  /** Highest epoch released or lost, per `group/slot`: never started again here (S6). */
  readonly floors: Readonly<Record<string, number>>;
  /** Resets in a row because something covered would not stop (S1: at most two). */
  readonly resets: number;
}

export const SESSIONS_MAX = 32;

export const EMPTY_LEDGER: Ledger = { sessions: [], entries: [], floors: {}, resets: 0 };

export function slotKey(ref: Pick<SlotRef, 'group' | 'slot'>): string {
  return `${ref.group}/${ref.slot}`;
}

export function withSession(ledger: Ledger, session: string): Ledger {
  return { ...ledger, sessions: [...ledger.sessions, session].slice(-SESSIONS_MAX) };
}

/** A slot has one entry; a newer epoch replaces it and keeps what the older one still needs cleaned. */
export function withEntry(ledger: Ledger, request: LeaveRequest): Ledger {
  const old = ledger.entries.find((entry) => slotKey(entry) === slotKey(request));
  const cleanup = [...request.cleanup];
  for (const command of old?.cleanup ?? []) {
    if (!cleanup.some((other) => JSON.stringify(other) === JSON.stringify(command))) cleanup.push(command);
  }
  const entry: LedgerEntry = {
    group: request.group,
    slot: request.slot,
    epoch: request.epoch,
    session: request.session,
    covered: request.covered || (old?.covered ?? false),
    cleanup,
  };
  return { ...ledger, entries: [...ledger.entries.filter((other) => slotKey(other) !== slotKey(request)), entry] };
}

/** The slot is proven stopped and its epoch is over here for good. */
export function withFloor(ledger: Ledger, ref: SlotRef): Ledger {
  const key = slotKey(ref);
  const entries = ledger.entries.filter((entry) => slotKey(entry) !== key || entry.epoch > ref.epoch);
  return { ...ledger, entries, floors: { ...ledger.floors, [key]: Math.max(ledger.floors[key] ?? 0, ref.epoch) } };
}

/** Everything covered is proven stopped and the session is over: its epochs are lost (S3, S6). */
export function withCoveredLost(ledger: Ledger): Ledger {
  return ledger.entries.filter((entry) => entry.covered).reduce((next, entry) => withFloor(next, entry), ledger);
}
