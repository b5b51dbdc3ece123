/** Everything that is drawn before a run begins. With the seed it makes the run; a scenario file is one, written by a person. */
import type { GuardLevel } from '../../core/protocol/records.ts';
import type { Millis } from '../../core/time/time.ts';
import type { Noise, ScheduledFault } from './faults.ts';

export interface HostScene {
  readonly name: string;
  /** null: no EC2 instance; a server that nobody can power off. */
  readonly instanceId: string | null;
  readonly zone: string;
  readonly guardLevel: GuardLevel;
  /** 1 ± ρ at most. */
  readonly clockRate: number;
  readonly wallOffsetMs: Millis;
  readonly isOnAtFirst: boolean;
  /**
   * How its power goes when all others are healed, for good, so that the quiet phase has a failover of its own; absent: it is
   * healed too. EC2 shows a machine that has crashed as running.
   */
  readonly ends?: HostEnd | undefined;
}

export type HostEnd = 'stopped' | 'crashed';

/** What an operator does at a moment, by the API. */
export type OperatorAct =
  | { readonly at: Millis; readonly do: 'apply'; readonly yaml: string }
  | { readonly at: Millis; readonly do: 'move'; readonly where: string; readonly to: string | null }
  | { readonly at: Millis; readonly do: 'host'; readonly host: string; readonly verb: string }
  | { readonly at: Millis; readonly do: 'switch'; readonly isOn: boolean };

/** People see to hosts that have been silent for long, in the midst of everyone's faults (`sim/faults/apply.ts`). */
export interface LookAfter {
  readonly at: Millis;
  readonly do: 'look-after';
  readonly hosts: readonly string[];
}

export interface Scene {
  readonly seed: number;
  readonly profile: 'fast' | 'standard' | 'conservative' | 'demo';
  readonly cluster: string;
  /** The definition that is applied first. */
  readonly yaml: string;
  readonly hosts: readonly HostScene[];
  /** Faults are drawn until then: some 200 beats of a host that is not hindered. */
  readonly faultsForMs: Millis;
  /**
   * They go on until every host has beaten 200 times, for four times that long at most; hosts that have not are looked
   * after meanwhile. Not in scenes of a person.
   */
  readonly isFull?: boolean | undefined;
  /** Afterwards everything is healed, and it must come to rest (I5). */
  readonly quietForMs: Millis;
  readonly noise: Noise;
  readonly faults: readonly ScheduledFault[];
  readonly acts: readonly (OperatorAct | LookAfter)[];
}
