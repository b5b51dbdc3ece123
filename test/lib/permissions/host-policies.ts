/** The policies of hosts as CloudFormation would get them, one for each way by which AWS knows a host. */
import { App, Stack } from 'aws-cdk-lib';
import { Template as Synthesised } from 'aws-cdk-lib/assertions';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { HostPolicy } from '../../../lib/constructs/host-policy.ts';
import { identityPolicies, type PolicyDocument } from '../../../lib/permissions/granted.ts';
import type { HostIdentity } from '../../../lib/permissions/host-policy.ts';
import { Template, type Templates } from '../../../lib/permissions/template.ts';

export function hostPolicy(identity: HostIdentity): readonly PolicyDocument[] {
  const stack = new Stack(new App({ analyticsReporting: false }), 'Hosts');
  const table = (name: string) => new Table(stack, name, { partitionKey: { name: 'pk', type: AttributeType.STRING } });
  new HostPolicy(stack, 'HostPolicy', { identity, heartbeats: table('Heartbeats'), registry: table('Registry') });
  const template = Template.parse(Synthesised.fromStack(stack).toJSON());
  return documentsOf({ Hosts: template }, 'HostPolicy');
}

/** Of one principal, which must be there: no documents refuse everything, and would look right. */
export function documentsOf(templates: Templates, principal: string): readonly PolicyDocument[] {
  const documents = identityPolicies(templates).get(principal);
  if (documents === undefined || documents.length === 0) throw new Error(`nothing is granted to ${principal}`);
  return documents;
}

type Statement = PolicyDocument['Statement'][number];

/** The policy with one thing taken out of it: the cases that were refused because of that thing must then be allowed. */
export function without(
  documents: readonly PolicyDocument[],
  change: (statement: Statement) => Statement,
): readonly PolicyDocument[] {
  return documents.map((document) => ({ ...document, Statement: document.Statement.map(change) }));
}

/** Takes one condition out, wherever it stands. */
export function dropping(operator: string, key: string) {
  return (statement: Statement): Statement => {
    const condition = Object.entries(statement.Condition ?? {}).map(
      ([name, keys]): [string, Record<string, string[]>] => [
        name,
        name === operator ? Object.fromEntries(Object.entries(keys).filter(([one]) => one !== key)) : keys,
      ],
    );
    return {
      ...statement,
      Condition: Object.fromEntries(condition.filter(([, keys]) => Object.keys(keys).length > 0)),
    };
  };
}

/** Lets everything through: a call that it refuses is none that anybody could make, and shows nothing when it is refused. */
export const EVERYTHING: readonly PolicyDocument[] = [
  { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['*'], Resource: ['*'] }] },
];
