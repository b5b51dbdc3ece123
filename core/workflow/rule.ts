/** Choice rules: compiled at load, tested against the state's input. */
import type { Path } from './path.ts';
import type { Comparison, Rule } from './machine.ts';
import type { Scene } from './template.ts';
import { DefinitionError } from './definition-error.ts';
import { isObject } from './json.ts';
import { parsePath, readPath } from './path.ts';
import { readOrFail } from './template.ts';

const OPERAND: Readonly<Record<Comparison, 'string' | 'number' | 'boolean'>> = {
  StringEquals: 'string',
  NumericEquals: 'number',
  NumericGreaterThan: 'number',
  NumericGreaterThanEquals: 'number',
  NumericLessThan: 'number',
  NumericLessThanEquals: 'number',
  BooleanEquals: 'boolean',
  IsPresent: 'boolean',
  IsNull: 'boolean',
};

const NESTING_MAX = 10;

function isComparison(key: string): key is Comparison {
  return Object.hasOwn(OPERAND, key);
}

/** Compiles what stands beside `Next` in a choice; throws DefinitionError. */
export function compileRule(raw: unknown, at: readonly (string | number)[]): Rule {
  if (at.length > 2 * NESTING_MAX) throw new DefinitionError(at, raw, `rules are nested deeper than ${NESTING_MAX}`);
  if (!isObject(raw)) throw new DefinitionError(at, raw, 'must be a rule');
  const isTop = at.length === 2;
  const keys = Object.keys(raw).filter((key) => key !== 'Comment' && !(isTop && key === 'Next'));
  const [key] = keys.filter((candidate) => candidate !== 'Variable');

  if (key === 'And' || key === 'Or') {
    const rules = raw[key];
    onlyKey(keys, raw, at);
    if (!Array.isArray(rules) || rules.length === 0) {
      throw new DefinitionError([...at, key], rules, 'must be a list of at least one rule');
    }
    const op = key === 'And' ? 'and' : 'or';
    return { op, rules: rules.map((rule: unknown, index) => compileRule(rule, [...at, key, index])) };
  }
  if (key === 'Not') {
    onlyKey(keys, raw, at);
    return { op: 'not', rule: compileRule(raw['Not'], [...at, key]) };
  }
  return compileComparison(raw, keys, at);
}

function onlyKey(
  keys: readonly string[],
  raw: Readonly<Record<string, unknown>>,
  at: readonly (string | number)[],
): void {
  const extra = keys.find((key) => key !== 'And' && key !== 'Or' && key !== 'Not');
  if (keys.length > 1) {
    throw new DefinitionError([...at, extra ?? 'And'], raw[extra ?? 'And'], 'cannot stand beside another operator');
  }
}

function compileComparison(
  raw: Readonly<Record<string, unknown>>,
  keys: readonly string[],
  at: readonly (string | number)[],
): Rule {
  const variable = typeof raw['Variable'] === 'string' ? parsePath(raw['Variable']) : undefined;
  if (variable === undefined) {
    throw new DefinitionError([...at, 'Variable'], raw['Variable'], 'must be a reference path such as $.a.b[0]');
  }
  const [op, extra] = keys.filter((key) => key !== 'Variable');
  if (op === undefined) throw new DefinitionError(at, raw, 'has no comparison');
  if (extra !== undefined)
    throw new DefinitionError([...at, extra], raw[extra], 'cannot stand beside another operator');
  if (!isComparison(op)) throw new DefinitionError([...at, op], raw[op], 'is not supported');
  const expected = raw[op];
  if (typeof expected !== 'string' && typeof expected !== 'number' && typeof expected !== 'boolean') {
    throw new DefinitionError([...at, op], expected, `must be a ${OPERAND[op]}`);
  }
  if (typeof expected !== OPERAND[op]) throw new DefinitionError([...at, op], expected, `must be a ${OPERAND[op]}`);
  return { op, variable, expected };
}

export function variablesOf(rule: Rule): readonly Path[] {
  if (rule.op === 'and' || rule.op === 'or') return rule.rules.flatMap(variablesOf);
  return rule.op === 'not' ? variablesOf(rule.rule) : [rule.variable];
}

/** A value of another type than the operator's is no match; a missing one fails the state, but for IsPresent. */
export function testRule(rule: Rule, scene: Scene): boolean {
  switch (rule.op) {
    case 'and':
      return rule.rules.every((inner) => testRule(inner, scene));
    case 'or':
      return rule.rules.some((inner) => testRule(inner, scene));
    case 'not':
      return !testRule(rule.rule, scene);
    case 'IsPresent': {
      const root = rule.variable.ofContext ? scene.context : scene.data;
      return (readPath(root, rule.variable.steps) !== undefined) === rule.expected;
    }
    case 'IsNull':
      return (readOrFail(rule.variable, scene) === null) === rule.expected;
    case 'StringEquals':
    case 'NumericEquals':
    case 'BooleanEquals':
      return readOrFail(rule.variable, scene) === rule.expected;
    case 'NumericGreaterThan':
      return compareNumbers(rule, scene, (found, expected) => found > expected);
    case 'NumericGreaterThanEquals':
      return compareNumbers(rule, scene, (found, expected) => found >= expected);
    case 'NumericLessThan':
      return compareNumbers(rule, scene, (found, expected) => found < expected);
    case 'NumericLessThanEquals':
      return compareNumbers(rule, scene, (found, expected) => found <= expected);
  }
}

function compareNumbers(
  rule: { readonly variable: Path; readonly expected: string | number | boolean },
  scene: Scene,
  holds: (found: number, expected: number) => boolean,
): boolean {
  const found = readOrFail(rule.variable, scene);
  return typeof found === 'number' && typeof rule.expected === 'number' && holds(found, rule.expected);
}
