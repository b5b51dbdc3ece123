/** Which runner drives which kind of service. */
import { unreachable } from '../../core/failures/invariant.ts';
import type { AgentKind, GroupDefinition } from '../../core/config/model.ts';
import { createExecRunner, type ExecOptions } from './exec.ts';
import { createOcfRunner, type OcfOptions } from './ocf.ts';
import type { Runner } from './runner.ts';

export type RunnerFor = (agent: AgentKind) => Runner | string;

/** A string says why this kind cannot be driven here. */
export function createRunners(options: ExecOptions & OcfOptions): RunnerFor {
  const exec = createExecRunner(options);
  const ocf = createOcfRunner(options);
  return (agent) => {
    switch (agent.kind) {
      case 'exec':
        return exec;
      case 'ocf':
        return ocf;
      case 'systemd':
        return `systemd:${agent.unit}: this agent does not drive systemd units`;
      case 'lsb':
        return `lsb:${agent.script}: this agent does not drive LSB scripts`;
      case 'driver':
        return `driver:${agent.driver}: this agent has no drivers`;
      default:
        return unreachable(agent);
    }
  };
}

/** Undefined: every service of the group can be driven. */
export function refusalOf(runnerFor: RunnerFor, spec: GroupDefinition): string | undefined {
  const refusals = spec.services.flatMap((service) => {
    const runner = runnerFor(service.agent);
    return typeof runner === 'string' ? [`${service.name}: ${runner}`] : [];
  });
  return refusals.length === 0 ? undefined : refusals.join('; ');
}
