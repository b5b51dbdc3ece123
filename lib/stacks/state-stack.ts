import { RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';

/**
 * The two tables, in a stack of their own: the code around them is replaced often, they never are.
 * Neither has replicas in other regions: asynchronous copies would let two writers win one condition (S18).
 */
export class StateStack extends Stack {
  readonly heartbeats: Table;
  readonly registry: Table;

  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    // One small item per host. TTL only tidies (S18); hosts that were lost register anew, so there is nothing to restore.
    this.heartbeats = new Table(this, 'Heartbeats', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'ttl',
      encryption: TableEncryption.AWS_MANAGED,
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });

    // Owners, epochs and evidence. A restore from a point in time is recognised by its incarnation (S21).
    this.registry = new Table(this, 'Registry', {
      partitionKey: { name: 'PK', type: AttributeType.STRING },
      sortKey: { name: 'SK', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      encryption: TableEncryption.AWS_MANAGED,
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }
}
