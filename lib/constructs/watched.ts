/** The metrics that alarms and dashboard look at: Holdfast's own, and those that AWS keeps of what Holdfast is made of. */
import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric, type MetricProps } from 'aws-cdk-lib/aws-cloudwatch';
import { CLUSTER_DIMENSION, METRICS, type MetricName } from '../../core/metrics/metrics.ts';
import type { LambdaId } from '../control-names.ts';

const MINUTE = Duration.minutes(1);

const STATISTICS = { max: 'Maximum', sum: 'Sum', last: 'Maximum' } as const;

/** The metrics that the Lambdas of one deployment emit. */
export interface OwnMetrics {
  /** Over all clusters: what is emitted without a dimension. */
  readonly all: (metricName: MetricName, period?: Duration) => Metric;
  /** A line for each cluster, whichever there are when somebody looks. For dashboards: alarms cannot search. */
  readonly byCluster: (metricName: MetricName, period?: Duration) => MathExpression;
}

/** The control plane by its names. */
export interface Watched {
  readonly metrics: OwnMetrics;
  readonly tables: { readonly heartbeats: string; readonly registry: string };
  readonly lambda: (id: LambdaId) => string;
  readonly deadLetters: string;
  readonly haRun: string;
}

export const ownMetrics = (namespace: string): OwnMetrics => ({
  all: (metricName, period = MINUTE) =>
    new Metric({ namespace, metricName, statistic: STATISTICS[METRICS[metricName].fold], period }),
  byCluster: (metricName, period = MINUTE) => {
    const statistic = STATISTICS[METRICS[metricName].fold];
    // Quoted: a search reads a dash in a bare word as its end.
    const schema = `{"${namespace}",${CLUSTER_DIMENSION}}`;
    const expression = `SEARCH('${schema} MetricName="${metricName}"', '${statistic}')`;
    return new MathExpression({ expression, usingMetrics: {}, period, label: metricName });
  },
});

function lambdaMetric(functionName: string, how: Pick<MetricProps, 'statistic' | 'period'> & { metricName: string }) {
  const dimensionsMap = { FunctionName: functionName };
  return new Metric({ namespace: 'AWS/Lambda', dimensionsMap, label: functionName, ...how });
}

export const lambdaErrors = (functionName: string, period: Duration): Metric =>
  lambdaMetric(functionName, { metricName: 'Errors', statistic: 'Sum', period });

/** Calls that began, whatever became of them. */
export const lambdaCalls = (functionName: string): Metric =>
  lambdaMetric(functionName, { metricName: 'Invocations', statistic: 'Sum', period: MINUTE });

export const lambdaDuration = (functionName: string): Metric =>
  lambdaMetric(functionName, { metricName: 'Duration', statistic: 'p99', period: Duration.minutes(5) });

/** The workflow's, over every version of it. */
export function executions(stateMachineArn: string, metricName: ExecutionMetric): Metric {
  return new Metric({
    namespace: 'AWS/States',
    metricName,
    dimensionsMap: { StateMachineArn: stateMachineArn },
    statistic: 'Sum',
    period: MINUTE,
    label: metricName,
  });
}

export type ExecutionMetric = 'ExecutionsStarted' | 'ExecutionsSucceeded' | 'ExecutionsFailed' | 'ExecutionsTimedOut';

export function tableMetric(tableName: string, metricName: TableMetric, label: string): Metric {
  return new Metric({
    namespace: 'AWS/DynamoDB',
    metricName,
    dimensionsMap: { TableName: tableName },
    statistic: 'Sum',
    period: MINUTE,
    label,
  });
}

export type TableMetric =
  'ReadThrottleEvents' | 'WriteThrottleEvents' | 'ConsumedReadCapacityUnits' | 'ConsumedWriteCapacityUnits';

export function waitingIn(queueName: string): Metric {
  return new Metric({
    namespace: 'AWS/SQS',
    metricName: 'ApproximateNumberOfMessagesVisible',
    dimensionsMap: { QueueName: queueName },
    statistic: 'Maximum',
    period: MINUTE,
  });
}

/**
 * An alarm may look at ten metrics at once. The newest period is 0 until its data have arrived, which takes longer than the
 * alarm waits: an alarm on this must look at some periods before it, too.
 */
export function sumOf(metrics: Readonly<Record<string, Metric>>, period: Duration, label: string): MathExpression {
  const expression = Object.keys(metrics)
    .map((id) => `FILL(${id}, 0)`)
    .join(' + ');
  return new MathExpression({ expression, usingMetrics: metrics, period, label });
}
