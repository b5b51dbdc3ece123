/**
 * The fields of each state type, parsed once into what the interpreter runs on.
 *
 * Strict: a field that is not implemented is refused here rather than ignored, because a definition that means one
 * thing in the console and another on this machine is worse than one that does not load.
 */
import * as z from 'zod';
import type { Template } from './expression.ts';
import type { Catcher, Retrier, Rule } from './machine.ts';
import type { Path } from './path.ts';
import { DefinitionError } from './definition-error.ts';
import { parsePath } from './path.ts';
import { compileRule, variablesOf } from './rule.ts';
import { compileTemplate, pathsOf } from './template.ts';

const SECONDS_MAX = 99_999_999;
const MAX_DELAY_SECONDS_MAX = 31_622_399;
const ROOT: Path = { text: '$', ofContext: false, steps: [] };

type Reader = 'field' | 'itemSelector' | 'resultPath';

/** What may be read of the context object is what every engine supplies alike, in that place. */
function contextProblem(path: Path, reader: Reader): string | undefined {
  if (!path.ofContext) return undefined;
  if (reader === 'resultPath') return 'cannot point into the context object';
  const [first, second, third] = path.steps;
  if (first === 'Execution' && (second === 'Name' || second === 'Input' || second === 'StartTime')) return undefined;
  if (first === 'Map' && second === 'Item' && (third === 'Index' || third === 'Value')) {
    return reader === 'itemSelector' ? undefined : '$$.Map.Item can be read in ItemSelector only';
  }
  return 'of the context object only $$.Execution.Name, .Input, .StartTime and $$.Map.Item.Index, .Value are supported';
}

function path(reader: Reader) {
  return z.string().transform((text, ctx): Path => {
    const parsed = parsePath(text);
    const problem = parsed === undefined ? 'must be a reference path such as $.a.b[0]' : contextProblem(parsed, reader);
    if (parsed === undefined || problem !== undefined) {
      ctx.addIssue({ code: 'custom', message: problem ?? '' });
      return z.NEVER;
    }
    return parsed;
  });
}

/** Runs a compiler that throws DefinitionError, and turns that into an issue with its place. */
function compiled<T>(compile: (raw: unknown) => T) {
  return z.unknown().transform((raw, ctx): T => {
    try {
      return compile(raw);
    } catch (error) {
      if (!(error instanceof DefinitionError)) throw error;
      ctx.addIssue({ code: 'custom', message: error.message, path: [...error.at] });
      return z.NEVER;
    }
  });
}

function template(reader: Reader) {
  return compiled((raw): Template => {
    const result = compileTemplate(raw);
    if (result.is !== 'object') throw new DefinitionError([], raw, 'must be an object');
    for (const used of pathsOf(result)) {
      const problem = contextProblem(used, reader);
      if (problem !== undefined) throw new DefinitionError([], raw, `${used.text}: ${problem}`);
    }
    return result;
  });
}

const name = z.string().min(1).max(80);
const seconds = z.int().min(1).max(SECONDS_MAX);

const shared = { Type: z.string(), Comment: z.string().optional(), QueryLanguage: z.literal('JSONPath').optional() };
const narrowing = {
  ...shared,
  InputPath: path('field').nullable().default(ROOT),
  OutputPath: path('field').nullable().default(ROOT),
};
const forward = { ...narrowing, Next: name.optional(), End: z.literal(true).optional() };

const retrier = z
  .strictObject({
    ErrorEquals: z.array(z.string().min(1)),
    IntervalSeconds: seconds.default(1),
    MaxAttempts: z.int().min(0).max(SECONDS_MAX).default(3),
    BackoffRate: z.number().min(1).default(2),
    MaxDelaySeconds: z.int().min(1).max(MAX_DELAY_SECONDS_MAX).optional(),
    Comment: z.string().optional(),
  })
  .refine((raw) => raw.MaxDelaySeconds === undefined || raw.MaxDelaySeconds > raw.IntervalSeconds, {
    path: ['MaxDelaySeconds'],
    message: 'must be greater than IntervalSeconds',
  })
  .transform((raw): Retrier => ({
    errorEquals: raw.ErrorEquals,
    intervalSeconds: raw.IntervalSeconds,
    maxAttempts: raw.MaxAttempts,
    backoffRate: raw.BackoffRate,
    maxDelaySeconds: raw.MaxDelaySeconds ?? null,
  }));

