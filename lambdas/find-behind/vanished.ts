/**
 * Hosts whose heartbeat item is gone. Nobody can renew such a session, and its host must not write the item anew (S3):
 * only a run that puts a tombstone in its place ends it, and lets the host register again.
 */
import type { Timing } from '../../core/config/model.ts';
import type { Observation } from '../../core/detection/detect.ts';
import type { HostRecord } from '../../core/protocol/records.ts';

export interface Vanished {
  readonly host: string;
  readonly session: string;
  readonly seq: number;
}

/** The observer doubts itself before it believes that every item went at once (S13). */
export function vanishedHosts(
  observation: Observation,
  hosts: readonly HostRecord[],
  timing: Pick<Timing, 'behindAfter' | 'takerWaitMs'>,
): readonly Vanished[] {
  const { missing, doubt } = observation;
  if (doubt !== null) return [];
  const graceMs = missing.length === hosts.length ? timing.takerWaitMs : 0;
  return missing.flatMap(({ host, missingMs }) => {
    const record = hosts.find((candidate) => candidate.host === host);
    if (record === undefined || record.seen === null || isOver(record)) return [];
    const { session, seq, timing: own } = record.seen;
    if (missingMs <= timing.behindAfter * own.intervalMs + graceMs) return [];
    return [{ host, session, seq }];
  });
}

/** A run works on it, or its session was ended long ago and TTL has tidied the item away (S18). */
function isOver({ claim, status, seen }: HostRecord): boolean {
  return claim?.session === seen?.session || status === 'Fenced' || status === 'Down';
}
