/** A loaded definition: checked, compiled, plain JSON. State names are unique across the whole file, so one table holds them all. */
import type { Template } from './expression.ts';
import type { Json } from './json.ts';
import type { Path } from './path.ts';

export interface Machine {
  readonly startAt: string;
  /** null: an execution may run for ever. */
  readonly timeoutSeconds: number | null;
  readonly states: Readonly<Record<string, StateDefinition>>;
}

export interface Retrier {
  readonly errorEquals: readonly string[];
  readonly intervalSeconds: number;
  readonly maxAttempts: number;
  readonly backoffRate: number;
  readonly maxDelaySeconds: number | null;
}

export interface Catcher {
  readonly errorEquals: readonly string[];
  /** null: the error is dropped and the state's input goes on. */
  readonly resultPath: Path | null;
  readonly next: string;
}

export type Rule =
  | { readonly op: 'and'; readonly rules: readonly Rule[] }
  | { readonly op: 'or'; readonly rules: readonly Rule[] }
  | { readonly op: 'not'; readonly rule: Rule }
  | { readonly op: Comparison; readonly variable: Path; readonly expected: string | number | boolean };

export type Comparison =
  | 'StringEquals'
  | 'NumericEquals'
  | 'NumericGreaterThan'
  | 'NumericGreaterThanEquals'
  | 'NumericLessThan'
  | 'NumericLessThanEquals'
  | 'BooleanEquals'
  | 'IsPresent'
  | 'IsNull';

/** InputPath and OutputPath; null stands for the empty object. */
interface Narrowing {
  readonly inputPath: Path | null;
  readonly outputPath: Path | null;
}

interface Forward extends Narrowing {
  /** null: the end of its branch, iteration or machine. */
  readonly next: string | null;
}

interface Working extends Forward {
  readonly resultSelector: Template | null;
  /** null: the result is dropped and the input goes on. */
  readonly resultPath: Path | null;
  readonly retry: readonly Retrier[];
  readonly catch: readonly Catcher[];
}

export interface TaskState extends Working {
  readonly type: 'Task';
  readonly resource: string;
  /** The `lambda:invoke` integration: function and payload come out of the parameters, the answer lies under `Payload`. */
  readonly isLambdaInvoke: boolean;
  readonly parameters: Template | null;
  readonly timeoutSeconds: number | null;
}

export interface PassState extends Forward {
  readonly type: 'Pass';
  readonly result: { readonly value: Json } | null;
  readonly parameters: Template | null;
  readonly resultPath: Path | null;
}

export interface ChoiceState extends Narrowing {
  readonly type: 'Choice';
  readonly choices: readonly { readonly rule: Rule; readonly next: string }[];
  readonly default: string | null;
}

export interface WaitState extends Forward {
  readonly type: 'Wait';
  readonly seconds: number | Path;
}

export interface ParallelState extends Working {
  readonly type: 'Parallel';
  readonly parameters: Template | null;
  /** First state of each branch. */
  readonly branches: readonly string[];
}

export interface MapState extends Working {
  readonly type: 'Map';
  readonly itemsPath: Path;
  readonly itemSelector: Template | null;
  readonly maxConcurrency: number;
  /** First state of the item processor. */
  readonly processor: string;
}

export interface SucceedState extends Narrowing {
  readonly type: 'Succeed';
}

export interface FailState {
  readonly type: 'Fail';
  readonly error: string | null;
  readonly cause: string | null;
}

export type StateDefinition =
  TaskState | PassState | ChoiceState | WaitState | ParallelState | MapState | SucceedState | FailState;
