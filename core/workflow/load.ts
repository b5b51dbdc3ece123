/** Loads a definition, or refuses it with every problem found: each names the state, the field, the value, and what to change. */
import type * as z from 'zod';
import type { Machine, StateDefinition } from './machine.ts';
import { HaError } from '../failures/failures.ts';
import { DefinitionError } from './definition-error.ts';
import { buildState } from './build-state.ts';
import { isObject } from './json.ts';
import { reachProblems } from './reach.ts';
import { ScopeSchemas } from './schema.ts';

type Place = readonly PropertyKey[];

/** What loading has found so far, over all branches. */
interface Loading {
  /** Also of the states that did not load. */
  readonly names: Set<string>;
  readonly states: Map<string, StateDefinition>;
  readonly problems: string[];
}

const NESTING_MAX = 8;

/** Throws HaError `config_invalid` for everything the interpreter does not implement. */
export function load(asl: unknown): Machine {
  const loading: Loading = { names: new Set(), states: new Map(), problems: [] };
  const parsed = ScopeSchemas.machine.safeParse(asl);
  if (parsed.success) loadScope(loading, parsed.data, 'the machine', 0);
  else report(loading, 'the machine', asl, parsed.error);

  if (loading.problems.length > 0 || !parsed.success) {
    throw new HaError('config_invalid', `the workflow definition is refused:\n${loading.problems.join('\n')}`);
  }
  return {
    startAt: parsed.data.StartAt,
    timeoutSeconds: parsed.data.TimeoutSeconds ?? null,
    states: Object.fromEntries(loading.states),
  };
}

interface RawScope {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Loads the states of a machine, branch or item processor; `where` names it in messages. */
function loadScope(loading: Loading, scope: RawScope, where: string, depth: number): void {
  if (depth > NESTING_MAX) {
    loading.problems.push(`${where}: branches are nested deeper than ${NESTING_MAX}`);
    return;
  }
  const own = new Map<string, StateDefinition>();
  for (const [name, raw] of Object.entries(scope.States)) {
    if (name.length < 1 || name.length > 80) {
      loading.problems.push(`state ${shown(name)}: the name must have 1 to 80 characters`);
    }
    if (loading.names.has(name)) {
      loading.problems.push(`state ${shown(name)}: the name is used twice in this file`);
      continue;
    }
    loading.names.add(name);
    const state = loadState(loading, name, raw, depth);
    if (state === undefined) continue;
    own.set(name, state);
    loading.states.set(name, state);
  }
  // A state that did not load has been reported; without it the graph would only repeat that.
  if (loading.problems.length === 0) loading.problems.push(...reachProblems(scope.StartAt, own, where));
}

function loadState(
  loading: Loading,
  name: string,
  raw: Readonly<Record<string, unknown>>,
  depth: number,
): StateDefinition | undefined {
  const where = `state ${shown(name)}`;
  try {
    const built = buildState(raw);
    if ('issues' in built) {
      report(loading, where, raw, built.issues);
      return undefined;
    }
    for (const [index, branch] of built.branches.entries()) {
      const at = built.state.type === 'Map' ? 'ItemProcessor' : `Branches[${index}]`;
      const schema = built.state.type === 'Map' ? ScopeSchemas.itemProcessor : ScopeSchemas.branch;
      const parsed = schema.safeParse(branch);
      if (parsed.success) loadScope(loading, parsed.data, `${where}, ${at}`, depth + 1);
      else report(loading, `${where}, ${at}`, branch, parsed.error);
    }
    return built.state;
  } catch (error) {
    if (!(error instanceof DefinitionError)) throw error;
    loading.problems.push(problem({ where, at: error.at, value: error.value, message: error.message }));
    return undefined;
  }
}

function report(loading: Loading, where: string, raw: unknown, error: z.ZodError): void {
  for (const issue of error.issues) {
    const keys = issue.code === 'unrecognized_keys' ? issue.keys : [undefined];
    for (const key of keys) {
      const at: Place = key === undefined ? issue.path : [...issue.path, key];
      const value = valueAt(raw, at);
      const message =
        key !== undefined
          ? 'is not supported'
          : value === undefined && at.length > 0
            ? `is missing (${issue.message})`
            : issue.message;
      loading.problems.push(problem({ where, at, value, message }));
    }
  }
}

function problem(found: { where: string; at: Place; value: unknown; message: string }): string {
  const field = found.at.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');
  const got = found.value === undefined ? '' : ` (got ${shown(found.value)})`;
  return field === ''
    ? `${found.where}: ${found.message}${got}`
    : `${found.where}, field ${field}: ${found.message}${got}`;
}

function valueAt(raw: unknown, at: Place): unknown {
  let here = raw;
  for (const step of at) {
    if (Array.isArray(here)) here = here[Number(step)] as unknown;
    else if (isObject(here) && Object.hasOwn(here, step)) here = here[String(step)];
    else return undefined;
  }
  return here;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
