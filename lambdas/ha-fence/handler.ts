/** Fencing: says what the policy's levels name, then waits for the first evidence that the slots accept while the power is watched. */
import * as z from 'zod';
import { HaError } from '../../core/failures/failures.ts';
import { unreachable } from '../../core/failures/invariant.ts';
import { loadCluster } from '../shared/cluster.ts';
import { edge, type Handler, runName } from '../shared/edge.ts';
import { isNewest, setHostStatus } from '../shared/host-status.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { recordStep, setRunPhase } from '../shared/run-log.ts';
import { Work } from '../shared/work.ts';
import { awaitProof } from './await-proof.ts';
import type { FenceCloud } from './fence-cloud.ts';
import { selfTest, type SelfTested } from './self-test.ts';

const FenceEvent = z.discriminatedUnion('step', [
  z.strictObject({ step: z.literal('fence'), run: runName, work: Work }),
  z.strictObject({ step: z.literal('await-proof'), run: runName, work: Work }),
  z.strictObject({ step: z.literal('self-test'), all: z.boolean().optional() }),
]);

/** `cloud`: absent where machines have power and nothing around it. */
export function haFence(ports: ControlPorts, cloud?: FenceCloud): Handler<Work | SelfTested> {
  return edge(ports, FenceEvent, (event): Promise<Work | SelfTested> => {
    switch (event.step) {
      case 'fence':
        return fence(ports, event.run, event.work);
      case 'await-proof':
        return awaitProof(ports, event.run, event.work, cloud);
      case 'self-test':
        if (cloud === undefined) throw new HaError('config_invalid', 'there is no cloud here to test a fence in');
        return selfTest(ports, cloud, { isAll: event.all === true });
      default:
        return unreachable(event);
    }
  });
}

/**
 * Levels order actions. `lease` needs none: the guard on the host fences itself. `ec2` is carried out by the next step,
 * beside the count of the lease, so that an EC2 that does not answer delays nothing.
 */
async function fence(ports: ControlPorts, run: string, work: Work): Promise<Work> {
  const [facts] = await Promise.all([loadCluster(ports, work.cluster), setRunPhase(ports, run, 'Fencing')]);
  const levels = facts.definition.hosts.find((host) => host.name === work.host)?.fencing ?? [['lease']];
  const words = {
    ec2:
      work.powerFence === true
        ? 'EC2 is told to power it off'
        : 'it is not powered off: its guard answered that this session stands',
    lease: 'its own guard stops everything when its lease runs out',
  };
  const says = levels.map((level) => level.map((method) => words[method]).join(' and ')).join('; failing that, ');
  const host = facts.hosts.find((candidate) => candidate.host === work.host);
  if (host !== undefined && isNewest(host, work.session)) {
    await setHostStatus(ports, work.cluster, host.host, { type: 'fence_ordered' }, says);
  }
  await recordStep(ports, run, 'Fence', says, { levels, powerFence: work.powerFence ?? false });
  return { ...work, round: 0, next: 'Await', says };
}
