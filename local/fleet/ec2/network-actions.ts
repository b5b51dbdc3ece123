/** Actions of EC2 about interfaces, addresses and routes: parameters in, the content of the answer's XML out. */
import type { Ec2Cloud } from './cloud.ts';
import { refuseOrder, refuseThrottled } from './ec2-gates.ts';
import { Ec2Error } from './ec2-error.ts';
import type { Parameters } from './ec2-parameters.ts';
import { type Elastic, interfaceOf, type Nic, type NicAttachment, ROUTE_TABLE, SUBNET } from './network.ts';

type Action = (cloud: Ec2Cloud, parameters: Parameters) => object;

export const NETWORK_ACTIONS: Readonly<Record<string, Action>> = {
  DescribeNetworkInterfaces(cloud, parameters) {
    const ids = parameters.list('NetworkInterfaceId');
    refuseThrottled(cloud, ids);
    const filters = filtersOf(parameters, ['subnet-id', 'addresses.private-ip-address', 'attachment.instance-id']);
    const nics = cloud.network.nics(ids).filter((nic) => isFound(nic, filters));
    return { networkInterfaceSet: { item: nics.map((nic) => nicXml(cloud, nic)) } };
  },
  CreateNetworkInterface(cloud, parameters) {
    refuseOrder(cloud, parameters, []);
    return { networkInterface: nicXml(cloud, cloud.network.createNic(parameters.text('PrivateIpAddress'))) };
  },
  AttachNetworkInterface(cloud, parameters) {
    const [id, instance] = [parameters.required('NetworkInterfaceId'), parameters.required('InstanceId')];
    refuseOrder(cloud, parameters, [id, instance]);
    const index = Number(parameters.required('DeviceIndex'));
    return { attachmentId: cloud.network.attachNic(id, instance, index).id, networkCardIndex: 0 };
  },
  DetachNetworkInterface(cloud, parameters) {
    refuseOrder(cloud, parameters, []);
    cloud.network.detachNic(parameters.required('AttachmentId'), parameters.flag('Force'));
    return { return: true };
  },
  AssignPrivateIpAddresses(cloud, parameters) {
    const id = parameters.required('NetworkInterfaceId');
    refuseOrder(cloud, parameters, [id]);
    const addresses = parameters.list('PrivateIpAddress');
    cloud.network.assign(id, addresses, parameters.flag('AllowReassignment'));
    const item = addresses.map((privateIpAddress) => ({ privateIpAddress }));
    return { networkInterfaceId: id, assignedPrivateIpAddressesSet: { item } };
  },
  UnassignPrivateIpAddresses(cloud, parameters) {
    const id = parameters.required('NetworkInterfaceId');
    refuseOrder(cloud, parameters, [id]);
    cloud.network.unassign(id, parameters.list('PrivateIpAddress'));
    return { return: true };
  },
  AllocateAddress(cloud, parameters) {
    refuseOrder(cloud, parameters, []);
    const { id, address } = cloud.network.allocate();
    return { allocationId: id, publicIp: address, domain: 'vpc' };
  },
  DescribeAddresses(cloud, parameters) {
    const ids = parameters.list('AllocationId');
    refuseThrottled(cloud, ids);
    return { addressesSet: { item: cloud.network.elastics(ids).map((each) => elasticXml(cloud, each)) } };
  },
  AssociateAddress(cloud, parameters) {
    const id = parameters.required('AllocationId');
    refuseOrder(cloud, parameters, [id]);
    const instance = parameters.text('InstanceId');
    const nic = parameters.text('NetworkInterfaceId') ?? (instance === undefined ? undefined : interfaceOf(instance));
    if (nic === undefined) throw new Ec2Error('MissingParameter', 'Either InstanceId or NetworkInterfaceId is needed');
    // Left out, EC2 takes an address in a VPC from whoever has it.
    const mayReassociate = parameters.text('AllowReassociation') !== 'false';
    return { return: true, associationId: cloud.network.associate(id, nic, mayReassociate) };
  },
  DisassociateAddress(cloud, parameters) {
    refuseOrder(cloud, parameters, []);
    cloud.network.disassociate(parameters.required('AssociationId'));
    return { return: true };
  },
  DescribeRouteTables(cloud, parameters) {
    const ids = parameters.list('RouteTableId');
    refuseThrottled(cloud, ids);
    const item = (ids.length === 0 ? [ROUTE_TABLE] : ids).map((routeTableId) => {
      const routes = [...cloud.network.routes(routeTableId)].map(([destinationCidrBlock, networkInterfaceId]) => ({
        ...{ destinationCidrBlock, networkInterfaceId, state: 'active', origin: 'CreateRoute' },
      }));
      return { routeTableId, routeSet: { item: routes } };
    });
    return { routeTableSet: { item } };
  },
  CreateRoute(cloud, parameters) {
    refuseOrder(cloud, parameters, []);
    cloud.network.routes(parameters.required('RouteTableId'));
    const nic = parameters.required('NetworkInterfaceId');
    cloud.network.createRoute(parameters.required('DestinationCidrBlock'), nic);
    return { return: true };
  },
  ReplaceRoute(cloud, parameters) {
    const table = parameters.required('RouteTableId');
    refuseOrder(cloud, parameters, [table]);
    const destination = parameters.required('DestinationCidrBlock');
    cloud.network.replaceRoute(table, destination, parameters.required('NetworkInterfaceId'));
    return { return: true };
  },
};

