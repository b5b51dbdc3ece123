import type { Evidence, Heartbeat, Report } from '../../../core/protocol/records.ts';
import { wallInstant } from '../../../core/time/time.ts';
import { beat, registration, TTL } from '../../contract/fixtures.ts';

/** A standing item of profile fast, as its host registered it; machine `m-<host>`. */
export function item(host: string, session: string, changes: Partial<Heartbeat> = {}): Heartbeat {
  const about = registration(session, { cluster: 'c', host, machine: `m-${host}`, mayHold: false });
  return {
    ...about,
    ...beat({ slots: [], lists: {} }),
    principal: `p-${host}`,
    seq: 5,
    directive: 0,
    ttl: TTL,
    ...changes,
  };
}

export const FINDING = { run: 'run-1', atMs: wallInstant(5_000) };

export function evidence(kind: Evidence['kind'], host: string, changes: Partial<Evidence> = {}): Evidence {
  return { kind, host, session: `s-${host}`, ...FINDING, because: 'seen', takers: null, ...changes };
}

export function report(changes: Partial<Report> = {}): Report {
  const order = 'release.db.0.e4.s-h1';
  return { order, session: 's-h1', group: 'db', slot: 0, epoch: 4, outcome: 'released', detail: '', ...changes };
}
