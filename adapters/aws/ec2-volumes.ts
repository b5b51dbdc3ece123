/**
 * EBS volumes. EC2 itself attaches one to a second machine only after the first has given it up, so a read that is out of
 * date misleads nobody into two writers: the attach is refused.
 */
import { AttachVolumeCommand, DescribeVolumesCommand, DetachVolumeCommand, type EC2Client } from '@aws-sdk/client-ec2';
import type { Volume } from '@aws-sdk/client-ec2';
import type { Holder, Holding, Volumes } from '../../core/cloud-ports.ts';
import { called } from './ec2-calls.ts';
import { give, type Holdings, readHolding, take, unknownHolding } from './ec2-holdings.ts';

const HELD_CODES = ['VolumeInUse'];
/** Of a volume that is still being given up, but also of a machine that takes none. */
const PERHAPS_HELD_CODES = ['IncorrectState'];
const NOT_HELD_CODES = ['IncorrectState', 'InvalidAttachment.NotFound'];

export function ec2Volumes(client: EC2Client): Volumes {
  const holdings: Holdings<string> = (volume) =>
    called(`DescribeVolumes ${volume}`, async (abortSignal) => {
      const answer = await client.send(new DescribeVolumesCommand({ VolumeIds: [volume] }), { abortSignal });
      return volumeHolding(answer.Volumes ?? [], volume);
    });
  return {
    read: (volume) => readHolding(holdings(volume)),
    detach: (volume, machine, { force }) =>
      give(
        { by: machine, codes: NOT_HELD_CODES, read: () => holdings(volume) },
        called(`detach ${volume} from ${machine}`, async (abortSignal) => {
          const command = new DetachVolumeCommand({ VolumeId: volume, InstanceId: machine, Force: force });
          await client.send(command, { abortSignal });
        }),
      ),
    attach: (volume, machine, device) =>
      take(
        { by: machine, codes: HELD_CODES, perhaps: PERHAPS_HELD_CODES, read: () => holdings(volume) },
        called(`attach ${volume} to ${machine}`, async (abortSignal) => {
          const command = new AttachVolumeCommand({ VolumeId: volume, InstanceId: machine, Device: device });
          await client.send(command, { abortSignal });
        }),
      ),
  };
}

/** What DescribeVolumes says about one volume. `available` beside an attachment is a contradiction, and so not free. */
export function volumeHolding(volumes: readonly Volume[], id: string): Holding {
  const [only] = volumes;
  if (only === undefined || volumes.length > 1 || only.VolumeId !== id)
    return unknownHolding(`EC2 answered with ${volumes.length} volumes, not with ${id}`);
  const holders = (only.Attachments ?? []).flatMap(({ InstanceId, State }): Holder[] => {
    if (State === 'detached' || InstanceId === undefined) return [];
    // `busy`: the detach was taken, and the guest has not let go.
    return [{ by: InstanceId, isLeaving: State === 'detaching' || State === 'busy', holding: null }];
  });
  if (holders.length > 0) return { state: 'held', holders };
  if (only.State === 'available' && (only.Attachments ?? []).every(({ State }) => State === 'detached'))
    return { state: 'free' };
  return unknownHolding(`EC2 says ${only.State ?? 'nothing'} of ${id} and names nobody who holds it`);
}
