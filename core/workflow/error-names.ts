/** Which error names exist, and which of them Retry and Catch can match. */

/** End the execution whatever Retry and Catch say, as on Step Functions. */
const TERMINAL = ['States.Runtime', 'States.DataLimitExceeded'];

const MATCHABLE = [
  'States.ALL',
  'States.BranchFailed',
  'States.ExceedToleratedFailureThreshold',
  'States.HeartbeatTimeout',
  'States.IntrinsicFailure',
  'States.ItemReaderFailed',
  'States.NoChoiceMatched',
  'States.ParameterPathFailure',
  'States.Permissions',
  'States.ResultPathMatchFailure',
  'States.ResultWriterFailed',
  'States.TaskFailed',
  'States.Timeout',
];

export function isTerminal(error: string): boolean {
  return TERMINAL.includes(error);
}

/** Step Functions' rule: TaskFailed stands for every error but a time-out, ALL for every error. */
export function matchesError(errorEquals: readonly string[], error: string): boolean {
  return errorEquals.some(
    (name) => name === error || name === 'States.ALL' || (name === 'States.TaskFailed' && error !== 'States.Timeout'),
  );
}

/** What is wrong with one ErrorEquals; undefined: nothing. */
export function errorEqualsProblem(names: readonly string[], isLast: boolean): string | undefined {
  if (names.length === 0) return 'needs at least one error name';
  if (names.includes('States.ALL') && (names.length > 1 || !isLast)) {
    return 'States.ALL must stand alone, and in the last entry';
  }
  const terminal = names.find(isTerminal);
  if (terminal !== undefined) return `${terminal} always ends the execution and cannot be matched`;
  const unknown = names.find((name) => name.startsWith('States.') && !MATCHABLE.includes(name));
  return unknown === undefined ? undefined : `${unknown} is not an error name of Step Functions`;
}
