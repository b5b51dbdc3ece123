/** What `holdfast-agent check --json` prints: the guard's own words about itself. Printed on hosts, read by the control plane. */
import * as z from 'zod';
import type { GuardCheck } from '../ports.ts';

/** What Systems Manager has a host run. */
export const CHECK_COMMAND = 'holdfast-agent check --json';

const SLOTS_MAX = 1_000;

/** Fields that a later version adds are ignored. */
export const GuardSelf = z.object({
  /** Registered, or null. */
  session: z.string().min(1).nullable(),
  /** The session's deadline had not passed. */
  stands: z.boolean(),
  /** Covered, and not proven stopped: `group/slot`. */
  running: z.array(z.string()).max(SLOTS_MAX),
});
export type GuardSelf = z.infer<typeof GuardSelf>;

/** What the guard says on its lock; one that is cleaning up, or is too old to know the question, leaves `check` out. */
const OnLock = z.object({ check: GuardSelf.optional() });

/** Of what the command printed. An answer that cannot be read says nothing (S8). */
export function readGuardSelf(text: string): GuardCheck {
  const read = readJson(text, GuardSelf);
  return read.ok ? { outcome: 'answered', ...read.value } : { outcome: 'unknown', says: read.why };
}

/** Of what the guard itself said. */
export function readOnLock(text: string): GuardCheck {
  const read = readJson(text, OnLock);
  if (!read.ok) return { outcome: 'unknown', says: read.why };
  const { check } = read.value;
  if (check === undefined) return { outcome: 'unknown', says: 'the guard does not say yet: it is still cleaning up' };
  return { outcome: 'answered', ...check };
}

type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string };

function readJson<T>(text: string, schema: z.ZodType<T>): Read<T> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, why: `the guard's answer is not JSON: ${JSON.stringify(text.slice(0, 200))}` };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { ok: true, value: parsed.data };
  return { ok: false, why: `the guard's answer cannot be read: ${z.prettifyError(parsed.error)}` };
}
