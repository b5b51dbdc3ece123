/** What may stand in a field whose name ends in `.$`: a reference path, or a call of an intrinsic function. */
import type { Json } from './json.ts';
import type { Path } from './path.ts';
import { parsePath } from './path.ts';

/** The intrinsic functions that HA workflows use. All others are refused when a definition is loaded. */
const CALLS = ['States.Format', 'States.MathAdd', 'States.ArrayLength', 'States.Array'] as const;
export type CallName = (typeof CALLS)[number];

export type Template =
  | { readonly is: 'literal'; readonly value: Json }
  | { readonly is: 'path'; readonly path: Path }
  | { readonly is: 'call'; readonly name: CallName; readonly text: string; readonly args: readonly Template[] }
  | { readonly is: 'array'; readonly items: readonly Template[] }
  | { readonly is: 'object'; readonly fields: readonly (readonly [string, Template])[] };

const NESTING_MAX = 10;

const NAME = /^[A-Za-z][A-Za-z0-9_.]*(?=\()/;
const QUOTED = /^'(?:[^'\\]|\\.)*'$/s;
const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function isCallName(name: string): name is CallName {
  return CALLS.some((known) => known === name);
}

/** A path or a call, as the value of a field whose name ends in `.$`; a string says what is wrong with it. */
export function parseExpression(text: string, depth = 0): Template | string {
  if (text.startsWith('$')) {
    const path = parsePath(text);
    return path === undefined ? 'is not a reference path such as $.a.b[0]' : { is: 'path', path };
  }
  const name = NAME.exec(text)?.[0];
  if (name === undefined || !text.endsWith(')')) return 'must be a path or an intrinsic function';
  if (!isCallName(name)) return `uses ${name}; only ${CALLS.join(', ')} are supported`;
  if (depth >= NESTING_MAX) return `nests calls deeper than ${NESTING_MAX}`;

  const pieces = splitArguments(text.slice(name.length + 1, -1));
  if (pieces === undefined) return 'has unbalanced quotes or parentheses';
  const args: Template[] = [];
  for (const piece of pieces) {
    const isPattern = name === 'States.Format' && args.length === 0;
    const arg = isPattern ? parsePattern(piece) : parseArgument(piece, depth);
    if (typeof arg === 'string') return arg;
    args.push(arg);
  }
  return arityProblem(name, args.length) ?? { is: 'call', name, text, args };
}

function arityProblem(name: CallName, count: number): string | undefined {
  if (name === 'States.Format' && count < 1) return `${name} needs a format string`;
  if (name === 'States.MathAdd' && count !== 2) return `${name} takes 2 arguments, got ${count}`;
  if (name === 'States.ArrayLength' && count !== 1) return `${name} takes 1 argument, got ${count}`;
  return undefined;
}

/** The format keeps its escapes, for only States.Format itself can tell `\{` from `{`. */
function parsePattern(text: string): Template | string {
  return QUOTED.test(text) ? { is: 'literal', value: text.slice(1, -1) } : 'needs its format as a string in quotes';
}

function parseArgument(text: string, depth: number): Template | string {
  if (text.startsWith("'")) {
    return QUOTED.test(text)
      ? { is: 'literal', value: text.slice(1, -1).replace(/\\(.)/gs, '$1') }
      : `has a malformed string ${text}`;
  }
  if (text === 'true' || text === 'false') return { is: 'literal', value: text === 'true' };
  if (text === 'null') return { is: 'literal', value: null };
  if (NUMBER.test(text)) return { is: 'literal', value: Number(text) };
  return parseExpression(text, depth + 1);
}

/** Splits at the commas that are neither in quotes nor in an inner call; undefined if these do not close. */
function splitArguments(text: string): readonly string[] | undefined {
  const pieces: string[] = [];
  let piece = '';
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (quoted && char === '\\') {
      piece += char + text.charAt(at + 1);
      at += 1;
      continue;
    }
    if (char === "'") quoted = !quoted;
    else if (!quoted && (char === '(' || char === '[')) depth += 1;
    else if (!quoted && (char === ')' || char === ']')) depth -= 1;
    if (depth < 0) return undefined;
    if (char === ',' && depth === 0 && !quoted) {
      pieces.push(piece.trim());
      piece = '';
    } else {
      piece += char;
    }
  }
  if (quoted || depth !== 0) return undefined;
  return piece.trim() === '' && pieces.length === 0 ? [] : [...pieces, piece.trim()];
}
