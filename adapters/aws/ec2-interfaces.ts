/** Network interfaces beside the first one of a machine, whose detaching EC2 refuses. */
import {
  AttachNetworkInterfaceCommand,
  DescribeNetworkInterfacesCommand,
  DetachNetworkInterfaceCommand,
  type EC2Client,
  type NetworkInterface,
} from '@aws-sdk/client-ec2';
import type { Holding, Interfaces } from '../../core/cloud-ports.ts';
import { called } from './ec2-calls.ts';
import { give, heldBy, type Holdings, readHolding, take, unknownHolding, whoHolds } from './ec2-holdings.ts';

/** EC2 has both for it; the second is also said of a device index that is taken. */
const HELD_CODES = ['InvalidNetworkInterface.InUse', /currently in use/i];
const NOT_HELD_CODES = ['InvalidAttachmentID.NotFound'];

export function ec2Interfaces(client: EC2Client): Interfaces {
  const holdings: Holdings<string> = (id) =>
    called(`DescribeNetworkInterfaces ${id}`, async (abortSignal) => {
      const command = new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [id] });
      const { NetworkInterfaces } = await client.send(command, { abortSignal });
      return interfaceHolding(NetworkInterfaces ?? [], id);
    });
  return {
    read: (id) => readHolding(holdings(id)),
    async detach(id, machine, { force }) {
      const now = await holdings(id);
      const [mine] = heldBy(now, machine);
      if (mine?.isLeaving === true && !force) return { outcome: 'accepted' };
      // The attachment names one holding: a detach that is late cannot take the interface from who has it by then.
      if (mine === undefined || mine.holding === null) return { outcome: 'not-held', says: whoHolds(now) };
      const { holding } = mine;
      return give(
        { by: machine, codes: NOT_HELD_CODES, read: () => holdings(id) },
        called(`detach ${id} from ${machine}`, async (abortSignal) => {
          const command = new DetachNetworkInterfaceCommand({ AttachmentId: holding, Force: force });
          await client.send(command, { abortSignal });
        }),
      );
    },
    attach: (id, machine, index) =>
      take(
        { by: machine, codes: HELD_CODES, read: () => holdings(id) },
        called(`attach ${id} to ${machine}`, async (abortSignal) => {
          const command = new AttachNetworkInterfaceCommand({
            NetworkInterfaceId: id,
            InstanceId: machine,
            DeviceIndex: index,
          });
          await client.send(command, { abortSignal });
        }),
      ),
  };
}

/** What DescribeNetworkInterfaces says about one interface. */
export function interfaceHolding(found: readonly NetworkInterface[], id: string): Holding {
  const [only] = found;
  if (only === undefined || found.length > 1 || only.NetworkInterfaceId !== id)
    return unknownHolding(`EC2 answered with ${found.length} interfaces, not with ${id}`);
  const { Attachment: attachment, Status } = only;
  const isAttached = attachment !== undefined && attachment.Status !== 'detached';
  if (isAttached && attachment.InstanceId !== undefined) {
    const isLeaving = attachment.Status === 'detaching' || Status === 'detaching';
    return {
      state: 'held',
      holders: [{ by: attachment.InstanceId, isLeaving, holding: attachment.AttachmentId ?? null }],
    };
  }
  if (Status === 'available' && !isAttached) return { state: 'free' };
  return unknownHolding(`EC2 says ${Status ?? 'nothing'} of ${id} and names no machine that holds it`);
}
