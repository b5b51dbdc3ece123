import type { Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { METRICS } from '../../core/metrics/metrics.ts';
import { idsOf, resourcesOf, synthesised } from './synthesised.ts';

interface MetricStat {
  readonly Metric: {
    readonly Namespace: string;
    readonly MetricName: string;
    readonly Dimensions?: readonly { readonly Name: string; readonly Value: unknown }[];
  };
  readonly Period: number;
  readonly Stat: string;
}

interface AlarmProperties {
  readonly AlarmDescription: string;
  readonly AlarmActions: readonly unknown[];
  readonly OKActions: readonly unknown[];
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Dimensions?: readonly unknown[];
  readonly Statistic?: string;
  readonly ExtendedStatistic?: string;
  readonly Period?: number;
  readonly Threshold: number;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm: number;
  readonly ComparisonOperator: string;
  readonly TreatMissingData: string;
  readonly Metrics?: readonly { readonly Expression?: string; readonly MetricStat?: MetricStat }[];
}

function alarmsOf(template: Template | undefined): Map<string, AlarmProperties> {
  const found = template === undefined ? [] : resourcesOf(template);
  return new Map(
    found
      .filter(([, { Type }]) => Type === 'AWS::CloudWatch::Alarm')
      .map(([id, { Properties }]) => [
        id.replace(/^Alarms/, '').replace(/[0-9A-F]{8}$/, ''),
        Properties as unknown as AlarmProperties,
      ]),
  );
}

let template: Template | undefined;
let alarms: Map<string, AlarmProperties>;

beforeAll(() => {
  template = synthesised().observability;
  alarms = alarmsOf(template);
}, 60_000);

/** What the alarm looks at: `namespace/metric statistic/period`. */
function looksAt({ Namespace, MetricName, Statistic, Period, Metrics = [] }: AlarmProperties): string[] {
  const own = MetricName === undefined ? [] : [`${Namespace ?? ''}/${MetricName} ${Statistic ?? ''}/${String(Period)}`];
  const parts = Metrics.flatMap(({ MetricStat: stat }) =>
    stat === undefined
      ? []
      : [`${stat.Metric.Namespace}/${stat.Metric.MetricName} ${stat.Stat}/${String(stat.Period)}`],
  );
  return [...own, ...parts];
}

describe('alarms', () => {
  test('each watches what its name says, and fires when it is reached for so long', () => {
    const rules = [...alarms].map(([id, alarm]) => [
      id,
      [...new Set(looksAt(alarm))].join(' + '),
      `${alarm.ComparisonOperator.startsWith('Less') ? '<' : '>='} ${String(alarm.Threshold)}`,
      `${String(alarm.DatapointsToAlarm)} of ${String(alarm.EvaluationPeriods)}`,
      alarm.TreatMissingData,
    ]);
    expect(rules).toEqual([
      ['HostsBehind', 'Holdfast/HostsBehind Maximum/60', '>= 1', '5 of 5', 'notBreaching'],
      ['SlotsHeld', 'Holdfast/SlotsHeld Maximum/60', '>= 1', '5 of 5', 'notBreaching'],
      ['RunsHeld', 'Holdfast/RunsHeld Sum/60', '>= 1', '1 of 5', 'notBreaching'],
      ['BudgetSpent', 'Holdfast/BudgetSpent Sum/60', '>= 1', '1 of 5', 'notBreaching'],
      ['SweepsMissing', 'Holdfast/SweepMs SampleCount/60', '< 1', '3 of 3', 'breaching'],
      ['ReconcileMissing', 'AWS/Lambda/Invocations Sum/60', '< 1', '3 of 3', 'breaching'],
      ['ClustersFailed', 'Holdfast/ClustersFailed Maximum/60', '>= 1', '3 of 5', 'notBreaching'],
      ['SweepsLate', 'Holdfast/SweepLate Sum/300', '>= 3', '1 of 1', 'notBreaching'],
      [
        'HeartbeatsThrottled',
        'AWS/DynamoDB/ReadThrottleEvents Sum/60 + AWS/DynamoDB/WriteThrottleEvents Sum/60',
        '>= 1',
        '1 of 5',
        'notBreaching',
      ],
      [
        'RegistryThrottled',
        'AWS/DynamoDB/ReadThrottleEvents Sum/60 + AWS/DynamoDB/WriteThrottleEvents Sum/60',
        '>= 1',
        '1 of 5',
        'notBreaching',
      ],
      ['StoreThrottled', 'Holdfast/StoreThrottled Sum/60', '>= 1', '1 of 5', 'notBreaching'],
      [
        'RunsFailed',
        'AWS/States/ExecutionsFailed Sum/60 + AWS/States/ExecutionsTimedOut Sum/60',
        '>= 1',
        '1 of 5',
        'notBreaching',
      ],
      ['ScheduledErrors', 'AWS/Lambda/Errors Sum/300', '>= 3', '1 of 2', 'notBreaching'],
      ['CalledErrors', 'AWS/Lambda/Errors Sum/300', '>= 3', '1 of 2', 'notBreaching'],
      ['DeadLetters', 'AWS/SQS/ApproximateNumberOfMessagesVisible Maximum/60', '>= 1', '1 of 1', 'notBreaching'],
    ]);
  });

  test('own metrics are those that the control plane emits, without a dimension: no alarm must know the clusters', () => {
    const own = [...alarms.values()].filter(({ Namespace }) => Namespace === 'Holdfast');
    expect(own).toHaveLength(8);
    for (const { MetricName: name = '', Dimensions } of own) {
      expect(Object.keys(METRICS)).toContain(name);
      expect(Dimensions).toBeUndefined();
    }
  });

  test('what fires where there is no data is only what is emitted all the time', () => {
    const breaching = [...alarms.values()].filter(({ TreatMissingData }) => TreatMissingData === 'breaching');
    // reconcile is called every minute.
    expect(breaching.flatMap(looksAt)).toEqual(['Holdfast/SweepMs SampleCount/60', 'AWS/Lambda/Invocations Sum/60']);
    expect(METRICS.SweepMs.isGauge).toBe(true);
  });

  test('an expression that fills what has not arrived yet with zeros looks at more than the newest period', () => {
    const filled = [...alarms].filter(([, { Metrics = [] }]) =>
      Metrics.some(({ Expression }) => Expression !== undefined),
    );
    expect(filled.map(([id]) => id)).toContain('RunsFailed');
    for (const [id, { DatapointsToAlarm, EvaluationPeriods }] of filled)
      expect({ id, isLookingBack: DatapointsToAlarm < EvaluationPeriods }).toEqual({ id, isLookingBack: true });
  });

  test('each deployment watches what its own Lambdas emit: sweeps of one must not hide that the other has none', () => {
    const { control, observability } = synthesised({ name: 'Second' });
    const told = resourcesOf(control)
      .filter(([, { Type }]) => Type === 'AWS::Lambda::Function')
      .map(([, { Properties }]) => JSON.stringify(Properties).match(/"METRICS_NAMESPACE":"[^"]*"/)?.[0]);
    expect(new Set(told)).toEqual(new Set(['"METRICS_NAMESPACE":"Second"']));
    const watched = [...alarmsOf(observability).values()].flatMap(({ Namespace }) => Namespace ?? []);
    expect([...new Set(watched)].sort()).toEqual(['AWS/SQS', 'Second']);
    const dashboard = JSON.stringify(observability?.toJSON());
    expect(dashboard).toMatch(/\{\\+"Second\\+",cluster\}/);
    expect(dashboard).not.toMatch(/\{\\*"?Holdfast|"Holdfast\\*",\\*"/);
  });

  test('every Lambda is watched, by the name that it has', () => {
    const watched = JSON.stringify([alarms.get('ScheduledErrors'), alarms.get('CalledErrors')]);
    const names = [...watched.matchAll(/"FunctionName","Value":"HoldfastControl-([a-z-]+)"/g)].map(([, name]) => name);
    expect(names.sort()).toEqual([
      'api',
      'find-behind',
      'ha-fence',
      'ha-investigate',
      'ha-recover',
      'instance-state',
      'reconcile',
    ]);
  });

  test('each says how bad it is, what it means and what to do, and calls who is called by the control plane', () => {
    const topic = JSON.stringify({
      'Fn::Join': [
        '',
        [
          'arn:',
          ...[{ Ref: 'AWS::Partition' }, ':sns:', { Ref: 'AWS::Region' }, ':', { Ref: 'AWS::AccountId' }],
          ':HoldfastControl-pages',
        ],
      ],
    });
    for (const [, { AlarmDescription: says, AlarmActions, OKActions }] of alarms) {
      expect(says).toMatch(/^(CRITICAL|WARNING): .+\. .+\.$/);
      expect(AlarmActions.map((action) => JSON.stringify(action))).toEqual([topic]);
      expect(OKActions).toEqual(AlarmActions);
    }
  });

  test('thresholds follow the settings', () => {
    const changed = alarmsOf(
      synthesised({ alarms: { behindMinutes: 9, heldMinutes: 2, silentMinutes: 4, errors: 7, throttles: 50 } })
        .observability,
    );
    expect(changed.get('HostsBehind')?.EvaluationPeriods).toBe(9);
    expect(changed.get('SlotsHeld')?.EvaluationPeriods).toBe(2);
    expect(changed.get('SweepsMissing')?.EvaluationPeriods).toBe(4);
    expect(changed.get('ScheduledErrors')?.Threshold).toBe(7);
    expect(changed.get('HeartbeatsThrottled')?.Threshold).toBe(50);
  });
});

describe('the stack', () => {
  test('nothing in it keeps another from changing: it looks at the control stack by names', () => {
    expect(JSON.stringify(template?.toJSON())).not.toMatch(/ImportValue": *"HoldfastControl/);
    const imports = JSON.stringify(template?.toJSON()).match(/"Fn::ImportValue":"[^"]+"/g) ?? [];
    expect([...new Set(imports)].sort()).toEqual([
      '"Fn::ImportValue":"HoldfastState:ExportsOutputRefHeartbeats740CD8B87662303F"',
      '"Fn::ImportValue":"HoldfastState:ExportsOutputRefRegistry4DB9CCA58F1003A0"',
    ]);
  });

  test('a dashboard, and alarms; each can be left out', () => {
    if (template === undefined) throw new Error('there is a stack by default');
    expect(idsOf(template, 'AWS::CloudWatch::Dashboard')).toEqual(['Dashboard7A714131']);
    const bare = synthesised({ dashboard: false }).observability;
    expect(bare === undefined ? [] : idsOf(bare, 'AWS::CloudWatch::Dashboard')).toEqual([]);
    const quiet = synthesised({ alarms: { enabled: false } }).observability;
    expect(quiet === undefined ? [] : idsOf(quiet)).toEqual(['Dashboard7A714131']);
    expect(synthesised({ alarms: { enabled: false }, dashboard: false }).observability).toBeUndefined();
  });
});
