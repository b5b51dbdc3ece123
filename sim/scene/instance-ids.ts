/** Instance ids of drawn machines: the place of the host and the generation of its machine, in the form that EC2 gives them. */
import { invariant } from '../../core/failures/invariant.ts';

const HEX = 16;
const GENERATION_DIGITS = 2;
const ID = /^i-[0-9a-f]{17}$/;

export function instanceIdOf(place: number): string {
  return `i-${place.toString(HEX).padStart(17, '0')}`;
}

/** The id of the machine that takes the place of `first`, or of one before it: a scenario names only the first. */
export function replacementOf(first: string, generation: number): string {
  invariant(ID.test(first), `${first} is not an instance id of 17 digits`);
  invariant(generation > 0 && generation < HEX ** GENERATION_DIGITS, `a machine is replaced ${generation} times`);
  return `i-${generation.toString(HEX).padStart(GENERATION_DIGITS, '0')}${first.slice(2 + GENERATION_DIGITS)}`;
}
