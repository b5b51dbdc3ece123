import { Duration } from 'aws-cdk-lib';
import {
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  SingleValueWidget,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { LAMBDA_IDS } from '../control-names.ts';
import { executions, lambdaDuration, lambdaErrors, tableMetric, waitingIn, type Watched } from './watched.ts';

const WIDTH = 8;
const HEIGHT = 6;
const FIVE_MINUTES = Duration.minutes(5);

export interface ControlDashboardProps {
  readonly watched: Watched;
  readonly dashboardName: string;
}

/** From what is wrong now, to what makes it so: hosts and slots, takeovers, sweeps, then the parts. */
export class ControlDashboard extends Construct {
  constructor(scope: Construct, id: string, { watched, dashboardName }: ControlDashboardProps) {
    super(scope, id);
    new Dashboard(this, 'Dashboard', {
      dashboardName,
      widgets: [[explanation()], now(watched), clusters(watched), takeovers(watched), sweeps(watched), parts(watched)],
    });
  }
}

function explanation(): IWidget {
  const markdown =
    'Holdfast: the control plane of this account and region. `holdfast status` says the same with names and reasons.';
  return new TextWidget({ markdown, width: 24, height: 1 });
}

const graph = (title: string, ...left: IMetric[]): IWidget =>
  new GraphWidget({ title, left, width: WIDTH, height: HEIGHT, leftYAxis: { min: 0 } });

const now = ({ metrics }: Watched): IWidget[] => [
  new SingleValueWidget({
    metrics: [
      metrics.all('HostsBehind'),
      metrics.all('SlotsHeld'),
      metrics.all('RunsHeld'),
      metrics.all('BudgetSpent'),
      metrics.all('ClustersFailed'),
    ],
    width: 24,
    height: 3,
  }),
];

const clusters = ({ metrics }: Watched): IWidget[] => [
  graph('Hosts behind, by cluster', metrics.byCluster('HostsBehind')),
  graph('Slots held, by cluster', metrics.byCluster('SlotsHeld')),
  graph('Pages', metrics.all('Pages', FIVE_MINUTES)),
];

const takeovers = ({ metrics, haRun }: Watched): IWidget[] => [
  graph('Failovers, by cluster', metrics.byCluster('Failovers', FIVE_MINUTES)),
  graph('Downtime of failovers (ms), by cluster', metrics.byCluster('DowntimeMs', FIVE_MINUTES)),
  graph(
    'Runs',
    executions(haRun, 'ExecutionsStarted'),
    executions(haRun, 'ExecutionsSucceeded'),
    executions(haRun, 'ExecutionsFailed'),
    executions(haRun, 'ExecutionsTimedOut'),
  ),
];

const sweeps = ({ metrics, deadLetters }: Watched): IWidget[] => [
  graph('Longest sweep (ms)', metrics.all('SweepMs')),
  graph('Gaps between sweeps', metrics.all('SweepLate')),
  graph('Calls that could not be delivered', waitingIn(deadLetters)),
];

const parts = ({ tables, lambda }: Watched): IWidget[] => [
  graph(
    'DynamoDB, units a minute',
    tableMetric(tables.heartbeats, 'ConsumedWriteCapacityUnits', 'heartbeats, written'),
    tableMetric(tables.heartbeats, 'ConsumedReadCapacityUnits', 'heartbeats, read'),
    tableMetric(tables.registry, 'ConsumedWriteCapacityUnits', 'registry, written'),
    tableMetric(tables.registry, 'ConsumedReadCapacityUnits', 'registry, read'),
  ),
  graph('Errors of Lambdas', ...LAMBDA_IDS.map((id) => lambdaErrors(lambda(id), FIVE_MINUTES))),
  graph('Duration of Lambdas (ms, p99)', ...LAMBDA_IDS.map((id) => lambdaDuration(lambda(id)))),
];
