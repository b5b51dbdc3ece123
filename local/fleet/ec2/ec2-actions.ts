/** Actions of EC2: parameters in, the content of the answer's XML out. */
import type { Change, Ec2Cloud, StopHow } from './cloud.ts';
import { describeInstances, describeStatus, stateXml, volumeXml, attachmentXml } from './ec2-answers.ts';
import { Ec2Error, notFound } from './ec2-error.ts';
import { isAny, refuseOrder, refuseThrottled } from './ec2-gates.ts';
import type { Parameters } from './ec2-parameters.ts';
import { NETWORK_ACTIONS } from './network-actions.ts';
import { SETTINGS_ACTIONS } from './settings-actions.ts';

export type Action = (cloud: Ec2Cloud, parameters: Parameters) => object;

const INSTANCE_ID = /^i-(?:[0-9a-f]{8}|[0-9a-f]{17})$/;

export const ACTIONS: Readonly<Record<string, Action>> = {
  ...NETWORK_ACTIONS,
  ...SETTINGS_ACTIONS,
  DescribeInstances(cloud, parameters) {
    const ids = named(cloud, parameters);
    return describeInstances(cloud, isAny(cloud, 'empty', ids) ? [] : ids.map((id) => cloud.show(id)));
  },
  DescribeInstanceStatus(cloud, parameters) {
    const shown = named(cloud, parameters).map((id) => cloud.show(id));
    const isAll = parameters.flag('IncludeAllInstances');
    return describeStatus(
      cloud,
      shown.filter(({ record }) => isAll || record.state === 'running'),
    );
  },
  StopInstances(cloud, parameters) {
    const ids = ordered(cloud, parameters);
    if (parameters.flag('Hibernate')) refuseHibernation(cloud, ids);
    const how = stopHow(parameters);
    return { instancesSet: { item: ids.map((id) => changeXml(cloud.stop(id, how))) } };
  },
  StartInstances(cloud, parameters) {
    const changes = ordered(cloud, parameters).map((id) => cloud.start(id));
    for (const { booted } of changes) booted.catch(() => undefined); // The cloud says so; the answer is out by then.
    return { instancesSet: { item: changes.map(changeXml) } };
  },
  RebootInstances(cloud, parameters) {
    for (const id of ordered(cloud, parameters)) cloud.reboot(id);
    return { return: true };
  },
  TerminateInstances(cloud, parameters) {
    const how = stopHow(parameters);
    return { instancesSet: { item: ordered(cloud, parameters).map((id) => changeXml(cloud.terminate(id, how))) } };
  },
  DescribeVolumes(cloud, parameters) {
    const ids = parameters.list('VolumeId');
    refuseThrottled(cloud, ids);
    const volumes = cloud.volumes.list(allIds(cloud), ids);
    return { volumeSet: { item: volumes.map((volume) => volumeXml(cloud, volume)) } };
  },
  AttachVolume(cloud, parameters) {
    const order = { device: parameters.required('Device'), instances: allIds(cloud) };
    const [id, instance] = [parameters.required('VolumeId'), parameters.required('InstanceId')];
    refuseOrder(cloud, parameters, [id, instance]);
    return attachmentXml(cloud.volumes.attach(id, instance, order));
  },
  DetachVolume(cloud, parameters) {
    const id = parameters.required('VolumeId');
    refuseOrder(cloud, parameters, [id]);
    const how = { instances: allIds(cloud), force: parameters.flag('Force') };
    return attachmentXml(cloud.volumes.detach(id, parameters.text('InstanceId'), how));
  },
};

function allIds(cloud: Ec2Cloud): readonly string[] {
  return cloud.source.list().map(({ id }) => id);
}

/** The instances that a question is about: all, if none is named. */
function named(cloud: Ec2Cloud, parameters: Parameters): readonly string[] {
  if (parameters.has('Filter.')) {
    throw new Ec2Error('InvalidParameterValue', 'the local EC2 has no filters: name instances by InstanceId');
  }
  const ids = parameters.list('InstanceId');
  for (const id of ids) checkId(cloud, id);
  refuseThrottled(cloud, ids);
  return ids.length === 0 ? allIds(cloud) : ids;
}

/** The instances of an order. One wrong id fails the whole call. */
function ordered(cloud: Ec2Cloud, parameters: Parameters): readonly string[] {
  parameters.required('InstanceId.1');
  const ids = named(cloud, parameters);
  refuseOrder(cloud, parameters, ids);
  return ids;
}

function checkId(cloud: Ec2Cloud, id: string): void {
  if (cloud.source.view(id) !== undefined) return;
  throw INSTANCE_ID.test(id) ? notFound(id) : new Ec2Error('InvalidInstanceID.Malformed', `Invalid id: "${id}"`);
}

function refuseHibernation(cloud: Ec2Cloud, ids: readonly string[]): never {
  const not = ids.find((id) => cloud.source.view(id)?.canHibernate !== true);
  const why =
    not === undefined
      ? 'the local EC2 does not hibernate'
      : `The instance '${not}' does not have hibernation configured.`;
  throw new Ec2Error('UnsupportedOperation', why);
}

function stopHow(parameters: Parameters): StopHow {
  return { skipOsShutdown: parameters.flag('SkipOsShutdown'), force: parameters.flag('Force') };
}

function changeXml({ id, previous, current }: Change): object {
  return { instanceId: id, currentState: stateXml(current), previousState: stateXml(previous) };
}
