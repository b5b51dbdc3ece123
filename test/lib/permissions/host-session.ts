/** Hosts as AWS would know them, and what DynamoDB would tell IAM about their calls. */
import { arnOf, PLACE } from '../../../lib/permissions/template.ts';
import type { Call } from './evaluate.ts';

export const HEARTBEATS = arnOf('dynamodb', 'table/Heartbeats');
export const REGISTRY = arnOf('dynamodb', 'table/Registry');

export const OWN = arnOf('ec2', 'instance/i-0aaaaaaaaaaaaaaaa');
export const NEIGHBOUR = arnOf('ec2', 'instance/i-0bbbbbbbbbbbbbbbb');

export type Keys = NonNullable<Call['keys']>;

/** What comes with credentials of an instance profile, fetched by version 2 of the metadata service. */
export const instanceSession = (principal: string, delivery = '2.0'): Keys => ({
  'ec2:SourceInstanceARN': principal,
  'ec2:RoleDelivery': delivery,
});

/** What comes with credentials of IAM Roles Anywhere. */
export const certificateSession = (commonName: string): Keys => ({ 'aws:PrincipalTag/x509Subject/CN': commonName });

export interface DynamoCall {
  readonly operation: string;
  readonly table: string;
  /** The partition key; null: the request names none, or AWS does not tell. */
  readonly key: string | null;
  readonly attributes?: readonly string[];
  readonly returns?: string;
}

export function dynamoCall({ operation, table, key, attributes, returns }: DynamoCall, session: Keys): Call {
  return {
    action: `dynamodb:${operation}`,
    on: table,
    keys: {
      ...session,
      ...(key !== null && { 'dynamodb:LeadingKeys': [key] }),
      ...(attributes && { 'dynamodb:Attributes': attributes }),
      ...(returns !== undefined && { 'dynamodb:ReturnValues': returns }),
    },
  };
}

/** A renewal as it should be; cases change one thing in it. */
export const RENEWAL: DynamoCall = {
  operation: 'UpdateItem',
  table: HEARTBEATS,
  key: OWN,
  attributes: ['pk', 'session', 'obeyed', 'slots', 'lists', 'sentAtWallMs', 'sentAtBootMs', 'sentIn', 'ttl', 'seq'],
  returns: 'ALL_NEW',
};

export const instanceOf = (id: string): string =>
  `arn:${PLACE.partition}:ec2:${PLACE.region}:${PLACE.account}:instance/${id}`;
