import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table, TableEncryption, type TableProps } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { DEFAULT_SETTINGS, type DeploymentSettings, type TableSettings } from '../settings.ts';

export interface StateStackProps extends StackProps {
  /** Default: the tables of the default settings. */
  readonly tables?: DeploymentSettings['tables'] | undefined;
}

/**
 * The two tables, in a stack of their own: the code around them is replaced often, they never are.
 * Neither has replicas in other regions: asynchronous copies would let two writers win one condition (S18).
 */
export class StateStack extends Stack {
  readonly heartbeats: Table;
  readonly registry: Table;

  constructor(scope: Construct, id: string, props: StateStackProps = {}) {
    super(scope, id, props);
    const { heartbeats, registry } = props.tables ?? DEFAULT_SETTINGS.tables;

    // One small item per host. TTL only tidies (S18); hosts that were lost register anew, so there is nothing to restore.
    this.heartbeats = new Table(this, 'Heartbeats', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      timeToLiveAttribute: 'ttl',
      ...KEPT,
      ...capacity(heartbeats),
    });

    // Owners, epochs and evidence. A restore from a point in time is recognised by its incarnation (S21).
    this.registry = new Table(this, 'Registry', {
      partitionKey: { name: 'PK', type: AttributeType.STRING },
      sortKey: { name: 'SK', type: AttributeType.STRING },
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      ...KEPT,
      ...capacity(registry),
    });

    this.output('HeartbeatsTable', this.heartbeats, heartbeats);
    this.output('RegistryTable', this.registry, registry);
  }

  /** Exported whether or not another stack asks for it: what the others use never changes this one. */
  private output(id: string, table: Table, settings: TableSettings): void {
    scale(table, settings);
    this.exportValue(table.tableName);
    this.exportValue(table.tableArn);
    new CfnOutput(this, id, { value: table.tableName });
  }
}

/** A stack that is deleted, and a table that someone deletes by mistake, leave the table where it is. */
const KEPT = {
  // By a key that DynamoDB owns: with one in KMS, a fault or a limit there would refuse renewals, which end leases.
  encryption: TableEncryption.DEFAULT,
  deletionProtection: true,
  removalPolicy: RemovalPolicy.RETAIN,
} as const satisfies Partial<TableProps>;

function capacity(settings: TableSettings): Partial<TableProps> {
  const { warmThroughput: warm } = settings;
  const warmed =
    warm === undefined
      ? {}
      : { warmThroughput: { readUnitsPerSecond: warm.readUnits, writeUnitsPerSecond: warm.writeUnits } };
  if (settings.billing === 'on-demand') return { billingMode: BillingMode.PAY_PER_REQUEST, ...warmed };
  const { read, write } = settings;
  return { billingMode: BillingMode.PROVISIONED, readCapacity: read.min, writeCapacity: write.min, ...warmed };
}

function scale(table: Table, settings: TableSettings): void {
  if (settings.billing === 'on-demand') return;
  const { read, write, utilisation } = settings;
  const aim = { targetUtilizationPercent: utilisation };
  table.autoScaleReadCapacity({ minCapacity: read.min, maxCapacity: read.max }).scaleOnUtilization(aim);
  table.autoScaleWriteCapacity({ minCapacity: write.min, maxCapacity: write.max }).scaleOnUtilization(aim);
}
