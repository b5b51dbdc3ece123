/**
 * The closed list of faults: one table decides whether to retry, the HTTP status and the exit status.
 *
 * `stepfunctions/*.asl.json` may match on these names, `Lambda.*` and `States.*` only (tested).
 */
export const FAILURES = {
  config_invalid: { retry: 'never', http: 400, exit: 2 },
  not_found: { retry: 'never', http: 404, exit: 3 },
  unauthorized: { retry: 'never', http: 401, exit: 4 },
  forbidden: { retry: 'never', http: 403, exit: 5 },
  limit_exceeded: { retry: 'never', http: 413, exit: 6 },
  conflict: { retry: 'never', http: 409, exit: 10 },
  stale_epoch: { retry: 'never', http: 409, exit: 11 },
  lease_lost: { retry: 'never', http: 409, exit: 20 },
  session_refused: { retry: 'never', http: 409, exit: 21 },
  store_unavailable: { retry: 'backoff', http: 503, exit: 22 },
  store_throttled: { retry: 'backoff', http: 503, exit: 23 },
  power_refused: { retry: 'never', http: 502, exit: 30 },
  power_throttled: { retry: 'backoff', http: 503, exit: 31 },
  fence_unconfirmed: { retry: 'never', http: 409, exit: 32 },
  budget_spent: { retry: 'never', http: 409, exit: 33 },
  no_host: { retry: 'never', http: 409, exit: 34 },
  start_failed: { retry: 'never', http: 409, exit: 40 },
  stop_failed: { retry: 'never', http: 409, exit: 41 },
  timed_out: { retry: 'backoff', http: 504, exit: 42 },
  protocol_mismatch: { retry: 'never', http: 400, exit: 43 },
} as const satisfies Record<string, { retry: 'never' | 'backoff'; http: number; exit: number }>;

export type FailureCode = keyof typeof FAILURES;

/** A fault in the world. `name` is the code: Lambda reports it as `errorType`, and the workflow's Retry and Catch match on it. */
export class HaError extends Error {
  readonly code: FailureCode;
  constructor(code: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = code;
  }
}

/** Matches by code, not by `instanceof`: an error may come from another realm (Jest) or across a process. */
export function failureCode(error: unknown): FailureCode | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  const { code } = error;
  return typeof code === 'string' && code in FAILURES ? (code as FailureCode) : undefined;
}

export function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
}
