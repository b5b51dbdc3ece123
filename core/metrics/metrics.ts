/**
 * What is measured, in one table: dashboards and alarms read it, and whoever records names nothing else.
 *
 * Each metric is emitted without a dimension, for alarms that must not know which clusters there are; what is of a cluster
 * is emitted with the dimension `cluster` as well. A name costs by the month and by combination of dimensions, for as long
 * as it is emitted: so what is counted is emitted only when it happens, and gauges all the time, zero included.
 */
/** Of the deployment of that name; another has its own, or the sweeps of one would hide that the other's have ended. */
export const METRICS_NAMESPACE = 'Holdfast';

export const CLUSTER_DIMENSION = 'cluster';

/**
 * How several values of one minute become one: `max` for what is worst when it is highest, `sum` for what happened,
 * `last` for what stands.
 */
export type Fold = 'max' | 'sum' | 'last';

interface MetricSpec {
  readonly unit: 'Count' | 'Milliseconds';
  readonly fold: Fold;
  readonly of: 'deployment' | 'cluster';
  /** Emitted all the time, zero included: an alarm on it has data, and its absence is itself a sign. */
  readonly isGauge: boolean;
  readonly says: string;
}

export const METRICS = {
  HostsBehind: {
    unit: 'Count',
    fold: 'max',
    of: 'cluster',
    isGauge: true,
    says: 'hosts whose renewals have stood still for too long, and that are not known to be down',
  },
  SlotsHeld: {
    unit: 'Count',
    fold: 'last',
    of: 'cluster',
    isGauge: true,
    says: 'slots that nobody may start now and that a person was called about',
  },
  RunsHeld: {
    unit: 'Count',
    fold: 'sum',
    of: 'cluster',
    isGauge: false,
    says: 'runs that ended with something held',
  },
  SweepMs: {
    unit: 'Milliseconds',
    fold: 'max',
    of: 'deployment',
    isGauge: true,
    says: 'the longest sweep over all clusters',
  },
  SweepLate: {
    unit: 'Count',
    fold: 'sum',
    of: 'deployment',
    isGauge: true,
    says: 'gaps between sweeps after which every observation begins anew (S13)',
  },
  ClustersFailed: {
    unit: 'Count',
    fold: 'max',
    of: 'deployment',
    isGauge: false,
    says: 'clusters that a sweep or a pass of reconcile could not look after, most at once',
  },
  StoreThrottled: {
    unit: 'Count',
    fold: 'sum',
    of: 'deployment',
    isGauge: false,
    says: 'calls of the store that were throttled beyond their retries',
  },
  BudgetSpent: {
    unit: 'Count',
    fold: 'sum',
    of: 'cluster',
    isGauge: false,
    says: 'destructive calls that the storm brake held (S14)',
  },
  Pages: {
    unit: 'Count',
    fold: 'sum',
    of: 'deployment',
    isGauge: false,
    says: 'calls to a person',
  },
  Failovers: {
    unit: 'Count',
    fold: 'sum',
    of: 'cluster',
    isGauge: false,
    says: 'runs after a failure that gave at least one slot to another owner, and ended well',
  },
  DowntimeMs: {
    unit: 'Milliseconds',
    fold: 'max',
    of: 'cluster',
    isGauge: false,
    says: 'of a failover: from the last renewal seen to the report of the last service',
  },
} as const satisfies Record<string, MetricSpec>;

export type MetricName = keyof typeof METRICS;

export const METRIC_NAMES = Object.keys(METRICS) as readonly MetricName[]; // The table's own keys.
