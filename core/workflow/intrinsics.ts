/** The intrinsic functions themselves. A call that cannot be done fails the state with States.IntrinsicFailure. */
import type { CallName } from './expression.ts';
import type { Json } from './json.ts';
import { isJsonArray } from './json.ts';
import { StateFailure } from './state-failure.ts';

const INT_MAX = 2_147_483_647;

function refused(text: string, why: string): never {
  throw new StateFailure('States.IntrinsicFailure', `${text}: ${why}`);
}

function wholeNumber(value: Json | undefined, text: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || Math.abs(value) > INT_MAX) {
    refused(text, `needs whole 32-bit numbers, got ${JSON.stringify(value)}`);
  }
  return value;
}

/** Fills `{}` one after the other; `\'`, `\{`, `\}` and `\\` stand for the character itself. */
function format(values: readonly Json[], text: string): string {
  const [pattern, ...rest] = values;
  if (typeof pattern !== 'string') refused(text, `the format must be a string, got ${JSON.stringify(pattern)}`);
  let used = 0;
  const filled = pattern.replace(/\\(.)|\{\}/gs, (_match, escaped: string | undefined) => {
    if (escaped !== undefined) return escaped;
    const value = rest[used];
    used += 1;
    if (value === undefined) refused(text, 'has more {} than values');
    if (typeof value === 'object' && value !== null) refused(text, 'cannot format an object or an array');
    return String(value);
  });
  if (used !== rest.length) refused(text, `has ${rest.length} values for ${used} {}`);
  return filled;
}

export function callIntrinsic(name: CallName, args: readonly Json[], text: string): Json {
  switch (name) {
    case 'States.Format':
      return format(args, text);
    case 'States.MathAdd':
      return wholeNumber(args[0], text) + wholeNumber(args[1], text) + 0;
    case 'States.ArrayLength': {
      const items = args[0] ?? null;
      return isJsonArray(items) ? items.length : refused(text, `needs an array, got ${JSON.stringify(items)}`);
    }
    case 'States.Array':
      return args;
  }
}
