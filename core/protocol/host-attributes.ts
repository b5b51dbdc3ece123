/**
 * What a host may name in a write of its own heartbeat item (S16). Its policy in IAM is made of this list, and DynamoDB
 * refuses a write that names anything else, in an update as in a condition.
 */
import type { Heartbeat } from './records.ts';

/** The partition key. IAM counts it among the attributes that a request names. */
const KEY = 'pk';

/** Written by the control plane alone: a host that could write these could order itself, or take back its own revocation's mark. */
type OfControlPlane = 'directive' | 'hurry';

/** `principal` is stored as the key. */
type OfHost = Exclude<keyof Heartbeat, OfControlPlane | 'principal'>;

/**
 * `session` is among them because registering is writing it: a host may therefore overwrite `revoked:…` too. That takes
 * nothing from the control plane, which waits out a session that it has seen, whatever stands in the item later (S3, S7).
 */
const OF_HOST = {
  session: true,
  cluster: true,
  host: true,
  machine: true,
  bootId: true,
  launchTime: true,
  guardLevel: true,
  rules: true,
  timing: true,
  agentVersion: true,
  incarnation: true,
  mayHold: true,
  obeyed: true,
  slots: true,
  lists: true,
  sentAtWallMs: true,
  sentAtBootMs: true,
  sentIn: true,
  seq: true,
  ttl: true,
} as const satisfies Readonly<Record<OfHost, true>>;

export const HOST_ATTRIBUTES: readonly string[] = [KEY, ...Object.keys(OF_HOST)];

/** A heartbeat answers with the whole item: the directive of the control plane comes back on it, without a second read. */
export const HOST_RETURN_VALUES = 'ALL_NEW';
