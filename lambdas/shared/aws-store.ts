/**
 * Wires the ports of the control plane to AWS, from the Lambda's environment, once per environment: all but those that reach
 * machines. Who never asks EC2 does not load its client, which is half of the bundle: the sweeper fits into 128 MB by that.
 */
import { CONTROL_LIMITS, createDynamo } from '../../adapters/aws/dynamodb-client.ts';
import { dynamoHeartbeats } from '../../adapters/aws/dynamodb-heartbeats.ts';
import { dynamoRegistry } from '../../adapters/aws/dynamodb-registry.ts';
import { emfMetrics } from '../../adapters/aws/emf-metrics.ts';
import { snsAlerts } from '../../adapters/aws/sns-alerts.ts';
import { stepFunctions } from '../../adapters/aws/step-functions.ts';
import { bootClock } from '../../adapters/node/boot-clock.ts';
import { randomIds, systemWallClock, timerSleeper } from '../../adapters/node/clocks.ts';
import { networkProbe } from '../../adapters/node/probe.ts';
import { HaError } from '../../core/failures/failures.ts';
import { invocationLog } from './invocation-log.ts';
import { measuredAlerts, measuredHeartbeats, measuredRegistry } from './measured.ts';
import type { ControlPorts } from './ports.ts';
import { withSharedQueries, withSharedScans } from './shared-reads.ts';

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '')
    throw new HaError('config_invalid', `environment variable ${name} must be set`);
  return value;
}

export const awsRegion = (): string => setting('AWS_REGION');

/** What reaches machines. */
export type MachinePorts = Pick<ControlPorts, 'power' | 'guardAsk'>;

export function storePorts(): Omit<ControlPorts, keyof MachinePorts> {
  const region = awsRegion();
  const dynamo = createDynamo({ region }, CONTROL_LIMITS);
  const { log, invocations } = invocationLog();
  const metrics = emfMetrics({ namespace: process.env.METRICS_NAMESPACE, log: (text) => log('warn', text) });
  const heartbeats = dynamoHeartbeats({
    dynamo,
    table: setting('HEARTBEATS_TABLE'),
    onMalformed: (principal, why) => log('warn', `heartbeat item ${principal} cannot be read: ${why}`),
  });
  const registry = dynamoRegistry({ dynamo, table: setting('REGISTRY_TABLE') });
  return {
    heartbeats: withSharedScans(measuredHeartbeats(heartbeats, metrics)),
    registry: withSharedQueries(measuredRegistry(registry, metrics)),
    workflow: stepFunctions({ region, stateMachineArn: setting('HA_RUN_ARN') }),
    probe: networkProbe,
    wall: systemWallClock,
    boot: bootClock(),
    sleeper: timerSleeper,
    ids: randomIds,
    alerts: measuredAlerts(snsAlerts({ region, topicArn: setting('PAGES_TOPIC_ARN') }), metrics),
    metrics,
    log,
    invocations,
  };
}
