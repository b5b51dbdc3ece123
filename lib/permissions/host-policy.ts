/**
 * What a host may do in AWS (S16): write its own heartbeat, read its own assignment, keep its own reports, in two tables.
 *
 * IAM sees of an item only its partition key (`dynamodb:LeadingKeys`) and the names of attributes in the request, so all that
 * one host may touch stands in partitions named by its principal, and the principal is a value that AWS itself puts into every
 * request: nothing that the host sends can change it.
 */
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { HOST_ATTRIBUTES, HOST_RETURN_VALUES } from '../../core/protocol/host-attributes.ts';
import { keys } from '../../core/protocol/records.ts';

/**
 * How AWS knows a host: an EC2 instance by the ARN that comes with the credentials of its profile; a machine elsewhere by the
 * common name of its certificate (IAM Roles Anywhere).
 */
export type HostIdentity = 'instance' | 'certificate';

const COMMON_NAME = 'aws:PrincipalTag/x509Subject/CN';

/** IAM puts the caller's value in. An absent one matches nothing, so that the policy of one kind is of no use to another. */
const PRINCIPALS: Readonly<Record<HostIdentity, string>> = {
  instance: '${ec2:SourceInstanceARN}',
  certificate: `\${${COMMON_NAME}}`,
};

type Conditions = Record<string, Record<string, string | readonly string[]>>;

/**
 * Version 1 of the metadata service hands an instance's credentials to whoever can make a process on it fetch a URL. And a
 * certificate must not be able to name an instance: an ARN is short enough for a common name, and has colons, which no
 * definition takes in the name of a certificate.
 */
const MORE: Readonly<Record<HostIdentity, Conditions>> = {
  instance: { NumericGreaterThanEquals: { 'ec2:RoleDelivery': '2.0' } },
  certificate: { StringNotLike: { [COMMON_NAME]: '*:*' } },
};

export interface HostTables {
  readonly heartbeats: { readonly tableArn: string };
  readonly registry: { readonly tableArn: string };
}

export function hostStatements(identity: HostIdentity, tables: HostTables): PolicyStatement[] {
  const principal = PRINCIPALS[identity];
  const heartbeats = tables.heartbeats.tableArn;
  const registry = tables.registry.tableArn;
  const assignment = keys.assignment(principal).pk;
  const reports = keys.report(principal, '').pk;
  const allow = (sid: string, action: string, on: string, conditions: Conditions): PolicyStatement =>
    new PolicyStatement({
      sid,
      effect: Effect.ALLOW,
      actions: [action],
      resources: [on],
      conditions: { ...conditions, ...MORE[identity] },
    });
  return [
    allow('ReadOwnHeartbeat', 'dynamodb:GetItem', heartbeats, ownPartition(principal)),
    allow('WriteOwnHeartbeat', 'dynamodb:UpdateItem', heartbeats, ownAttributes(principal)),
    allow('ReadOwnAssignment', 'dynamodb:GetItem', registry, ownPartition(assignment)),
    allow('ReadOwnReports', 'dynamodb:GetItem', registry, ownPartition(reports)),
    allow('WriteOwnReports', 'dynamodb:PutItem', registry, ownPartition(reports)),
    allow('RemoveOwnReports', 'dynamodb:DeleteItem', registry, ownPartition(reports)),
  ];
}

/** `ForAllValues` holds of no value at all; so each guarded key must be there as well. */
function ownPartition(key: string): Conditions {
  return {
    'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [key] },
    Null: { 'dynamodb:LeadingKeys': 'false' },
  };
}

function ownAttributes(key: string): Conditions {
  return {
    'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [key], 'dynamodb:Attributes': HOST_ATTRIBUTES },
    Null: { 'dynamodb:LeadingKeys': 'false', 'dynamodb:Attributes': 'false' },
    StringEquals: { 'dynamodb:ReturnValues': HOST_RETURN_VALUES },
  };
}