const catcher = z
  .strictObject({
    ErrorEquals: z.array(z.string().min(1)),
    ResultPath: path('resultPath').nullable().default(ROOT),
    Next: name,
    Comment: z.string().optional(),
  })
  .transform((raw): Catcher => ({ errorEquals: raw.ErrorEquals, resultPath: raw.ResultPath, next: raw.Next }));

const result = {
  ResultSelector: template('field').optional(),
  ResultPath: path('resultPath').nullable().default(ROOT),
};
const working = { ...forward, ...result, Retry: z.array(retrier).default([]), Catch: z.array(catcher).default([]) };

export const StateSchemas = {
  Task: z.strictObject({
    ...working,
    Resource: z.string().min(1),
    Parameters: template('field').optional(),
    TimeoutSeconds: seconds.optional(),
  }),
  Pass: z
    .strictObject({
      ...forward,
      Result: z.json().optional(),
      Parameters: template('field').optional(),
      ResultPath: result.ResultPath,
    })
    .refine((raw) => raw.Result === undefined || raw.Parameters === undefined, {
      path: ['Parameters'],
      message: 'cannot stand beside Result',
    }),
  Choice: z.strictObject({
    ...narrowing,
    Choices: z.array(z.looseObject({ Next: name })).min(1),
    Default: name.optional(),
  }),
  Wait: z
    .strictObject({
      ...forward,
      Seconds: z.int().min(0).max(SECONDS_MAX).optional(),
      SecondsPath: path('field').optional(),
    })
    .refine((raw) => (raw.Seconds === undefined) !== (raw.SecondsPath === undefined), {
      path: ['Seconds'],
      message: 'exactly one of Seconds and SecondsPath is needed',
    }),
  Parallel: z.strictObject({
    ...working,
    Parameters: template('field').optional(),
    Branches: z.array(z.unknown()).min(1),
  }),
  Map: z.strictObject({
    ...working,
    ItemsPath: path('field').default(ROOT),
    ItemSelector: template('itemSelector').optional(),
    MaxConcurrency: z.int().min(0).max(SECONDS_MAX).default(0),
    ItemProcessor: z.looseObject({ ProcessorConfig: z.strictObject({ Mode: z.literal('INLINE') }).optional() }),
  }),
  Succeed: z.strictObject(narrowing),
  Fail: z.strictObject({ ...shared, Error: z.string().optional(), Cause: z.string().optional() }),
};

/** One rule per choice; throws DefinitionError whose place begins with `Choices`. */
export function compileChoices(
  choices: readonly { readonly Next: string }[],
): readonly { readonly rule: Rule; readonly next: string }[] {
  return choices.map((choice, index) => {
    const rule = compileRule(choice, ['Choices', index]);
    for (const used of variablesOf(rule)) {
      const problem = contextProblem(used, 'field');
      if (problem !== undefined) throw new DefinitionError(['Choices', index], choice, `${used.text}: ${problem}`);
    }
    return { rule, next: choice.Next };
  });
}

const scope = {
  Comment: z.string().optional(),
  QueryLanguage: z.literal('JSONPath').optional(),
  StartAt: name,
  States: z.record(z.string(), z.looseObject({ Type: z.string() })),
};

/** A machine, a branch or an item processor, with its states still raw. */
export const ScopeSchemas = {
  machine: z.strictObject({ ...scope, Version: z.literal('1.0').optional(), TimeoutSeconds: seconds.optional() }),
  branch: z.strictObject(scope),
  itemProcessor: z.strictObject({ ...scope, ProcessorConfig: z.unknown().optional() }),
};
