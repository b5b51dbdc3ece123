/**
 * Prints the table of failure codes for docs/ARCHITECTURE.md: `node tools/failure-table.ts`.
 * A test compares the page with it, so that the page cannot lag behind the code.
 */
import { FAILURES, type FailureCode } from '../core/failures/failures.ts';

/** What each code means to the person who reads it. */
const MEANING: Readonly<Record<FailureCode, string>> = {
  config_invalid:
    'a definition or a host configuration breaks a rule; the message names the value and the change to make',
  not_found: 'no such cluster, host, group or run',
  unauthorized: 'the caller did not say who it is',
  forbidden: 'the caller may not do this',
  limit_exceeded: 'a request or a record is larger than its limit',
  conflict: 'somebody else changed the record first; read again',
  stale_epoch: 'the slot has a newer epoch; the order is void',
  lease_lost: 'the session no longer holds its lease',
  session_refused: 'a session may not be registered: another one holds the name',
  store_unavailable: 'DynamoDB did not answer, or answered with a fault',
  store_throttled: 'DynamoDB refused for now',
  power_refused: 'EC2 refused to stop or start the instance',
  power_throttled: 'EC2 refused for now',
  fence_unconfirmed: 'no evidence that the old owner is gone; nothing is started',
  budget_spent: 'too many destructive calls, or moves, within the window',
  no_host: 'no host may run the slot; the plan says why for each',
  start_failed: 'a service did not start',
  stop_failed: 'a service did not stop',
  timed_out: 'no answer within the limit',
  protocol_mismatch: 'a stored record or a message is of a shape that this version does not know',
};

export function failureTable(): string {
  const codes = Object.entries(FAILURES).map(([code, { retry, http, exit }]) => {
    const meaning = MEANING[code as FailureCode];
    return `| \`${code}\` | ${retry} | ${http} | ${exit} | ${meaning} |`;
  });
  return ['| code | retry | HTTP | exit | means |', '| --- | --- | --- | --- | --- |', ...codes].join('\n');
}

if (import.meta.main) process.stdout.write(`${failureTable()}\n`);
