/**
 * EC2 as the Power port. What a stop's answer says is never evidence, only two later reads are (S7); so a call that may
 * or may not have arrived is simply asked again.
 */
import {
  DescribeInstancesCommand,
  DescribeInstanceStatusCommand,
  EC2Client,
  StartInstancesCommand,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2';
import { HaError } from '../../core/failures/failures.ts';
import type { Power, PowerReading } from '../../core/ports.ts';
import { clientSettings, httpStatusOf, reasonOf, withinBudget } from './bounded-call.ts';
import type { AwsPlace } from './bounded-call.ts';
import { instanceReading, UNKNOWN_CHECKS, unknownReading, worstChecks } from './ec2-reading.ts';
import type { Checks } from './ec2-reading.ts';

/** EC2's throttle refills within a second; more attempts are the workflow's affair, which knows its budget. */
const ATTEMPTS = 3;
const CONNECT_MS = 1_000;
const REQUEST_MS = 4_000;
/** One read or one order with its retries. */
const BUDGET_MS = 9_000;

/** Every code by which EC2 says "later" (user guide, "request throttling"), and what our own side of the way says. */
const LATER: readonly string[] = [
  ...['RequestLimitExceeded', 'Throttling', 'ThrottlingException', 'RequestThrottled', 'RequestThrottledException'],
  ...['TooManyRequestsException', 'BandwidthLimitExceeded', 'RequestResourceCountExceeded', 'SlowDown'],
  ...['InternalError', 'InternalFailure', 'ServiceUnavailable', 'Unavailable', 'timed_out', 'TimeoutError'],
  ...['AbortError', 'RequestTimeout', 'RequestTimeoutException', 'RequestExpired'],
];

/** Codes that EC2 sends with status 500 or 503 although asking again at once is of no use. */
const REFUSED: readonly string[] = ['InsufficientInstanceCapacity', 'InsufficientHostCapacity'];

export interface Ec2Options extends AwsPlace {
  /** Of the ARNs that key heartbeats; by default that of the region. */
  readonly partition?: string;
}

export function ec2Power(options: Ec2Options): Power & { readonly close: () => void } {
  const limits = { attempts: ATTEMPTS, connectMs: CONNECT_MS, requestMs: REQUEST_MS };
  const client = new EC2Client(clientSettings(options, limits));
  const arnPrefix = `arn:${options.partition ?? partitionOf(options.region)}:ec2:${options.region}`;

  const describe = async (machine: string): Promise<PowerReading> => {
    try {
      const answer = await withinBudget(`DescribeInstances ${machine}`, BUDGET_MS, (abortSignal) =>
        client.send(new DescribeInstancesCommand({ InstanceIds: [machine] }), { abortSignal }),
      );
      return instanceReading(answer, { machine, arnPrefix });
    } catch (error) {
      const { code, text } = reasonOf(error);
      return unknownReading(`${code}: ${text}`);
    }
  };
  /** Checks failing must not spoil a clear state: they only help to word a suspicion. */
  const checks = async (machine: string): Promise<Checks> => {
    try {
      const input = { InstanceIds: [machine], IncludeAllInstances: true };
      const answer = await withinBudget(`DescribeInstanceStatus ${machine}`, BUDGET_MS, (abortSignal) =>
        client.send(new DescribeInstanceStatusCommand(input), { abortSignal }),
      );
      return worstChecks(answer.InstanceStatuses ?? [], machine);
    } catch {
      return UNKNOWN_CHECKS;
    }
  };

  return {
    async read(machine) {
      const [reading, health] = await Promise.all([describe(machine), checks(machine)]);
      return reading.state === 'unknown' ? reading : { ...reading, ...health };
    },
    // One instance per call: a call with several ids fails whole if one of them is wrong. Never hibernated.
    stop: (machine, { skipOsShutdown, force }, isStillWanted) => {
      const what = `stop ${machine}`;
      const command = new StopInstancesCommand({
        InstanceIds: [machine],
        SkipOsShutdown: skipOsShutdown,
        Force: force,
      });
      // The last step before each attempt is sent, after the pauses of the retries.
      command.middlewareStack.add(
        (next) => (args) => {
          if (isStillWanted?.() === false)
            throw new HaError('power_throttled', `${what} was called off before it was sent`);
          return next(args);
        },
        { step: 'deserialize', priority: 'low', name: 'isStillWanted' },
      );
      return order(what, (abortSignal) => client.send(command, { abortSignal }));
    },
    start: (machine) =>
      order(`start ${machine}`, (abortSignal) =>
        client.send(new StartInstancesCommand({ InstanceIds: [machine] }), { abortSignal }),
      ),
    close: () => client.destroy(),
  };
}

async function order(what: string, send: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  try {
    await withinBudget(what, BUDGET_MS, send);
  } catch (error) {
    throw toPowerFault(what, error);
  }
}

function toPowerFault(what: string, error: unknown): HaError {
  if (error instanceof HaError && error.code === 'power_throttled') return error;
  const { code, text } = reasonOf(error);
  const status = httpStatusOf(error);
  // Without a status nobody answered: the order may have arrived or not, which asking again settles.
  const isLater = !REFUSED.includes(code) && (LATER.includes(code) || status === 0 || status === 429 || status >= 500);
  return isLater
    ? new HaError('power_throttled', `EC2 did not take the order, ${what}: ${code}: ${text}`, { cause: error })
    : new HaError('power_refused', `EC2 refused, ${what}: ${code}: ${text}`, { cause: error });
}

/** AWS's partitions are told apart by the region's first words. */
function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  if (region.startsWith('us-gov-')) return 'aws-us-gov';
  if (region.startsWith('eusc-')) return 'aws-eusc';
  return 'aws';
}
