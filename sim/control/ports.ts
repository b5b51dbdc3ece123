/** The ports of one environment of a function: wired as `lambdas/shared/aws.ts` wires those of a deployed one. */
import { noMetrics } from '../../adapters/memory/memory-metrics.ts';
import type { Workflow } from '../../core/ports.ts';
import type { ControlPorts } from '../../lambdas/shared/ports.ts';
import { withSharedQueries, withSharedScans } from '../../lambdas/shared/shared-reads.ts';
import type { SimEc2, SimStore } from '../contract/parts.ts';
import type { Stage } from '../contract/stage.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';

export interface PortsOf {
  readonly stage: Stage;
  readonly store: SimStore;
  readonly ec2: SimEc2;
  /** Step Functions, as that process reaches it. */
  readonly workflow: Workflow;
  readonly process: SimProcess;
  readonly random: Random;
}

export function controlPorts({ stage, store, ec2, workflow, process, random }: PortsOf): ControlPorts {
  const { heartbeats, registry } = store.forControl(process);
  const { power, guardAsk, probe } = ec2.forControl(process);
  const ids = random.fork('ids');
  return {
    heartbeats: withSharedScans(heartbeats),
    registry: withSharedQueries(registry),
    workflow,
    power,
    guardAsk,
    probe,
    wall: process.clock.wall,
    boot: process.clock.boot,
    sleeper: process.sleeper,
    ids: { next: () => ids.uuid() },
    alerts: {
      page: (subject, text) =>
        process.call(async () => {
          stage.tell({ type: 'page', subject, text });
        }),
    },
    metrics: noMetrics,
    log: (level, text) => stage.tell({ type: 'log', who: process.name, says: `${level}: ${text}` }),
  };
}