type Filters = ReadonlyMap<string, readonly string[]>;

const FILTERS_MAX = 20;

function filtersOf(parameters: Parameters, known: readonly string[]): Filters {
  const filters = new Map<string, readonly string[]>();
  for (let n = 1; n <= FILTERS_MAX; n += 1) {
    const name = parameters.text(`Filter.${String(n)}.Name`);
    if (name === undefined) return filters;
    if (!known.includes(name)) throw new Ec2Error('InvalidParameterValue', `the local EC2 has no filter ${name}`);
    filters.set(name, parameters.list(`Filter.${String(n)}.Value`));
  }
  throw new Ec2Error('InvalidParameterValue', `more than ${String(FILTERS_MAX)} filters`);
}

function isFound({ addresses, attachment }: Nic, filters: Filters): boolean {
  return [...filters].every(([name, values]) => {
    if (name === 'subnet-id') return values.includes(SUBNET);
    if (name === 'attachment.instance-id') return values.includes(attachment?.instance ?? '');
    return addresses.some((address) => values.includes(address));
  });
}

function nicXml(cloud: Ec2Cloud, { id, addresses, attachment }: Nic): object {
  const status = attachment === undefined ? 'available' : attachment.state === 'attached' ? 'in-use' : attachment.state;
  return {
    ...{ networkInterfaceId: id, subnetId: SUBNET, status, ownerId: cloud.account },
    privateIpAddress: addresses[0] ?? '',
    privateIpAddressesSet: {
      item: addresses.map((privateIpAddress, n) => ({ privateIpAddress, primary: n === 0 })),
    },
    ...(attachment === undefined ? {} : { attachment: nicAttachmentXml(attachment) }),
  };
}

function nicAttachmentXml({ id, instance, index, state, since }: NicAttachment): object {
  return { attachmentId: id, instanceId: instance, deviceIndex: index, status: state, attachTime: since };
}

function elasticXml(cloud: Ec2Cloud, { id, address, association }: Elastic): object {
  const owner = cloud.network.nics().find((nic) => nic.id === association?.nic)?.attachment?.instance;
  return {
    ...{ allocationId: id, publicIp: address, domain: 'vpc' },
    ...(association === undefined ? {} : { associationId: association.id, networkInterfaceId: association.nic }),
    ...(owner === undefined ? {} : { instanceId: owner }),
  };
}
