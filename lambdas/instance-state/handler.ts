/** Takes EventBridge's events about instances. None of them is evidence (S7): they lead to reads, to moves, or to a call. */
import { unreachable } from '../../core/failures/invariant.ts';
import { edge, type Handler } from '../shared/edge.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { CloudEvent } from './events.ts';
import { healthChanged, type Noticed, rebalanceAdvised, spotInterrupted } from './notices.ts';
import { stateChanged } from './state-change.ts';

export interface InstanceStateResult {
  /** `cluster/host`, of every cluster that has the instance. */
  readonly hosts: readonly string[];
  /** Runs that work on them because of this event. */
  readonly runs: readonly string[];
  /** Hosts whose session two reads have shown to be over. */
  readonly off: readonly string[];
}

export function instanceState(ports: ControlPorts): Handler<InstanceStateResult> {
  return edge(ports, CloudEvent, async (event): Promise<InstanceStateResult> => {
    switch (event['detail-type']) {
      case 'EC2 Instance State-change Notification': {
        const followed = await stateChanged(ports, event);
        return {
          hosts: followed.map(({ name }) => name),
          runs: followed.flatMap(({ run }) => run ?? []),
          off: followed.filter(({ isOff }) => isOff).map(({ name }) => name),
        };
      }
      case 'EC2 Spot Instance Interruption Warning':
        return resultOf(await spotInterrupted(ports, event));
      case 'EC2 Instance Rebalance Recommendation':
        return resultOf(await rebalanceAdvised(ports, event));
      case 'AWS Health Event':
        return resultOf(await healthChanged(ports, event));
      default:
        return unreachable(event);
    }
  });
}

function resultOf(noticed: readonly Noticed[]): InstanceStateResult {
  return { hosts: noticed.map(({ name }) => name), runs: noticed.flatMap(({ runs }) => runs), off: [] };
}
