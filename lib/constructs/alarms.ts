import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { LambdaId } from '../control-names.ts';
import type { DeploymentSettings } from '../settings.ts';
import { executions, lambdaCalls, lambdaErrors, sumOf, tableMetric, waitingIn, type Watched } from './watched.ts';

export interface AlarmsProps {
  readonly watched: Watched;
  readonly pagesArn: string;
  readonly settings: DeploymentSettings['alarms'];
}

/** `critical`: services may be down, or nobody would notice if they were. `warning`: it works, and not as it should. */
type Severity = 'critical' | 'warning';

interface AlarmSpec {
  readonly id: string;
  readonly severity: Severity;
  /** What it means. */
  readonly says: string;
  /** What to do first. */
  readonly act: string;
  readonly metric: IMetric;
  /** At least so much, in each of so many periods, … */
  readonly threshold: number;
  readonly periods: number;
  /** … or in so many of them. */
  readonly inAnyOf?: number;
  /** `below`: less than the threshold, and no data counts as less. */
  readonly when?: 'below';
}

const FIVE_MINUTES = Duration.minutes(5);
const MINUTE = Duration.minutes(1);

/**
 * Once in some periods, where one is enough: metrics of AWS arrive minutes late, and what happens once must not be looked for
 * only in the minute that has no data yet.
 */
const ONCE = { periods: 5, inAnyOf: 1 } as const;
/** The same, of longer periods. */
const LATELY = { periods: 2, inAnyOf: 1 } as const;

const SCHEDULED = { find: 'FindBehind', reconcile: 'Reconcile', instance: 'InstanceState' } as const;
const CALLED = { investigate: 'HaInvestigate', fence: 'HaFence', recover: 'HaRecover', api: 'Api' } as const;

/** Every alarm says what it means and what to do, and calls who is called by the control plane itself. */
export class Alarms extends Construct {
  constructor(scope: Construct, id: string, { watched, pagesArn, settings }: AlarmsProps) {
    super(scope, id);
    const action = new SnsAction(Topic.fromTopicArn(this, 'Pages', pagesArn));
    for (const spec of [...ofHosts(settings, watched), ...ofSweeps(settings, watched), ...ofParts(settings, watched)]) {
      const alarm = new Alarm(this, spec.id, {
        alarmDescription: `${spec.severity.toUpperCase()}: ${spec.says} ${spec.act}`,
        metric: spec.metric,
        threshold: spec.threshold,
        evaluationPeriods: spec.periods,
        datapointsToAlarm: spec.inAnyOf ?? spec.periods,
        comparisonOperator:
          spec.when === 'below'
            ? ComparisonOperator.LESS_THAN_THRESHOLD
            : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: spec.when === 'below' ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
      });
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
    }
  }
}

/** What Holdfast says of hosts, slots and runs. The control plane has called for each; these repeat it while it lasts. */
function ofHosts({ behindMinutes, heldMinutes }: AlarmsProps['settings'], { metrics }: Watched): AlarmSpec[] {
  return [
    {
      id: 'HostsBehind',
      severity: 'warning',
      says: `Hosts have not renewed their leases for ${String(behindMinutes)} minutes, and are not known to be down.`,
      act: 'See `holdfast status` and `holdfast runs`: a takeover should have ended by now.',
      metric: metrics.all('HostsBehind'),
      threshold: 1,
      periods: behindMinutes,
    },
    {
      id: 'SlotsHeld',
      severity: 'critical',
      says: `Nobody may start a slot, for ${String(heldMinutes)} minutes: a service is down until a person decides.`,
      act: 'See `holdfast status` for the reason, and `holdfast why GROUP/SLOT` for what would free it.',
      metric: metrics.all('SlotsHeld'),
      threshold: 1,
      periods: heldMinutes,
    },
    {
      id: 'RunsHeld',
      severity: 'critical',
      says: 'A run ended with something held.',
      act: 'See `holdfast runs`, then `holdfast run ID`: its last step says why.',
      metric: metrics.all('RunsHeld'),
      threshold: 1,
      ...ONCE,
    },
    {
      id: 'BudgetSpent',
      severity: 'critical',
      says: 'The storm brake holds back fencing: many hosts fell silent at once (S14).',
      act: 'Look for what they have in common: a zone, a network, a permission. `holdfast status` says who is held.',
      metric: metrics.all('BudgetSpent'),
      threshold: 1,
      ...ONCE,
    },
  ];
}

