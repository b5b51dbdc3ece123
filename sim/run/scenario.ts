/**
 * A scenario: a scene as a text that operators can read and write, with what must come of it. A shrunk failure is printed in
 * the same form, so that a found bug becomes a pinned one by copying it into test/scenarios/.
 */
import type { EvidenceKind } from '../../core/config/model.ts';
import type { Mutation } from '../contract/mutations.ts';
import type { Scene } from '../contract/scene.ts';

export interface Scenario {
  /** Lines of the comment on top, without the `#`. */
  readonly comment: readonly string[];
  readonly scene: Scene;
  readonly mutation: Mutation | null;
  readonly expectations: readonly Expectation[];
}

export type Expectation =
  | { readonly expect: 'no violations' }
  /** Of this invariant at least one. */
  | { readonly expect: 'violation'; readonly invariant: string }
  /** At the end; `by`: the evidence by which it took over from the owner before. */
  | {
      readonly expect: 'owner';
      readonly where: string;
      readonly host: string;
      readonly by: EvidenceKind | null;
    }
  /** At some time the slot changed its owner by this evidence. */
  | { readonly expect: 'failover'; readonly where: string; readonly by: EvidenceKind }
  /** The slot's owner and epoch stayed what they were when the faults began. */
  | { readonly expect: 'no failover'; readonly where: string }
  /** Somebody was called, with this text in the call. */
  | { readonly expect: 'page'; readonly text: string }
  /** The workflow entered the state at least once. */
  | { readonly expect: 'state'; readonly state: string };

export const EVIDENCE_KINDS = [
  'released',
  'closed',
  'successor',
  'power-off',
  'lease-over',
  'witnessed',
] as const satisfies readonly EvidenceKind[];

export class ScenarioError extends Error {
  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
    this.name = 'ScenarioError';
  }
}
