/** CloudFormation templates as far as rights stand in them, with every intrinsic function resolved to text. */
import * as z from 'zod';
import { invariant } from '../../core/failures/invariant.ts';

const Resource = z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) });

export const Template = z.object({
  Parameters: z.record(z.string(), z.object({ Default: z.unknown() })).default({}),
  Resources: z.record(z.string(), Resource),
  Outputs: z
    .record(z.string(), z.object({ Value: z.unknown(), Export: z.object({ Name: z.string() }).optional() }))
    .default({}),
});

export type Template = z.output<typeof Template>;
export type Templates = Readonly<Record<string, Template>>;
export type CfnResource = z.output<typeof Resource>;

/** Where the deployment is thought to be. No rule of ours depends on it. */
export const PLACE = { partition: 'aws', region: 'eu-west-1', account: '111122223333' } as const;

const { partition, region, account } = PLACE;

/** An ARN of that place. */
export const arnOf = (service: string, resource: string): string =>
  `arn:${partition}:${service}:${region}:${account}:${resource}`;

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': partition,
  'AWS::Region': region,
  'AWS::AccountId': account,
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::StackName': 'Stack',
};

/** The CDK appends eight digits to every logical id. */
export const nameOf = (logicalId: string): string => logicalId.replace(/[0-9A-F]{8}$/, '');

/** What each type of resource is called in policies. Another type shall be added here on purpose, not resolved to anything. */
const ARNS: Readonly<Record<string, (name: string, resource: CfnResource) => string>> = {
  'AWS::ApiGatewayV2::Api': (name) => `arn:${partition}:apigateway:${region}::/apis/${name}`,
  'AWS::DynamoDB::Table': (name) => arnOf('dynamodb', `table/${name}`),
  'AWS::Events::Rule': (name) => arnOf('events', `rule/${name}`),
  'AWS::IAM::ManagedPolicy': (name) => `arn:${partition}:iam::${account}:policy/${name}`,
  'AWS::IAM::Role': (name) => `arn:${partition}:iam::${account}:role/${name}`,
  'AWS::Lambda::Function': (name) => arnOf('lambda', `function:${name}`),
  'AWS::Logs::LogGroup': (name) => arnOf('logs', `log-group:${name}:*`),
  'AWS::S3::Bucket': (name) => `arn:${partition}:s3:::${name.toLowerCase()}`,
  'AWS::SNS::Topic': (name) => arnOf('sns', name),
  'AWS::SQS::Queue': (name) => arnOf('sqs', name),
  'AWS::Scheduler::ScheduleGroup': (name) => arnOf('scheduler', `schedule-group/${name}`),
  'AWS::StepFunctions::StateMachine': (name, { Properties }) => {
    const given = Properties['StateMachineName'];
    return arnOf('states', `stateMachine:${typeof given === 'string' ? given : name}`);
  },
};

/** Of these, `Ref` is the ARN; of the others, a name. */
const REF_IS_ARN = ['AWS::SNS::Topic', 'AWS::IAM::ManagedPolicy', 'AWS::StepFunctions::StateMachine'];

/** The value of `value`, which stands in `stack`, without intrinsic functions. */
export function resolved(templates: Templates, stack: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((part) => resolved(templates, stack, part));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first !== undefined && (first[0] === 'Ref' || first[0].startsWith('Fn::'))) {
    return intrinsic(templates, stack, first[0], first[1]);
  }
  return Object.fromEntries(entries.map(([key, part]) => [key, resolved(templates, stack, part)]));
}

function intrinsic(templates: Templates, stack: string, name: string, input: unknown): unknown {
  const text = (value: unknown): string => z.string().parse(resolved(templates, stack, value));
  switch (name) {
    case 'Ref':
      return ref(templates, stack, text(input));
    case 'Fn::GetAtt': {
      const [id, attribute] = z.tuple([z.string(), z.string()]).parse(input);
      return attributeOf(templates, stack, id, attribute);
    }
    case 'Fn::Join': {
      const [separator, parts] = z.tuple([z.string(), z.array(z.unknown())]).parse(input);
      return parts.map(text).join(separator);
    }
    case 'Fn::Sub':
      return text(input).replace(/\$\{([^!}]+)\}/g, (_all, id: string) => ref(templates, stack, id));
    case 'Fn::Select': {
      const [at, list] = z.tuple([z.coerce.number(), z.unknown()]).parse(input);
      return z.array(z.string()).parse(resolved(templates, stack, list))[at];
    }
    case 'Fn::Split': {
      const [separator, whole] = z.tuple([z.string(), z.unknown()]).parse(input);
      return text(whole).split(separator);
    }
    case 'Fn::ImportValue':
      return imported(templates, text(input));
    default:
      throw new Error(`${name} is not known here: add what it does`);
  }
}

function resourceOf(templates: Templates, stack: string, id: string): CfnResource {
  const found = templates[stack]?.Resources[id];
  invariant(found !== undefined, `the template of ${stack} refers to ${id}, which is not in it`);
  return found;
}

function arn(resource: CfnResource, id: string): string {
  const make = ARNS[resource.Type];
  invariant(make !== undefined, `the ARN of ${id}, a ${resource.Type}, is not known here: add how it is made`);
  return make(nameOf(id), resource);
}

function ref(templates: Templates, stack: string, id: string): string {
  const pseudo = PSEUDO[id];
  if (pseudo !== undefined) return pseudo;
  const parameter = templates[stack]?.Parameters[id];
  if (parameter !== undefined) return z.string().parse(parameter.Default);
  const resource = resourceOf(templates, stack, id);
  return REF_IS_ARN.includes(resource.Type) ? arn(resource, id) : nameOf(id);
}

function attributeOf(templates: Templates, stack: string, id: string, attribute: string): string {
  const resource = resourceOf(templates, stack, id);
  return attribute === 'Arn' ? arn(resource, id) : `${nameOf(id)}.${attribute}`;
}

function imported(templates: Templates, name: string): unknown {
  for (const [stack, { Outputs }] of Object.entries(templates)) {
    const found = Object.values(Outputs).find((output) => output.Export?.Name === name);
    if (found !== undefined) return resolved(templates, stack, found.Value);
  }
  throw new Error(`no stack exports ${name}`);
}
