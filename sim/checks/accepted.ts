/** What hosts have written into their heartbeat items so far: what each session registered, and its last accepted write. */
import type { SessionTiming } from '../../core/protocol/records.ts';
import type { Millis } from '../../core/time/time.ts';
import type { Told } from '../contract/truth.ts';

type Beat = Extract<Told, { type: 'beat' }>;

export interface Accepted {
  readonly host: string;
  readonly machine: string;
  /** undefined: its registration was not told. */
  readonly timing: SessionTiming | undefined;
  /** The moment at which its last registration or renewal was taken, and the number that the store gave it. */
  lastMs: Millis;
  seq: number;
}

export class AcceptedBeats {
  readonly #sessions = new Map<string, Accepted>();

  see(fact: Beat): void {
    const { session, host, machine, seq, at, registered } = fact;
    const known = this.#sessions.get(session);
    if (known === undefined) {
      this.#sessions.set(session, { host, machine, timing: registered, lastMs: at, seq });
    } else {
      known.lastMs = at;
      known.seq = seq;
    }
  }

  of(session: string): Accepted | undefined {
    return this.#sessions.get(session);
  }
}
