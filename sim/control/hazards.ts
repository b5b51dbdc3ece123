/** What may befall an invocation, drawn for each from a stream of its own, so that one fault less changes no other draw. */
import type { Millis } from '../../core/time/time.ts';
import type { Noise } from '../contract/faults.ts';
import type { Random } from '../kernel/random.ts';
import type { Freezing, Killing } from './environment.ts';

/** Numbers of a call, with their weights: most invocations are short, some loop. One that is not reached strikes nobody. */
const CALLS: readonly (readonly [readonly [number, number], number])[] = [
  [[1, 14], 3],
  [[15, 150], 1],
];

/**
 * Where more than half die, but not all, they die at their first call: so that now and then all attempts of a step do, however
 * few calls it makes.
 */
const dieAtOnce = (part: number): boolean => part > 0.5 && part < 1;

/** Ranges of a length of time, with their weights. */
export type Lengths = readonly (readonly [readonly [Millis, Millis], number])[];

/** Weights of lengths: hardly noticed, long enough for anything to have changed, beyond every time-out. */
const FROZEN_MS: Lengths = [
  [[50, 2_000], 5],
  [[2_000, 40_000], 4],
  [[60_000, 150_000], 1],
];

const LATE_MS: Lengths = [
  [[100, 2_000], 6],
  [[2_000, 30_000], 3],
];

/** The same event again: at nearly the same time, while the first one runs, or when it is long over. */
const AGAIN_MS: Lengths = [
  [[0, 50], 4],
  [[50, 3_000], 4],
  [[3_000, 45_000], 2],
];

export interface Hazards {
  readonly lateMs: Millis;
  /** null: it is delivered once. */
  readonly againAfterMs: Millis | null;
  readonly killing: Killing | null;
  readonly freezing: Freezing | null;
  readonly isKeptAfterTimeout: boolean;
}

export function lengthOf(random: Random, lengths: Lengths): Millis {
  const [from, to] = random.weighted(lengths);
  return random.between(from, to);
}

export function drawHazards(random: Random, noise: Noise): Hazards {
  const draw = <T>(kind: keyof Noise, make: (own: Random) => T): T | null => {
    const part = noise[kind] ?? 0;
    if (part <= 0) return null;
    const own = random.fork(kind);
    return own.chance(part) ? make(own) : null;
  };
  const at = (own: Random): Pick<Killing, 'call' | 'phase'> => ({
    call: own.int(...own.weighted(CALLS)),
    phase: own.pick(['before', 'after'] as const),
  });
  return {
    lateMs: draw('lambda_late', (own) => lengthOf(own, LATE_MS)) ?? 0,
    againAfterMs: draw('lambda_twice', (own) => lengthOf(own, AGAIN_MS)),
    killing: draw('lambda_killed', (own) => ({
      ...at(own),
      ...(dieAtOnce(noise.lambda_killed ?? 0) ? { call: 1 } : {}),
      noticedAfterMs: own.between(5, 500),
    })),
    freezing: draw('lambda_frozen', (own) => ({ ...at(own), forMs: lengthOf(own, FROZEN_MS) })),
    isKeptAfterTimeout: random.fork('time-out').chance(0.5),
  };
}
