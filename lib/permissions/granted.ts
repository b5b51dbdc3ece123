/** Every right that the templates give to anybody: by policies of roles, policies of resources, and who may take a role. */
import * as z from 'zod';
import { invariant } from '../../core/failures/invariant.ts';
import { type CfnResource, nameOf, PLACE, resolved, type Templates } from './template.ts';

const OneOrMore = z.union([z.string().transform((one) => [one]), z.array(z.string())]);

/** Strict: NotAction, NotResource and NotPrincipal grant what nobody has listed, and are refused. */
const Statement = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: OneOrMore,
  Resource: OneOrMore.optional(),
  Principal: z.union([z.literal('*'), z.record(z.string(), OneOrMore)]).optional(),
  Condition: z.record(z.string(), z.record(z.string(), OneOrMore)).optional(),
});

export const PolicyDocument = z.object({ Version: z.string(), Statement: z.array(Statement) });

export type PolicyDocument = z.output<typeof PolicyDocument>;
type Statement = z.output<typeof Statement>;
export type Conditions = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** One action of one principal on one resource. */
export interface Grant {
  readonly effect: 'Allow' | 'Deny';
  /** A role or managed policy by its name in the template; a service of AWS; `anybody`. */
  readonly who: string;
  readonly action: string;
  /** `service:rest-of-the-ARN` within the deployment's account, or `*`. */
  readonly on: string;
  readonly when: Conditions;
}

interface Found {
  readonly stack: string;
  readonly id: string;
  readonly resource: CfnResource;
}

function all(templates: Templates, type: string): Found[] {
  return Object.entries(templates).flatMap(([stack, { Resources }]) =>
    Object.entries(Resources)
      .filter(([, resource]) => resource.Type === type)
      .map(([id, resource]) => ({ stack, id, resource })),
  );
}

const property = (templates: Templates, { stack, resource }: Found, name: string): unknown =>
  resolved(templates, stack, resource.Properties[name]);

const Names = z.array(z.string()).default([]);
const Inline = z.array(z.object({ PolicyDocument: z.unknown() })).default([]);

/**
 * What each role and each managed policy says, resolved, under its name. A managed policy stands for whoever it is attached
 * to outside of the deployment, and is also among the documents of the roles that carry it here.
 */
export function identityPolicies(templates: Templates): ReadonlyMap<string, readonly PolicyDocument[]> {
  const managed = new Map<string, PolicyDocument>();
  const policies = new Map<string, PolicyDocument[]>();
  const own = (name: string): PolicyDocument[] => {
    const documents = policies.get(name);
    invariant(documents !== undefined, `no role is called ${name}`);
    return documents;
  };
  const add = (name: string, documents: PolicyDocument[]): void => {
    invariant(!policies.has(name), `two principals are called ${name}`);
    policies.set(name, documents);
  };
  for (const role of all(templates, 'AWS::IAM::Role')) {
    const inline = Inline.parse(property(templates, role, 'Policies'));
    add(
      nameOf(role.id),
      inline.map((policy) => PolicyDocument.parse(policy.PolicyDocument)),
    );
  }
  for (const policy of all(templates, 'AWS::IAM::ManagedPolicy')) {
    const document = PolicyDocument.parse(property(templates, policy, 'PolicyDocument'));
    managed.set(z.string().parse(resolved(templates, policy.stack, { Ref: policy.id })), document);
    add(nameOf(policy.id), [document]);
    for (const role of Names.parse(property(templates, policy, 'Roles'))) own(role).push(document);
  }
  for (const policy of all(templates, 'AWS::IAM::Policy')) {
    const document = PolicyDocument.parse(property(templates, policy, 'PolicyDocument'));
    for (const role of Names.parse(property(templates, policy, 'Roles'))) own(role).push(document);
  }
  for (const role of all(templates, 'AWS::IAM::Role')) {
    for (const arn of Names.parse(property(templates, role, 'ManagedPolicyArns'))) {
      const document = managed.get(arn);
      invariant(document !== undefined, `${nameOf(role.id)} carries ${arn}, which says what AWS wants it to say`);
      own(nameOf(role.id)).push(document);
    }
  }
  return policies;
}

const RESOURCE_POLICIES = ['AWS::SNS::TopicPolicy', 'AWS::SQS::QueuePolicy', 'AWS::S3::BucketPolicy'];

/** All of it. What is given through a managed policy to a role of the deployment is told of both. */
export function grants(templates: Templates): Grant[] {
  const byIdentity = [...identityPolicies(templates)].flatMap(([who, documents]) =>
    documents.flatMap(({ Statement: statements }) => statements.flatMap((statement) => expand(statement, [who]))),
  );
  const byResource = RESOURCE_POLICIES.flatMap((type) => all(templates, type)).flatMap((policy) =>
    ofDocument(property(templates, policy, 'PolicyDocument')),
  );
  const trust = all(templates, 'AWS::IAM::Role').flatMap((role) =>
    ofDocument(property(templates, role, 'AssumeRolePolicyDocument'), `iam:role/${nameOf(role.id)}`),
  );
  const invocations = all(templates, 'AWS::Lambda::Permission').map((permission) => invocation(templates, permission));
  return [...byIdentity, ...byResource, ...trust, ...invocations];
}

function ofDocument(document: unknown, on?: string): Grant[] {
  return PolicyDocument.parse(document).Statement.flatMap((statement) =>
    expand(statement, principalsOf(statement), on),
  );
}

function expand(statement: Statement, who: readonly string[], on?: string): Grant[] {
  const { Effect: effect, Action, Resource = [], Condition: when = {} } = statement;
  const resources = on === undefined ? Resource.map(shortOf) : [on];
  invariant(resources.length > 0, `a statement names no resource: ${JSON.stringify(statement)}`);
  return who.flatMap((one) =>
    Action.flatMap((action) => resources.map((resource) => ({ effect, who: one, action, on: resource, when }))),
  );
}

function principalsOf({ Principal }: Statement): string[] {
  if (Principal === undefined || Principal === '*') return ['anybody'];
  return Object.values(Principal)
    .flat()
    .map((one) => (one === '*' ? 'anybody' : shortOf(one)));
}

function invocation(templates: Templates, permission: Found): Grant {
  const text = (name: string) =>
    z
      .string()
      .optional()
      .parse(property(templates, permission, name));
  const source = text('SourceArn');
  const by = text('SourceAccount');
  const when: Conditions = {
    ...(source && { ArnLike: { 'aws:SourceArn': [source] } }),
    ...(by && { StringEquals: { 'aws:SourceAccount': [by] } }),
  };
  const on = text('FunctionName') ?? '';
  return {
    effect: 'Allow',
    who: text('Principal') ?? '',
    action: text('Action') ?? '',
    on: on.startsWith('arn:') ? shortOf(on) : `lambda:function:${on}`,
    when,
  };
}

/** Without partition, region and account, where these are the deployment's own or none. */
function shortOf(arn: string): string {
  const [, , service, region, account, ...rest] = arn.split(':');
  const isOurs = (region === PLACE.region || region === '') && (account === PLACE.account || account === '');
  return arn.startsWith('arn:') && isOurs ? `${service}:${rest.join(':')}` : arn;
}

/** One line that two grants share if they are the same. */
export function grantLine({ effect, who, action, on, when }: Grant): string {
  const conditions = Object.entries(when)
    .flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, values]) => `${operator} ${key} ${values.join(', ')}`),
    )
    .sort();
  const denied = effect === 'Deny' ? 'DENY ' : '';
  return [`${denied}${who}: ${action} on ${on}`, ...conditions].join(' if ');
}
