/** What a large run must have reached: each kind of fault and each state of the workflow. */
import { readFileSync } from 'node:fs';
import { BACKGROUND_FAULTS, type FaultKind, SCHEDULED_FAULTS } from '../contract/faults.ts';

/** A run of so many seeds must reach everything; a smaller one says what it has not. */
export const COVERING_SEEDS = 1000;

export interface Coverage {
  readonly kinds: readonly FaultKind[];
  readonly states: readonly string[];
}

/** Everything there is to reach; the states are read from the workflow file itself. */
export function coverage(): Coverage {
  const asl: unknown = JSON.parse(
    readFileSync(new URL('../../stepfunctions/ha-run.asl.json', import.meta.url), 'utf8'),
  );
  return {
    kinds: [...Object.keys(BACKGROUND_FAULTS), ...Object.keys(SCHEDULED_FAULTS)].filter(isFaultKind),
    states: statesIn(asl),
  };
}

function isFaultKind(kind: string): kind is FaultKind {
  return Object.hasOwn(BACKGROUND_FAULTS, kind) || Object.hasOwn(SCHEDULED_FAULTS, kind);
}

/** Names of all states, in the order of the file, those inside Parallel and Map included. */
export function statesIn(asl: unknown): readonly string[] {
  if (Array.isArray(asl)) return asl.flatMap(statesIn);
  if (typeof asl !== 'object' || asl === null) return [];
  return Object.entries(asl).flatMap(([key, value]: [string, unknown]) => {
    const own = key === 'States' && typeof value === 'object' && value !== null ? Object.keys(value) : [];
    return [...own, ...statesIn(value)];
  });
}
