/** The door of this folder: what drivers, tests and the simulator use. */
export type { Effect, Event, Execution, Failure, HistoryEvent, Step } from './execution.ts';
export type { Json, JsonObject } from './json.ts';
export type { Machine } from './machine.ts';
export { HISTORY_EVENTS_MAX, PAYLOAD_BYTES_MAX } from './execution.ts';
export { asJson, jsonBytes } from './json.ts';
export { load } from './load.ts';
export { begin, redrive, step } from './step.ts';
export { substitute } from './substitute.ts';
export { activeStates } from './turn.ts';
