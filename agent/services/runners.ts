/** The runners of this machine, which drive real processes. */
import { unreachable } from '../../core/failures/invariant.ts';
import { createExecRunner, type ExecOptions } from './exec.ts';
import { createOcfRunner, type OcfOptions } from './ocf.ts';
import type { RunnerFor } from './runner.ts';

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
