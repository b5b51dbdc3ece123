/**
 * Answers of investigators about one session of one host, and what each may be believed (S8).
 *
 * An answer is a claim with the moments that decide whether it counts. Whatever does not count is `unknown`, and
 * `unknown` never leads to a start.
 */
import type { EvidenceKind } from '../config/model.ts';
import type { WallInstant } from '../time/time.ts';
import { wallElapsed } from '../time/time.ts';

export const INVESTIGATORS = [
  'heartbeat',
  'registry',
  'guard',
  'peers',
  'ec2',
  'ssm',
  'storage',
  'probe',
  'aws-health',
] as const;

export type Investigator = (typeof INVESTIGATORS)[number];

/** Kinds that show a session's end without waiting; the best first: groups accept the first two always (S7). */
export const CERTAIN_KINDS = ['closed', 'successor', 'power-off'] as const satisfies readonly EvidenceKind[];

export type CertainKind = (typeof CERTAIN_KINDS)[number];

export interface Answer {
  readonly investigator: Investigator;
  readonly answer: 'alive' | 'dead' | 'unknown';
  /** Required with `dead`: what shows it. */
  readonly evidence?: EvidenceKind | undefined;
  /** When this investigation put the question. */
  readonly askedAtMs: WallInstant;
  /** When the fact itself was obtained, on the same clock: for a relayed view the moment of the view, not of the relay. */
  readonly answeredAtMs: WallInstant;
  readonly facts: Readonly<Record<string, unknown>>;
  /** Plain words, for an operator. */
  readonly says: string;
}

/**
 * What each investigator speaks about, and the kinds of evidence that it can bring. `session`: the very session in
 * question (its guard answered, or its item moved). `machine`: only that something answers there, perhaps a later
 * session. Peers, probes and zone events bring none: an accusation starts an investigation and never ends one.
 */
const KNOWS: Readonly<
  Record<Investigator, { readonly about: 'session' | 'machine'; readonly brings: readonly CertainKind[] }>
> = {
  heartbeat: { about: 'session', brings: ['closed', 'successor'] },
  registry: { about: 'machine', brings: ['closed', 'successor'] },
  guard: { about: 'session', brings: [] },
  peers: { about: 'machine', brings: [] },
  ec2: { about: 'machine', brings: ['power-off'] },
  ssm: { about: 'session', brings: [] },
  storage: { about: 'machine', brings: [] },
  probe: { about: 'machine', brings: [] },
  'aws-health': { about: 'machine', brings: [] },
};

/** What an answer is worth. `lease-over` and `witnessed` are made by revoking and waiting, so no answer can bring them. */
export type Worth =
  | { readonly worth: 'alive'; readonly about: 'session' | 'machine' }
  | { readonly worth: 'dead'; readonly kind: CertainKind }
  | { readonly worth: 'unknown' };

const UNKNOWN: Worth = { worth: 'unknown' };

/** Judges one answer alone; answers obtained before they were asked for, or before `openedAtMs`, count for nothing. */
export function worthOf(answer: Answer, openedAtMs: WallInstant): Worth {
  const isFresh =
    wallElapsed(openedAtMs, answer.askedAtMs) >= 0 && wallElapsed(answer.askedAtMs, answer.answeredAtMs) >= 0;
  if (!isFresh || answer.answer === 'unknown') return UNKNOWN;
  const knows = KNOWS[answer.investigator];
  if (answer.answer === 'alive') return { worth: 'alive', about: knows.about };
  const kind = knows.brings.find((brought) => brought === answer.evidence);
  return kind === undefined ? UNKNOWN : { worth: 'dead', kind };
}
