/**
 * One attempt of a request on its way to a service and back, in true time: when it arrives, if it does, and when its answer
 * is there. The sender's own limit runs on the clock of its process, so that a frozen sender is not hurried.
 */
import { HaError, type FailureCode } from '../../core/failures/failures.ts';
import type { Millis } from '../../core/time/time.ts';
import type { Noise, BackgroundFault } from '../contract/faults.ts';
import type { Link } from '../contract/parts.ts';
import type { Stage } from '../contract/stage.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';

export type Weather = 'up' | 'down' | 'slow';

/** What every way to one service has in common, as it is now. */
export interface Conditions {
  noise: Noise;
  weather: Weather;
  /** m: no write arrives later than this after it was sent. */
  writeLifeMs: Millis;
}

/** Who sends: its link, and requests of its that are held back until a later one has overtaken them. */
export interface Sender {
  /** A host, or `control`. */
  readonly name: string;
  link: Link;
  readonly held: Set<() => void>;
}

export function sender(name: string): Sender {
  return { name, link: 'whole', held: new Set() };
}

export interface Attempt<T> {
  readonly process: SimProcess;
  readonly sender: Sender;
  /** For faults and errors: the operation and what it is about. */
  readonly says: string;
  readonly isWrite: boolean;
  /** When the sender gives up, on its own clock. */
  readonly capMs: Millis;
  /** At the service, now; throwing is an answer too. */
  readonly arrive: () => T;
}

/** Of a healthy network inside a region, one leg. */
const LEG_MS = { least: 1, most: 9 } as const;
/** The longest a request that is no write is held on its way. */
const LATE_READ_MS = 1_500;
const LATE_ANSWER_MS = 2_500;
/** Parts of all requests into a cut that are refused at once instead of vanishing. */
const REFUSED_AT_ONCE = 0.25;

export class Way {
  readonly conditions: Conditions;
  readonly #stage: Stage;
  readonly #random: Random;

  constructor(stage: Stage, random: Random, conditions: Conditions) {
    this.#stage = stage;
    this.#random = random;
    this.conditions = conditions;
  }

  /** Within a step of the sending process; what comes of it is learnt by way of `SimProcess.call`. */
  attempt<T>(request: Attempt<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const { process, capMs, says } = request;
      const fail = (code: FailureCode, why: string): void => {
        giveUp();
        reject(new HaError(code, `${says}: ${why}`));
      };
      const giveUp = process.timers.after(capMs, () => fail('timed_out', `no answer within ${capMs} ms`));
      this.#send(request, {
        answer: (value) => {
          giveUp();
          resolve(value);
        },
        fail,
        refuse: (error) => {
          giveUp();
          reject(error instanceof Error ? error : new HaError('store_unavailable', `${says}: ${String(error)}`));
        },
      });
    });
  }

  #send<T>(request: Attempt<T>, back: Back<T>): void {
    const { sender: from } = request;
    const { weather } = this.conditions;
    const leaves = from.link === 'whole' || from.link === 'no_answers';
    if (!leaves || weather === 'down') return this.#refuseOrVanish(back, leaves ? 'the store is down' : 'no way there');
    if (this.#meets('throttled', request)) {
      return this.#later(this.#leg() * 2, () => back.fail('store_throttled', 'ThrottlingException'));
    }
    if (this.#meets('loss', request)) {
      if (this.#random.chance(0.5)) return;
      return this.#travel(request, {
        ...back,
        answer: () => undefined,
        fail: () => undefined,
        refuse: () => undefined,
      });
    }
    if (request.isWrite && this.#meets('late_commit', request)) return this.#commitLate(request, back);
    this.#travel(request, back);
  }

  /** The connection breaks, or nothing is heard; what was sent arrives all the same, within m. */
  #commitLate<T>(request: Attempt<T>, back: Back<T>): void {
    const arrivesMs = this.#random.between(0.3, 1) * this.conditions.writeLifeMs;
    const breaks = this.#random.chance(0.7);
    if (breaks) {
      const atMs = this.#random.fraction() * arrivesMs;
      this.#later(atMs, () => back.fail('store_unavailable', 'the connection was reset'));
    }
    this.#later(arrivesMs, () => void this.#arrives(request));
  }

  #travel<T>(request: Attempt<T>, back: Back<T>): void {
    const { sender: from } = request;
    const latestMs = request.isWrite ? this.conditions.writeLifeMs : LATE_READ_MS;
    const arrive = (): void => {
      from.held.delete(arrive);
      this.#arrive(request, back);
      for (const held of [...from.held]) held();
    };
    if (this.#meets('reorder', request)) {
      let isDone = false;
      const once = (): void => {
        if (isDone) return;
        isDone = true;
        from.held.delete(once);
        this.#arrive(request, back);
      };
      from.held.add(once);
      return this.#later(latestMs, once);
    }
    const isSlow = this.conditions.weather === 'slow';
    const isLong = this.#meets('delay', request) || isSlow;
    const legMs = isLong ? this.#random.between(LEG_MS.most, latestMs) : this.#leg();
    this.#later(Math.min(legMs, latestMs), arrive);
    if (!this.#meets('duplicate', request)) return;
    this.#later(this.#random.between(Math.min(legMs, latestMs), latestMs), () => void this.#arrives(request));
  }

  #arrive<T>(request: Attempt<T>, back: Back<T>): void {
    const { sender: from } = request;
    const done = this.#arrives(request);
    if (done === 'not' || from.link === 'no_answers') return;
    if ('value' in done && request.isWrite && this.#meets('answer_lost', request)) {
      if (this.#random.chance(0.5)) back.fail('store_unavailable', 'the connection was reset');
      return;
    }
    const isSlow = this.conditions.weather === 'slow' || this.#meets('delay', request);
    const legMs = isSlow ? this.#random.between(LEG_MS.most, LATE_ANSWER_MS) : this.#leg();
    this.#later(legMs, () => {
      if (from.link === 'cut' || from.link === 'no_answers') return;
      if ('value' in done) back.answer(done.value);
      else back.refuse(done.error);
    });
  }

  /** What it does there; a link that was cut meanwhile has swallowed it. */
  #arrives<T>(request: Attempt<T>): { readonly value: T } | { readonly error: unknown } | 'not' {
    const { link } = request.sender;
    if (link === 'cut' || link === 'no_requests' || this.conditions.weather === 'down') return 'not';
    try {
      return { value: request.arrive() };
    } catch (error) {
      return { error };
    }
  }

  #refuseOrVanish<T>(back: Back<T>, why: string): void {
    if (!this.#random.chance(REFUSED_AT_ONCE)) return;
    this.#later(this.#leg() * 3, () => back.fail('store_unavailable', why));
  }

  #meets<T>(kind: BackgroundFault, { sender: from, says }: Attempt<T>): boolean {
    const part = this.conditions.noise[kind] ?? 0;
    if (part === 0 || !this.#random.chance(part)) return false;
    this.#stage.tell({ type: 'fault', kind, subject: from.name, now: 'begins', says });
    return true;
  }

  #leg(): Millis {
    return this.#random.between(LEG_MS.least, LEG_MS.most);
  }

  #later(ms: Millis, fire: () => void): void {
    this.#stage.timeline.after(ms, fire);
  }
}

interface Back<T> {
  readonly answer: (value: T) => void;
  readonly fail: (code: FailureCode, why: string) => void;
  readonly refuse: (error: unknown) => void;
}
