/** Names of what was deployed, read off the stacks as a user reads them. */
import type { Outputs } from './cdk.ts';
import type { Cloud } from './cloud.ts';

export const STACKS = {
  state: 'HoldfastState',
  control: 'HoldfastControl',
  observability: 'HoldfastObservability',
} as const;

/** Logical ids that must never change: another id is another, empty table. */
export const TABLE_IDS = { heartbeats: 'Heartbeats740CD8B8', registry: 'Registry4DB9CCA5' } as const;

export interface Deployed {
  readonly tables: { readonly heartbeats: string; readonly registry: string };
  readonly haRunArn: string;
  readonly apiUrl: string;
  /** Physical names by logical id without its digest: `FindBehind`, `Api` … */
  readonly lambdas: ReadonlyMap<string, string>;
}

export async function findDeployed(cloud: Cloud, outputs: Outputs): Promise<Deployed> {
  const output = (stack: string, name: string): string => {
    const value = outputs[stack]?.[name];
    if (value === undefined) throw new Error(`${stack} has no output ${name}`);
    return value;
  };
  const control = await cloud.resources(STACKS.control);
  const lambdas = control.flatMap(({ ResourceType, LogicalResourceId, PhysicalResourceId }) =>
    ResourceType === 'AWS::Lambda::Function' ? [[LogicalResourceId ?? '', PhysicalResourceId ?? ''] as const] : [],
  );
  return {
    tables: {
      heartbeats: output(STACKS.state, 'HeartbeatsTable'),
      registry: output(STACKS.state, 'RegistryTable'),
    },
    haRunArn: output(STACKS.control, 'HaRunArn'),
    apiUrl: output(STACKS.control, 'ApiUrl'),
    lambdas: new Map(lambdas.map(([id, name]) => [id.replace(/Function[0-9A-F]{8}$/, ''), name])),
  };
}

export function lambdaOf(lambdas: Deployed['lambdas'], name: string): string {
  const found = lambdas.get(name);
  if (found !== undefined) return found;
  throw new Error(`no Lambda ${name} is deployed; there are ${[...lambdas.keys()].join(', ')}`);
}
