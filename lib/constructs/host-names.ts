import { Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { DEFINITION_LIMITS } from '../../core/config/limits.ts';
import { shown } from '../../core/config/problem.ts';
import { clusterName, hostName } from '../../core/config/schema-parts.ts';
import { HaError } from '../../core/failures/failures.ts';

/** The rule of hosts once more, for AWS: one pattern, with its length. */
export const HOST_PATTERN = `^[a-z0-9]([a-z0-9-]{0,${String(DEFINITION_LIMITS.hostName - 2)}}[a-z0-9])?$`;

/** A host whose name no definition can have would install an agent, and never be part of anything. */
export function refuseHostName(construct: Construct, property: string, value: string): void {
  refuse(construct, property, value, hostName);
}

export function refuseClusterName(construct: Construct, property: string, value: string): void {
  refuse(construct, property, value, clusterName);
}

function refuse(construct: Construct, property: string, value: string, rule: typeof hostName): void {
  if (Token.isUnresolved(value)) return; // What only the deployment knows; the agent's own checks see it.
  const [issue] = rule.safeParse(value).error?.issues ?? [];
  if (issue === undefined) return;
  throw new HaError('config_invalid', `${construct.node.path}: ${property}: got ${shown(value)}; ${issue.message}`);
}
