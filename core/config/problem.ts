/** What is wrong with a definition, said so that a person can change it without reading code. */
export type Path = readonly (string | number)[];

export interface Position {
  readonly file?: string | undefined;
  readonly line: number;
  readonly column: number;
}

export interface Problem {
  /** `groups[0].services[1].agent`; empty for the document as a whole. */
  readonly path: string;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  /** The value found, shortened. */
  readonly got: string;
  /** What to write instead. */
  readonly change: string;
  /** The rule of SAFETY.md that it breaks, if it is one of those. */
  readonly rule?: string | undefined;
}

/** Accepted, but an operator should know. */
export interface DefinitionWarning {
  readonly path: string;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  readonly says: string;
  readonly rule?: string | undefined;
}

/** Finds where a path stands in the text; the nearest parent stands in for what is missing. */
export type Locate = (path: Path) => Position | undefined;

/** A problem or a warning before its place in the text is known. */
export interface Finding {
  readonly at: Path;
  readonly got: string;
  readonly change: string;
  readonly rule?: string | undefined;
}

export interface Remark {
  readonly at: Path;
  readonly says: string;
  readonly rule?: string | undefined;
}

export function pathText(path: Path): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
    .join('')
    .replace(/^\./, '');
}

export function toProblem({ at, ...finding }: Finding, locate: Locate): Problem {
  return { path: pathText(at), ...locate(at), ...finding };
}

export function toWarning({ at, ...remark }: Remark, locate: Locate): DefinitionWarning {
  return { path: pathText(at), ...locate(at), ...remark };
}

const SHOWN_MAX = 60;

/** A value as an operator recognises it; lists and mappings are named, not printed, so that this is bounded. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'an empty value';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') return 'a mapping';
  const isPlain = typeof value === 'number' || typeof value === 'boolean';
  const text = isPlain ? String(value) : typeof value === 'string' ? JSON.stringify(value) : `a ${typeof value}`;
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX - 1)}…`;
}

/** The value at a path of plain data; undefined where the path leaves it. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}

/** One line for a terminal: `cluster.yaml:12:7 groups[0].name: got "X"; must be …  [V3]`. */
export function problemText(problem: Problem): string {
  const rule = problem.rule === undefined ? '' : ` [${problem.rule}]`;
  return `${placeText(problem)}: got ${problem.got}; ${problem.change}${rule}`;
}

export function warningText(warning: DefinitionWarning): string {
  const rule = warning.rule === undefined ? '' : ` [${warning.rule}]`;
  return `${placeText(warning)}: ${warning.says}${rule}`;
}

function placeText(at: Pick<Problem, 'path' | 'file' | 'line' | 'column'>): string {
  const line = at.line === undefined ? '' : `${at.line}:${at.column ?? 1}`;
  const file =
    at.file === undefined ? (line === '' ? '' : `line ${line}`) : line === '' ? at.file : `${at.file}:${line}`;
  return [file, at.path === '' ? 'document' : at.path].filter((part) => part !== '').join(' ');
}
