/** Step Functions as the Workflow port. A run's name is the execution's name. */
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { HaError, messageOf } from '../../core/failures/failures.ts';
import type { ExecutionStatus, Workflow } from '../../core/ports.ts';

const CONNECT_MS = 1_000;
const REQUEST_MS = 5_000;

export function stepFunctions(options: {
  readonly region: string;
  readonly stateMachineArn: string;
  readonly endpoint?: string;
}): Workflow {
  const client = new SFNClient({
    region: options.region,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    requestHandler: new NodeHttpHandler({
      connectionTimeout: CONNECT_MS,
      requestTimeout: REQUEST_MS,
      throwOnRequestTimeout: true,
    }),
  });
  const executionArn = (name: string): string =>
    `${options.stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
  return {
    async start(name, input) {
      const { stateMachineArn } = options;
      try {
        const started = await client.send(
          new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }),
        );
        // The same name and input while it runs is answered with the first start's date.
        const isOld = started.startDate !== undefined && Date.now() - started.startDate.getTime() > REQUEST_MS;
        return { outcome: isOld ? 'exists' : 'started' };
      } catch (error) {
        if (nameOf(error) === 'ExecutionAlreadyExists') return { outcome: 'exists' };
        throw toFault(`start ${name}`, error);
      }
    },
    async status(name) {
      try {
        const described = await client.send(new DescribeExecutionCommand({ executionArn: executionArn(name) }));
        return known(described.status);
      } catch (error) {
        if (nameOf(error) === 'ExecutionDoesNotExist') return undefined;
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

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

function toFault(what: string, error: unknown): HaError {
  const isThrottled = /Throttling|TooManyRequests/.test(nameOf(error));
  return new HaError(
    isThrottled ? 'store_throttled' : 'store_unavailable',
    `Step Functions, ${what}: ${messageOf(error)}`,
    { cause: error },
  );
}
