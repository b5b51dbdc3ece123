/** A simulated world as a run sees it: put together, and driven through its phases. */
import type { Random } from '../kernel/random.ts';
import type { Timeline } from '../kernel/timeline.ts';
import type { Mutation } from '../contract/mutations.ts';
import type { ApiAnswer } from '../contract/operator.ts';
import type { OperatorAct, Scene } from '../contract/scene.ts';
import type { Checker, Fact } from '../contract/truth.ts';

export interface World {
  readonly checkers: readonly Checker[];
  /** Power on, schedules on; nothing fails yet. */
  begin(): void;
  /** One pass of reconcile more than the schedule has. */
  reconcile(): void;
  act(act: OperatorAct): Promise<ApiAnswer>;
  /** What still keeps the scene from being placed as its definition says; null: all of it runs. */
  whyNotPlaced(): string | null;
  /** From now on background faults are drawn, and faults and operators' acts come as scheduled; times count from now. */
  beginFaults(): void;
  /** Ends the faults of these hosts alone, and brings them back, while those of others go on. */
  lookAfter(hosts: readonly string[]): void;
  /** Ends every fault that is under way: what was off is on, what was cut is whole. */
  healAll(): void;
}

export interface WorldStage {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly tell: (fact: Fact) => void;
  readonly mutation: Mutation | null;
}

export type MakeWorld = (stage: WorldStage, scene: Scene) => World;

/** Tells of promises that were rejected and that nobody awaits, until the answer is called. */
export type Strays = (listener: (error: unknown) => void) => () => void;

export interface RunOptions {
  readonly mutation: Mutation | null;
  /** Keep every fact for the report; otherwise they are only counted and hashed. */
  readonly keep: boolean;
  readonly strays?: Strays;
  /** Go on after the first violation. */
  readonly isGoingOn?: boolean;
}