function ofSweeps({ silentMinutes }: AlarmsProps['settings'], { metrics, lambda }: Watched): AlarmSpec[] {
  return [
    {
      id: 'SweepsMissing',
      severity: 'critical',
      says: `Nobody has looked after hosts for ${String(silentMinutes)} minutes: a failure now would not be noticed.`,
      act: "See the logs of find-behind, the dead letters, and the schedule's state.",
      metric: metrics.all('SweepMs').with({ statistic: 'SampleCount' }),
      threshold: 1,
      periods: silentMinutes,
      when: 'below',
    },
    {
      id: 'ReconcileMissing',
      severity: 'critical',
      says: `reconcile was not called for ${String(silentMinutes)} minutes: runs that died and slots that are held are left alone.`,
      act: "See the dead letters, and the schedule's state.",
      metric: lambdaCalls(lambda('Reconcile')),
      threshold: 1,
      periods: silentMinutes,
      when: 'below',
    },
    {
      id: 'ClustersFailed',
      severity: 'critical',
      says: 'A cluster cannot be looked after, or not wholly: failures of its hosts may not be acted on.',
      act: 'See the errors in the logs of find-behind and reconcile: they name the cluster, and why.',
      metric: metrics.all('ClustersFailed'),
      threshold: 1,
      periods: 5,
      // A store that is slow for a moment fails a sweep, and the next one mends it.
      inAnyOf: 3,
    },
    {
      id: 'SweepsLate',
      severity: 'critical',
      says: 'Sweeps had gaps again and again, after each of which every observation begins anew: while that lasts, no failure is noticed (S13).',
      act: 'See the duration and errors of find-behind, and throttling of the tables.',
      metric: metrics.all('SweepLate', FIVE_MINUTES),
      threshold: 3,
      periods: 1,
    },
  ];
}

function ofParts(settings: AlarmsProps['settings'], watched: Watched): AlarmSpec[] {
  return [...ofStore(settings, watched), ...ofWorkflow(watched), ...ofCalls(settings, watched)];
}

function ofStore({ throttles }: AlarmsProps['settings'], { metrics, tables }: Watched): AlarmSpec[] {
  const throttled = (['heartbeats', 'registry'] as const).map((table): AlarmSpec => ({
    id: table === 'heartbeats' ? 'HeartbeatsThrottled' : 'RegistryThrottled',
    severity: table === 'heartbeats' ? 'critical' : 'warning',
    says:
      table === 'heartbeats'
        ? 'DynamoDB refuses renewals or sweeps of the heartbeats: leases may end on healthy hosts.'
        : 'DynamoDB refuses calls of the registry: takeovers take longer.',
    act: `Raise the capacity of tables.${table} in the settings, or its warm throughput, and deploy the state stack.`,
    metric: sumOf(
      {
        reads: tableMetric(tables[table], 'ReadThrottleEvents', 'reads'),
        writes: tableMetric(tables[table], 'WriteThrottleEvents', 'writes'),
      },
      MINUTE,
      'throttled',
    ),
    threshold: throttles,
    ...ONCE,
  }));
  return [
    ...throttled,
    {
      id: 'StoreThrottled',
      severity: 'warning',
      says: 'Calls of the store were throttled beyond their retries.',
      act: 'See the throttle alarms of the tables, and account limits of DynamoDB.',
      metric: metrics.all('StoreThrottled'),
      threshold: throttles,
      ...ONCE,
    },
  ];
}

function ofWorkflow({ haRun }: Watched): AlarmSpec[] {
  return [
    {
      id: 'RunsFailed',
      severity: 'critical',
      says: 'Executions of the workflow failed or timed out; reconcile closes what they left and begins anew.',
      act: 'See the execution in the console of Step Functions: its failed state has the error.',
      metric: sumOf(
        { failed: executions(haRun, 'ExecutionsFailed'), over: executions(haRun, 'ExecutionsTimedOut') },
        MINUTE,
        'failed or timed out',
      ),
      threshold: 1,
      ...ONCE,
    },
  ];
}

function ofCalls({ errors }: AlarmsProps['settings'], { lambda, deadLetters }: Watched): AlarmSpec[] {
  const errorsOf = (ids: Readonly<Record<string, LambdaId>>) =>
    sumOf(
      Object.fromEntries(Object.entries(ids).map(([key, id]) => [key, lambdaErrors(lambda(id), FIVE_MINUTES)])),
      FIVE_MINUTES,
      'errors',
    );
  return [
    {
      id: 'ScheduledErrors',
      severity: 'critical',
      says: 'find-behind, reconcile or instance-state fail again and again: failures may go unnoticed.',
      act: 'See their logs. After a deployment, turn it back.',
      metric: errorsOf(SCHEDULED),
      threshold: errors,
      ...LATELY,
    },
    {
      id: 'CalledErrors',
      severity: 'warning',
      says: 'Steps of runs, or the API, fail again and again. Steps are retried by the workflow.',
      act: 'See the logs of the Lambda that fails, and `holdfast runs`.',
      metric: errorsOf(CALLED),
      threshold: errors,
      ...LATELY,
    },
    {
      id: 'DeadLetters',
      severity: 'warning',
      says: 'Schedules or events could not be delivered to their Lambdas in time.',
      act: 'Read a message of the queue for its error code, mend that, then purge the queue.',
      metric: waitingIn(deadLetters),
      threshold: 1,
      periods: 1,
    },
  ];
}
