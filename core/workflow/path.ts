/**
 * Reference paths: `$.a.b[0]`, `$['a b']`, and `$$.` into the context object.
 *
 * Nothing that may select more than one value (filters, slices, `..`, wildcards) is understood: the engines on which
 * a definition must run alike differ there.
 */
import type { Json } from './json.ts';
import { isJsonArray, isJsonObject } from './json.ts';

export interface Path {
  /** As written, for messages. */
  readonly text: string;
  /** Of the context object, not of the data. */
  readonly ofContext: boolean;
  readonly steps: readonly (string | number)[];
}

const STEP = /(?:\.([A-Za-z_][A-Za-z0-9_]*)|\[(\d{1,9})\]|\['((?:[^'\\[\]])+)'\])/y;

/** undefined: not a reference path. */
export function parsePath(text: string): Path | undefined {
  const ofContext = text.startsWith('$$');
  if (!text.startsWith('$')) return undefined;
  const steps: (string | number)[] = [];
  let at = ofContext ? 2 : 1;
  while (at < text.length) {
    STEP.lastIndex = at;
    const found = STEP.exec(text);
    if (found === null) return undefined;
    const [all, dotted, index, quoted] = found;
    steps.push(index === undefined ? (dotted ?? quoted ?? '') : Number(index));
    at += all.length;
  }
  return { text, ofContext, steps };
}

/** undefined: the path leads nowhere. A null found there is a value. */
export function readPath(root: Json, steps: readonly (string | number)[]): Json | undefined {
  let here: Json | undefined = root;
  for (const step of steps) {
    if (here === undefined) return undefined;
    if (typeof step === 'number') here = isJsonArray(here) ? here[step] : undefined;
    else here = isJsonObject(here) && Object.hasOwn(here, step) ? here[step] : undefined;
  }
  return here;
}

/**
 * A copy of `root` with `value` at the path. Missing objects are made; undefined where the path cannot be applied:
 * through a value that is neither an object nor missing, or to an element that an array does not have.
 */
export function writePath(root: Json, steps: readonly (string | number)[], value: Json): Json | undefined {
  const [step, ...rest] = steps;
  if (step === undefined) return value;
  if (typeof step === 'number') {
    if (!isJsonArray(root)) return undefined;
    const old = root[step];
    if (old === undefined) return undefined;
    const inner = writePath(old, rest, value);
    return inner === undefined ? undefined : root.map((item, at) => (at === step ? inner : item));
  }
  if (!isJsonObject(root)) return undefined;
  const inner = writePath(Object.hasOwn(root, step) ? (root[step] ?? {}) : {}, rest, value);
  return inner === undefined ? undefined : { ...root, [step]: inner };
}
