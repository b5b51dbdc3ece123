/** What a person was told: reasons, without the figures that change from pass to pass (I11). */
import type { ToldRecord } from '../protocol/brake-records.ts';
import type { WallInstant } from '../time/time.ts';

/** More different reasons than a person reads; the oldest are forgotten, and would be told again. */
const REASONS_MAX = 20;
const REASON_LENGTH_MAX = 500;

/** The same reason a moment later reads the same: no durations, and no states that hosts go through meanwhile. */
export function reasonOf(text: string): string {
  return text
    .replaceAll(/\d+(\.\d+)? ?(ms|s|min|h)\b/g, '… $2')
    .replaceAll(/it is \w+, not Up/g, 'it is not Up')
    .slice(0, REASON_LENGTH_MAX);
}

/**
 * What a call is about, without which host is out for which fact: in a large fleet that changes all the time, and would
 * call a person each time. What has changed is read where it is shown.
 */
export function briefly(text: string): string {
  return text.replaceAll(/(no host can take [^:;]+?) now:[^]*$/g, '$1');
}

/** null: it was told already. */
export function toldOf(
  old: ToldRecord | undefined,
  subject: string,
  text: string,
  nowMs: WallInstant,
): ToldRecord | null {
  const reason = reasonOf(text);
  if (old === undefined) return { subject, reasons: [reason], sinceMs: nowMs };
  if (old.reasons.includes(reason)) return null;
  return { ...old, reasons: [...old.reasons, reason].slice(-REASONS_MAX) };
}
