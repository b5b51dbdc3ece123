import type { Beat, Heartbeat } from './records.ts';

/**
 * A later renewal of the same session stands already, so that this one must change nothing: it would put back older values
 * of all that a beat carries. The same moment twice is the same renewal twice. Both are of one session, hence of one boot
 * clock; where either says no moment (agents of before, S19), or the one that stands is of an earlier session, nothing is
 * known. `beat` is of the session that stands.
 */
export function isOvertaken(
  stored: Pick<Heartbeat, 'session' | 'sentIn' | 'sentAtBootMs'>,
  beat: Pick<Beat, 'sentAtBootMs'>,
): boolean {
  const { session, sentIn, sentAtBootMs } = stored;
  if (sentIn !== session || sentAtBootMs === undefined || beat.sentAtBootMs === undefined) return false;
  return beat.sentAtBootMs <= sentAtBootMs;
}

/** What is written beside the moment of a beat. */
export function sentIn(session: string, beat: Pick<Beat, 'sentAtBootMs'>): Pick<Heartbeat, 'sentIn'> {
  return beat.sentAtBootMs === undefined ? {} : { sentIn: session };
}
