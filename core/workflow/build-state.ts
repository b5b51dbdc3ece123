/** From the parsed fields of one state to the definition that the interpreter runs on. */
import type * as z from 'zod';
import type { Template } from './expression.ts';
import type { StateDefinition } from './machine.ts';
import { DefinitionError } from './definition-error.ts';
import { errorEqualsProblem } from './error-names.ts';
import { isObject } from './json.ts';
import { compileChoices, StateSchemas } from './schema.ts';

/** A state, and the branches or item processor inside it, still raw. */
export interface Built {
  readonly state: StateDefinition;
  readonly branches: readonly unknown[];
}

type Outcome = Built | { readonly issues: z.ZodError };

const LAMBDA_INVOKE = /^arn:aws[a-z-]*:states:::lambda:invoke$/;
const INTEGRATION = /^arn:aws[a-z-]*:states:/;

/** Throws DefinitionError for what no schema says. */
export function buildState(raw: Readonly<Record<string, unknown>>): Outcome {
  switch (raw['Type']) {
    case 'Task':
      return buildTask(raw);
    case 'Pass':
      return buildPass(raw);
    case 'Choice':
      return buildChoice(raw);
    case 'Wait':
      return buildWait(raw);
    case 'Parallel':
      return buildParallel(raw);
    case 'Map':
      return buildMap(raw);
    case 'Succeed': {
      const parsed = StateSchemas.Succeed.safeParse(raw);
      if (!parsed.success) return { issues: parsed.error };
      return leaf({ type: 'Succeed', inputPath: parsed.data.InputPath, outputPath: parsed.data.OutputPath });
    }
    case 'Fail': {
      const parsed = StateSchemas.Fail.safeParse(raw);
      if (!parsed.success) return { issues: parsed.error };
      return leaf({ type: 'Fail', error: parsed.data.Error ?? null, cause: parsed.data.Cause ?? null });
    }
    default:
      throw new DefinitionError(['Type'], raw['Type'], `must be one of ${Object.keys(StateSchemas).join(', ')}`);
  }
}

function leaf(state: StateDefinition): Built {
  return { state, branches: [] };
}

function forward(raw: { readonly Next?: string | undefined; readonly End?: true | undefined }): string | null {
  if ((raw.Next === undefined) === (raw.End === undefined)) {
    throw new DefinitionError(['Next'], raw.Next, 'exactly one of Next and End is needed');
  }
  return raw.Next ?? null;
}

type Parsed<T extends keyof typeof StateSchemas> = z.infer<(typeof StateSchemas)[T]>;

function narrowing(raw: Pick<Parsed<'Succeed'>, 'InputPath' | 'OutputPath'>) {
  return { inputPath: raw.InputPath, outputPath: raw.OutputPath };
}

function working(
  raw: Pick<
    Parsed<'Task'>,
    'InputPath' | 'OutputPath' | 'Next' | 'End' | 'ResultSelector' | 'ResultPath' | 'Retry' | 'Catch'
  >,
) {
  checkErrorNames('Retry', raw.Retry);
  checkErrorNames('Catch', raw.Catch);
  return {
    ...narrowing(raw),
    next: forward(raw),
    resultSelector: raw.ResultSelector ?? null,
    resultPath: raw.ResultPath,
    retry: raw.Retry,
    catch: raw.Catch,
  };
}

function checkErrorNames(field: string, entries: readonly { readonly errorEquals: readonly string[] }[]): void {
  for (const [index, { errorEquals }] of entries.entries()) {
    const problem = errorEqualsProblem(errorEquals, index === entries.length - 1);
    if (problem !== undefined) throw new DefinitionError([field, index, 'ErrorEquals'], errorEquals, problem);
  }
}

