/** Writes that the tables took, as facts for those who check. */
import type { MemoryWrite } from '../../adapters/memory/memory-tables.ts';
import type { RegisterAnswer, RenewAnswer } from '../../core/ports.ts';
import { type GroupRecord, type Heartbeat, REVOKED_PREFIX } from '../../core/protocol/records.ts';
import type { Stage } from '../contract/stage.ts';
import type { Fact } from '../contract/truth.ts';

/** What a host's write left; null: it is no answer to one. */
export function beatOf(
  answer: unknown,
): Pick<Extract<Fact, { type: 'beat' }>, 'session' | 'seq' | 'principal' | 'registered'> | null {
  if (typeof answer !== 'object' || answer === null || !('outcome' in answer)) return null;
  const given = answer as RegisterAnswer | RenewAnswer;
  if (given.outcome !== 'registered' && given.outcome !== 'renewed') return null;
  const { session, seq, principal, timing } = given.heartbeat;
  return { session, seq, principal, ...(given.outcome === 'registered' ? { registered: timing } : {}) };
}

export function tellWrite(stage: Stage, { table, pk, sk, before, after }: MemoryWrite): void {
  if (table === 'heartbeats') {
    if (after !== undefined) tellRevoked(stage, pk, before, after);
  } else if (after !== undefined && sk.startsWith('GROUP#')) {
    const old = before === undefined ? null : groupIn(before);
    stage.tell({ type: 'group_written', before: old, after: groupIn(after) });
  } else {
    stage.tell({ type: 'record_written', pk, sk });
  }
}

function groupIn(text: string): GroupRecord {
  return (JSON.parse(text) as { readonly body: GroupRecord }).body;
}

function tellRevoked(stage: Stage, principal: string, before: string | undefined, after: string): void {
  const now = sessionIn(after);
  const old = before === undefined ? '' : sessionIn(before);
  if (now === old || !now.startsWith(REVOKED_PREFIX)) return;
  stage.tell({ type: 'revoked', principal, session: old, by: now.slice(REVOKED_PREFIX.length) });
}

function sessionIn(text: string): string {
  return (JSON.parse(text) as Pick<Heartbeat, 'session'>).session;
}
