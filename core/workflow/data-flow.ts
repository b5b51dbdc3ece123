/** InputPath → Parameters → (the state's work) → ResultSelector → ResultPath → OutputPath. All throw StateFailure. */
import type { Execution } from './execution.ts';
import type { Template } from './expression.ts';
import type { Json, JsonObject } from './json.ts';
import type { Path } from './path.ts';
import { PAYLOAD_BYTES_MAX } from './execution.ts';
import { isoTime } from './iso-time.ts';
import { jsonBytes } from './json.ts';
import { writePath } from './path.ts';
import { StateFailure } from './state-failure.ts';
import { fillTemplate, readOrFail } from './template.ts';

/** What `$$` shows. */
export function contextOf(execution: Execution): JsonObject {
  const { name, input, startedAtMs } = execution;
  return { Execution: { Input: input, Name: name, StartTime: isoTime(startedAtMs) } };
}

/** InputPath or OutputPath; a null path gives the empty object. */
export function narrow(path: Path | null, data: Json, context: Json): Json {
  return path === null ? {} : readOrFail(path, { data, context });
}

export function fill(template: Template | null, data: Json, context: Json): Json {
  return template === null ? data : fillTemplate(template, { data, context });
}

/** Puts a result into the state's own input; a null path drops the result. */
export function place(path: Path | null, input: Json, result: Json): Json {
  if (path === null) return input;
  const placed = writePath(input, path.steps, result);
  if (placed === undefined) {
    throw new StateFailure('States.ResultPathMatchFailure', `ResultPath '${path.text}' cannot be applied to the input`);
  }
  return placed;
}

/** From a state's result to its output. */
export function outputOf(
  state: {
    readonly resultSelector?: Template | null;
    readonly resultPath: Path | null;
    readonly outputPath: Path | null;
  },
  input: Json,
  result: Json,
  context: Json,
): Json {
  const selected = fill(state.resultSelector ?? null, result, context);
  return withinLimit(narrow(state.outputPath, place(state.resultPath, input, selected), context));
}

export function withinLimit(value: Json): Json {
  const bytes = jsonBytes(value);
  if (bytes <= PAYLOAD_BYTES_MAX) return value;
  throw new StateFailure(
    'States.DataLimitExceeded',
    `the data has ${bytes} bytes, at most ${PAYLOAD_BYTES_MAX} are allowed`,
  );
}