function buildTask(raw: unknown): Outcome {
  const parsed = StateSchemas.Task.safeParse(raw);
  if (!parsed.success) return { issues: parsed.error };
  const { Resource: resource, Parameters: parameters, TimeoutSeconds: timeoutSeconds } = parsed.data;
  const isLambdaInvoke = LAMBDA_INVOKE.test(resource);
  if (INTEGRATION.test(resource) && !isLambdaInvoke) {
    throw new DefinitionError(['Resource'], resource, 'of the service integrations only lambda:invoke is supported');
  }
  if (resource.includes('${')) throw new DefinitionError(['Resource'], resource, 'holds an unsubstituted name');
  if (isLambdaInvoke) checkLambdaParameters(parameters, isObject(raw) ? raw['Parameters'] : undefined);
  return leaf({
    type: 'Task',
    ...working(parsed.data),
    resource,
    isLambdaInvoke,
    parameters: parameters ?? null,
    timeoutSeconds: timeoutSeconds ?? null,
  });
}

function checkLambdaParameters(parameters: Template | undefined, raw: unknown): void {
  const fields = parameters?.is === 'object' ? parameters.fields : [];
  const unknown = fields.find(([field]) => field !== 'FunctionName' && field !== 'Payload');
  if (unknown !== undefined) {
    throw new DefinitionError(['Parameters', unknown[0]], raw, 'lambda:invoke takes FunctionName and Payload only');
  }
  const fn = fields.find(([field]) => field === 'FunctionName')?.[1];
  const isName = fn !== undefined && (fn.is !== 'literal' || (typeof fn.value === 'string' && fn.value !== ''));
  if (!isName || fn.is === 'object' || fn.is === 'array') {
    throw new DefinitionError(['Parameters', 'FunctionName'], raw, 'lambda:invoke needs the name or ARN of a function');
  }
  if (fn.is === 'literal' && typeof fn.value === 'string' && fn.value.includes('${')) {
    throw new DefinitionError(['Parameters', 'FunctionName'], fn.value, 'holds an unsubstituted name');
  }
}

function buildPass(raw: unknown): Outcome {
  const parsed = StateSchemas.Pass.safeParse(raw);
  if (!parsed.success) return { issues: parsed.error };
  const { Result: value, Parameters: parameters, ResultPath: resultPath } = parsed.data;
  return leaf({
    type: 'Pass',
    ...narrowing(parsed.data),
    next: forward(parsed.data),
    result: value === undefined ? null : { value },
    parameters: parameters ?? null,
    resultPath,
  });
}

function buildChoice(raw: unknown): Outcome {
  const parsed = StateSchemas.Choice.safeParse(raw);
  if (!parsed.success) return { issues: parsed.error };
  return leaf({
    type: 'Choice',
    ...narrowing(parsed.data),
    choices: compileChoices(parsed.data.Choices),
    default: parsed.data.Default ?? null,
  });
}

function buildWait(raw: unknown): Outcome {
  const parsed = StateSchemas.Wait.safeParse(raw);
  if (!parsed.success) return { issues: parsed.error };
  const seconds = parsed.data.Seconds ?? parsed.data.SecondsPath;
  if (seconds === undefined) throw new DefinitionError(['Seconds'], undefined, 'is missing');
  return leaf({ type: 'Wait', ...narrowing(parsed.data), next: forward(parsed.data), seconds });
}

function startOf(branch: unknown): string {
  return isObject(branch) && typeof branch['StartAt'] === 'string' ? branch['StartAt'] : '';
}

function buildParallel(raw: unknown): Outcome {
  const parsed = StateSchemas.Parallel.safeParse(raw);
  if (!parsed.success) return { issues: parsed.error };
  const branches = parsed.data.Branches;
  return {
    state: {
      type: 'Parallel',
      ...working(parsed.data),
      parameters: parsed.data.Parameters ?? null,
      branches: branches.map(startOf),
    },
    branches,
  };
}

function buildMap(raw: unknown): Outcome {
  const parsed = StateSchemas.Map.safeParse(raw);
  if (!parsed.success) return { issues: parsed.error };
  return {
    state: {
      type: 'Map',
      ...working(parsed.data),
      itemsPath: parsed.data.ItemsPath,
      itemSelector: parsed.data.ItemSelector ?? null,
      maxConcurrency: parsed.data.MaxConcurrency,
      processor: startOf(parsed.data.ItemProcessor),
    },
    branches: [parsed.data.ItemProcessor],
  };
}
