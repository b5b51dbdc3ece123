/** Addresses that move between machines: secondary private ones within their subnet, and Elastic IPs. */
import {
  AssignPrivateIpAddressesCommand,
  AssociateAddressCommand,
  DescribeAddressesCommand,
  DescribeNetworkInterfacesCommand,
  DisassociateAddressCommand,
  type EC2Client,
  UnassignPrivateIpAddressesCommand,
} from '@aws-sdk/client-ec2';
import type { Address, NetworkInterface } from '@aws-sdk/client-ec2';
import type { ElasticAddresses, Holding, PrivateAddress, PrivateAddresses } from '../../core/cloud-ports.ts';
import { called } from './ec2-calls.ts';
import { give, heldBy, type Holdings, readHolding, take, unknownHolding, whoHolds } from './ec2-holdings.ts';

/** Of private addresses EC2 says it by `InvalidParameterValue` as well, with words for people. */
const ASSIGNED_CODES = ['InvalidIPAddress.InUse', 'InvalidIPAddress.InUseError', /in use|already assigned/i];
const NOT_ASSIGNED_CODES = [/not assigned/i];
const ASSOCIATED_CODES = ['Resource.AlreadyAssociated', 'InvalidIPAddress.InUse'];
const NOT_ASSOCIATED_CODES = ['InvalidAssociationID.NotFound'];

export function ec2PrivateAddresses(client: EC2Client): PrivateAddresses {
  const holdings: Holdings<PrivateAddress> = ({ subnet, address }) =>
    called(`DescribeNetworkInterfaces with ${address}`, async (abortSignal) => {
      const Filters = [
        { Name: 'subnet-id', Values: [subnet] },
        { Name: 'addresses.private-ip-address', Values: [address] },
      ];
      const { NetworkInterfaces } = await client.send(new DescribeNetworkInterfacesCommand({ Filters }), {
        abortSignal,
      });
      return privateHolding(NetworkInterfaces ?? [], address);
    });
  return {
    read: (at) => readHolding(holdings(at)),
    assign: (at, networkInterface, { reassign }) =>
      take(
        { by: networkInterface, codes: ASSIGNED_CODES, read: () => holdings(at) },
        called(`assign ${at.address} to ${networkInterface}`, async (abortSignal) => {
          const command = new AssignPrivateIpAddressesCommand({
            NetworkInterfaceId: networkInterface,
            PrivateIpAddresses: [at.address],
            AllowReassignment: reassign,
          });
          await client.send(command, { abortSignal });
        }),
      ),
    unassign: (at, networkInterface) =>
      give(
        { by: networkInterface, codes: NOT_ASSIGNED_CODES, read: () => holdings(at) },
        called(`unassign ${at.address} from ${networkInterface}`, async (abortSignal) => {
          const command = new UnassignPrivateIpAddressesCommand({
            NetworkInterfaceId: networkInterface,
            PrivateIpAddresses: [at.address],
          });
          await client.send(command, { abortSignal });
        }),
      ),
  };
}

/** While an address moves, EC2 may show it at two places: both hold it then. */
export function privateHolding(found: readonly NetworkInterface[], address: string): Holding {
  const holders = found.flatMap(({ NetworkInterfaceId, PrivateIpAddresses }) => {
    const has = (PrivateIpAddresses ?? []).some(({ PrivateIpAddress }) => PrivateIpAddress === address);
    return has && NetworkInterfaceId !== undefined ? [{ by: NetworkInterfaceId, isLeaving: false, holding: null }] : [];
  });
  if (holders.length > 0) return { state: 'held', holders };
  return found.length === 0 ? { state: 'free' } : unknownHolding(`EC2 answered with interfaces without ${address}`);
}

export function ec2ElasticAddresses(client: EC2Client): ElasticAddresses {
  const holdings: Holdings<string> = (allocation) =>
    called(`DescribeAddresses ${allocation}`, async (abortSignal) => {
      const command = new DescribeAddressesCommand({ AllocationIds: [allocation] });
      const { Addresses } = await client.send(command, { abortSignal });
      return elasticHolding(Addresses ?? [], allocation);
    });
  return {
    read: (allocation) => readHolding(holdings(allocation)),
    associate: (allocation, networkInterface) =>
      take(
        { by: networkInterface, codes: ASSOCIATED_CODES, read: () => holdings(allocation) },
        called(`associate ${allocation} with ${networkInterface}`, async (abortSignal) => {
          const command = new AssociateAddressCommand({
            AllocationId: allocation,
            NetworkInterfaceId: networkInterface,
            // Without this, EC2 takes it from whoever has it.
            AllowReassociation: false,
          });
          await client.send(command, { abortSignal });
        }),
      ),
    async disassociate(allocation, networkInterface) {
      const now = await holdings(allocation);
      const [mine] = heldBy(now, networkInterface);
      if (mine === undefined || mine.holding === null) return { outcome: 'not-held', says: whoHolds(now) };
      const { holding } = mine;
      return give(
        { by: networkInterface, codes: NOT_ASSOCIATED_CODES, read: () => holdings(allocation) },
        called(`disassociate ${allocation} from ${networkInterface}`, async (abortSignal) => {
          await client.send(new DisassociateAddressCommand({ AssociationId: holding }), { abortSignal });
        }),
      );
    },
  };
}

export function elasticHolding(found: readonly Address[], allocation: string): Holding {
  const [only] = found;
  if (only === undefined || found.length > 1 || only.AllocationId !== allocation)
    return unknownHolding(`EC2 answered with ${found.length} addresses, not with ${allocation}`);
  const { AssociationId, NetworkInterfaceId, InstanceId } = only;
  const by = NetworkInterfaceId ?? InstanceId;
  if (by !== undefined) return { state: 'held', holders: [{ by, isLeaving: false, holding: AssociationId ?? null }] };
  return AssociationId === undefined
    ? { state: 'free' }
    : unknownHolding(`EC2 says that ${allocation} is associated, and not with what`);
}
