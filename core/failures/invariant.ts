/** Ends the unit of work on a bug: the Lambda fails, the agent exits and its supervisor applies the stop rule. */
export function invariant(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`invariant violated: ${what}`);
}

/** Compile-time proof that a switch covers its union. */
export function unreachable(value: never): never {
  throw new Error(`invariant violated: unexpected ${JSON.stringify(value)}`);
}
