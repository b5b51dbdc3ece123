/** Step Functions as the Workflow port. A run's name is the execution's name. */
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { failureCode, HaError, messageOf } from '../../core/failures/failures.ts';
import { invariant } from '../../core/failures/invariant.ts';
import type { ExecutionStatus, Workflow } from '../../core/ports.ts';
import { type AwsPlace, clientSettings, reasonOf, withinBudget } from './bounded-call.ts';

const REQUEST_MS = 5_000;
const LIMITS = { attempts: 3, connectMs: 1_000, requestMs: REQUEST_MS };
/** One call with its retries. */
const BUDGET_MS = 12_000;

export function stepFunctions(options: AwsPlace & { readonly stateMachineArn: string }): Workflow {
  const client = new SFNClient(clientSettings(options, LIMITS));
  // Of the machine, whichever of its aliases or versions was started: an execution's ARN names neither.
  const machine = /^(.*):stateMachine:([^:]+)/.exec(options.stateMachineArn);
  invariant(machine !== null, `${options.stateMachineArn} is the ARN of a state machine, or of an alias of one`);
  const executionArn = (name: string): string => `${machine[1] ?? ''}:execution:${machine[2] ?? ''}:${name}`;
  return {
    async start(name, input) {
      const { stateMachineArn } = options;
      try {
        const start = new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) });
        const started = await withinBudget('StartExecution', BUDGET_MS, (abortSignal) =>
          client.send(start, { abortSignal }),
        );
        // The same name and input while it runs is answered with the first start's date.
        const isOld = started.startDate !== undefined && Date.now() - started.startDate.getTime() > REQUEST_MS;
        return { outcome: isOld ? 'exists' : 'started' };
      } catch (error) {
        if (reasonOf(error).code === 'ExecutionAlreadyExists') return { outcome: 'exists' };
        throw toFault(`start ${name}`, error);
      }
    },
    async status(name) {
      try {
        const describe = new DescribeExecutionCommand({ executionArn: executionArn(name) });
        const described = await withinBudget('DescribeExecution', BUDGET_MS, (abortSignal) =>
          client.send(describe, { abortSignal }),
        );
        return known(described.status);
      } catch (error) {
        if (reasonOf(error).code === 'ExecutionDoesNotExist') return undefined;
        throw toFault(`describe ${name}`, error);
      }
    },
  };
}

/** An execution that waits to be redriven has not ended. */
function known(status: string | undefined): ExecutionStatus | undefined {
  switch (status) {
    case 'PENDING_REDRIVE':
    case 'RUNNING':
      return 'RUNNING';
    case 'SUCCEEDED':
    case 'FAILED':
    case 'TIMED_OUT':
    case 'ABORTED':
      return status;
    default:
      return undefined;
  }
}

function toFault(what: string, error: unknown): unknown {
  if (failureCode(error) !== undefined) return error;
  const isThrottled = /Throttling|TooManyRequests/.test(reasonOf(error).code);
  return new HaError(
    isThrottled ? 'store_throttled' : 'store_unavailable',
    `Step Functions, ${what}: ${messageOf(error)}`,
    { cause: error },
  );
}
