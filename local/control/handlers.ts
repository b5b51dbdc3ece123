/** The Lambdas of the control plane in this process: the same handlers, over the emulator, called through a JSON round trip. */
import { CONTROL_LIMITS, createDynamo } from '../../adapters/aws/dynamodb-client.ts';
import { dynamoHeartbeats } from '../../adapters/aws/dynamodb-heartbeats.ts';
import { dynamoRegistry } from '../../adapters/aws/dynamodb-registry.ts';
import { ec2Power } from '../../adapters/aws/ec2-power.ts';
import { ssmGuardAsk } from '../../adapters/aws/ssm-guard-ask.ts';
import { noMetrics } from '../../adapters/memory/memory-metrics.ts';
import { bootClock } from '../../adapters/node/boot-clock.ts';
import { randomIds, systemWallClock, timerSleeper } from '../../adapters/node/clocks.ts';
import { networkProbe } from '../../adapters/node/probe.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { Workflow } from '../../core/ports.ts';
import { api, type HttpAnswer } from '../../lambdas/api/handler.ts';
import { openStream, sseText } from '../../lambdas/api/stream.ts';
import { findBehind } from '../../lambdas/find-behind/handler.ts';
import { awsFenceCloud } from '../../lambdas/ha-fence/aws-fence-cloud.ts';
import type { FenceCloud } from '../../lambdas/ha-fence/fence-cloud.ts';
import { haFence } from '../../lambdas/ha-fence/handler.ts';
import { haInvestigate } from '../../lambdas/ha-investigate/handler.ts';
import { haRecover } from '../../lambdas/ha-recover/handler.ts';
import { instanceState } from '../../lambdas/instance-state/handler.ts';
import { reconcileHandler } from '../../lambdas/reconcile/handler.ts';
import type { Handler } from '../../lambdas/shared/edge.ts';
import type { ControlPorts } from '../../lambdas/shared/ports.ts';
import { withSharedQueries, withSharedScans } from '../../lambdas/shared/shared-reads.ts';
import type { ControlConfig } from '../control-config.ts';
import type { OpenStream } from './stream-route.ts';

export const ACCOUNT = { partition: 'aws', region: 'local', id: '000000000000' } as const;

export const FUNCTIONS = {
  HaInvestigate: 'arn:aws:lambda:local:000000000000:function:ha-investigate',
  HaFence: 'arn:aws:lambda:local:000000000000:function:ha-fence',
  HaRecover: 'arn:aws:lambda:local:000000000000:function:ha-recover',
} as const;

export type Log = ControlPorts['log'];

export function controlPorts(config: ControlConfig, workflow: Workflow, log: Log): ControlPorts {
  const { accessKeyId, secretAccessKey, region } = config;
  const place = { region, endpoint: config.emulatorUrl, credentials: { accessKeyId, secretAccessKey } };
  const dynamo = createDynamo(place, CONTROL_LIMITS);
  const aws = { ...place, endpoint: config.awsUrl };
  return {
    heartbeats: withSharedScans(
      dynamoHeartbeats({
        dynamo,
        table: config.tables.heartbeats,
        onMalformed: (principal, why) => log('warn', `heartbeat item ${principal} cannot be read: ${why}`),
      }),
    ),
    registry: withSharedQueries(dynamoRegistry({ dynamo, table: config.tables.registry })),
    workflow,
    power: ec2Power(aws),
    guardAsk: ssmGuardAsk(aws),
    probe: networkProbe,
    wall: systemWallClock,
    boot: bootClock(),
    sleeper: timerSleeper,
    ids: randomIds,
    // The local runtime's pager is its log; every page is an event of the cluster as well.
    alerts: { page: (subject, text) => Promise.resolve(log('error', `PAGE ${subject}: ${text}`)) },
    // Its operators have the console; what happened is in the log and in the cluster's events.
    metrics: noMetrics,
    log,
  };
}

export interface Lambdas {
  invoke(resource: string, input: unknown): Promise<unknown>;
  readonly findBehind: Handler<unknown>;
  readonly reconcile: Handler<unknown>;
  readonly api: Handler<HttpAnswer>;
  readonly instanceState: Handler<unknown>;
  readonly openStream: OpenStream;
}

/** The local EC2 and Auto Scaling, as the fence sees them beside power. */
export function fenceCloud({ accessKeyId, secretAccessKey, region, awsUrl }: ControlConfig): FenceCloud {
  return awsFenceCloud({ region, endpoint: awsUrl, credentials: { accessKeyId, secretAccessKey } });
}

export function createLambdas(ports: ControlPorts, cloud?: FenceCloud): Lambdas {
  const tasks = new Map<string, Handler<unknown>>([
    [FUNCTIONS.HaInvestigate, haInvestigate(ports)],
    [FUNCTIONS.HaFence, haFence(ports, cloud)],
    [FUNCTIONS.HaRecover, haRecover(ports)],
  ]);
  return {
    async invoke(resource, input) {
      const handler = tasks.get(resource);
      if (handler === undefined)
        throw new HaError('not_found', `the workflow names ${resource}, which is no function here`);
      const output = await handler(JSON.parse(JSON.stringify(input)));
      return JSON.parse(JSON.stringify(output)) as unknown;
    },
    findBehind: findBehind(ports),
    reconcile: reconcileHandler(ports),
    api: api(ports, { account: ACCOUNT }),
    instanceState: instanceState(ports),
    async *openStream(request) {
      for await (const item of openStream(ports, request)) yield sseText(item);
    },
  };
}
