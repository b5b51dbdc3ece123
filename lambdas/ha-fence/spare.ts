/**
 * Before a stop: an Auto Scaling group terminates an instance in service that does not run, and what must be found stopped,
 * with its volumes, would be gone. So it is put in standby first. That is a courtesy to whoever will mend the host, not a
 * part of the fence: it has a short time, and whatever becomes of it, the fence goes on.
 */
import type { AutoScaling } from '../../core/cloud-ports.ts';
import { messageOf } from '../../core/failures/failures.ts';
import type { ControlPorts } from '../shared/ports.ts';

/** For all calls together. */
export const SPARE_WITHIN_MS = 2_500;

type Say = (says: string) => Promise<void>;

/** Never throws, and ends in time. */
export async function spare(
  ports: Pick<ControlPorts, 'sleeper' | 'log'>,
  scaling: AutoScaling,
  machine: string,
  say: Say,
): Promise<void> {
  let isLate = false;
  const tooLate = ports.sleeper.sleep(SPARE_WITHIN_MS).then(() => {
    isLate = true;
  });
  try {
    const word = await Promise.race([putInStandby(scaling, machine, () => isLate), tooLate]);
    if (word === undefined) await say(`Auto Scaling did not answer within ${SPARE_WITHIN_MS} ms: the fence goes on`);
    else if (word !== null) await say(word);
  } catch (error) {
    ports.log('warn', `${machine} was not put in standby: ${messageOf(error)}`);
    await say(`it was not put in standby: ${messageOf(error)}. The fence goes on.`).catch(() => undefined);
  }
}

/** null: nothing to say, no group has it. */
async function putInStandby(scaling: AutoScaling, machine: string, isLate: () => boolean): Promise<string | null> {
  const membership = (await scaling.membership([machine])).get(machine);
  if (membership === undefined || membership.member === 'no') return null;
  if (membership.member === 'unknown')
    return `whether an Auto Scaling group has it is not known (${membership.says}): the fence goes on`;
  const { group, lifecycle } = membership;
  if (lifecycle !== 'InService') return `the Auto Scaling group ${group} has it as ${lifecycle}: left as it is`;
  // Once the fence has gone on, a group is not changed behind its back.
  if (isLate()) return null;
  const back = `when it is mended: aws autoscaling exit-standby --auto-scaling-group-name ${group} --instance-ids ${machine}`;
  const fewer = await scaling.enterStandby(group, [machine], { decrement: true });
  if (fewer.outcome === 'accepted')
    return `the Auto Scaling group ${group} put it in standby, so that it is kept; ${back}`;
  if (isLate()) return null;
  // Another one in its place is worse than none, and better than the loss of this one.
  const same = await scaling.enterStandby(group, [machine], { decrement: false });
  return same.outcome === 'accepted'
    ? `the Auto Scaling group ${group} put it in standby and launches another in its place (${fewer.says}); ${back}`
    : `the Auto Scaling group ${group} did not put it in standby: ${same.says}. The fence goes on.`;
}
