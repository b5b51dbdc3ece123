/** Wires the ports of the control plane to AWS, from the Lambda's environment, once per environment. */
import { Logger } from '@aws-lambda-powertools/logger';
import { CONTROL_LIMITS, createDynamo } from '../../adapters/aws/dynamodb-client.ts';
import { dynamoHeartbeats } from '../../adapters/aws/dynamodb-heartbeats.ts';
import { dynamoRegistry } from '../../adapters/aws/dynamodb-registry.ts';
import { ec2Power } from '../../adapters/aws/ec2-power.ts';
import { snsAlerts } from '../../adapters/aws/sns-alerts.ts';
import { ssmGuardAsk } from '../../adapters/aws/ssm-guard-ask.ts';
import { stepFunctions } from '../../adapters/aws/step-functions.ts';
import { bootClock } from '../../adapters/node/boot-clock.ts';
import { randomIds, systemWallClock, timerSleeper } from '../../adapters/node/clocks.ts';
import { networkProbe } from '../../adapters/node/probe.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { ControlPorts } from './ports.ts';
import { withSharedQueries, withSharedScans } from './shared-reads.ts';

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '')
    throw new HaError('config_invalid', `environment variable ${name} must be set`);
  return value;
}

export function awsPorts(): ControlPorts {
  const region = setting('AWS_REGION');
  const dynamo = createDynamo({ region }, CONTROL_LIMITS);
  const logger = new Logger({ serviceName: 'holdfast' });
  const log: ControlPorts['log'] = (level, text, facts = {}) => logger[level](text, { ...facts });
  return {
    heartbeats: withSharedScans(
      dynamoHeartbeats({
        dynamo,
        table: setting('HEARTBEATS_TABLE'),
        onMalformed: (principal, why) => log('warn', `heartbeat item ${principal} cannot be read: ${why}`),
      }),
    ),
    registry: withSharedQueries(dynamoRegistry({ dynamo, table: setting('REGISTRY_TABLE') })),
    workflow: stepFunctions({ region, stateMachineArn: setting('HA_RUN_ARN') }),
    power: ec2Power({ region }),
    guardAsk: ssmGuardAsk({ region }),
    probe: networkProbe,
    wall: systemWallClock,
    boot: bootClock(),
    sleeper: timerSleeper,
    ids: randomIds,
    alerts: snsAlerts({ region, topicArn: setting('PAGES_TOPIC_ARN') }),
    log,
  };
}
