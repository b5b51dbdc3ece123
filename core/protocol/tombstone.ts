import { REVOKED_PREFIX, TOMBSTONE_MACHINE } from './records.ts';
import type { Heartbeat } from './records.ts';

/**
 * The item written where none was, so that no session can come back unseen (S3).
 *
 * It is nobody's session: rules version 0 and guard level `none` both make `lease-over` unavailable about it (S4, S7), so
 * that its empty timing is never taken for a wait of zero.
 */
export function tombstoneOf(stone: {
  readonly principal: string;
  readonly cluster: string;
  readonly host: string;
  readonly run: string;
  readonly ttl: number;
}): Heartbeat {
  return {
    principal: stone.principal,
    session: REVOKED_PREFIX + stone.run,
    seq: 0,
    cluster: stone.cluster,
    host: stone.host,
    machine: TOMBSTONE_MACHINE,
    bootId: '',
    launchTime: '',
    guardLevel: 'none',
    rules: 0,
    timing: {
      intervalMs: 0,
      holderLeaseMs: 0,
      takerWaitMs: 0,
      killMs: 0,
      writeLifeMs: 0,
      freezeMs: 0,
      clockRateError: 0,
    },
    agentVersion: '',
    incarnation: '',
    mayHold: false,
    obeyed: 0,
    slots: [],
    lists: {},
    sentAtWallMs: 0,
    directive: 0,
    ttl: stone.ttl,
  };
}
