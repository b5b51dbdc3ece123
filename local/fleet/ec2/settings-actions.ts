/** Actions of EC2 about what is set on an instance. */
import type { Ec2Cloud } from './cloud.ts';
import { Ec2Error, notFound } from './ec2-error.ts';
import { refuseOrder, refuseThrottled } from './ec2-gates.ts';
import type { Parameters } from './ec2-parameters.ts';

type Action = (cloud: Ec2Cloud, parameters: Parameters) => object;

export const SETTINGS_ACTIONS: Readonly<Record<string, Action>> = {
  DescribeInstanceAttribute(cloud, parameters) {
    const id = instance(cloud, parameters);
    refuseThrottled(cloud, [id]);
    const { isStopProtected, isTerminationProtected } = cloud.settings.of(id);
    const attribute = parameters.required('Attribute');
    switch (attribute) {
      case 'disableApiStop':
        return { instanceId: id, disableApiStop: { value: isStopProtected } };
      case 'disableApiTermination':
        return { instanceId: id, disableApiTermination: { value: isTerminationProtected } };
      default:
        throw new Ec2Error('InvalidParameterValue', `the local EC2 does not know the attribute ${attribute}`);
    }
  },
  ModifyInstanceAttribute(cloud, parameters) {
    const id = instance(cloud, parameters);
    refuseOrder(cloud, parameters, [id]);
    const stop = parameters.text('DisableApiStop.Value');
    const termination = parameters.text('DisableApiTermination.Value');
    if (stop !== undefined) cloud.settings.set(id, { isStopProtected: stop === 'true' });
    if (termination !== undefined) cloud.settings.set(id, { isTerminationProtected: termination === 'true' });
    return { return: true };
  },
  ModifyInstanceMaintenanceOptions(cloud, parameters) {
    const id = instance(cloud, parameters);
    refuseOrder(cloud, parameters, [id]);
    const autoRecovery = parameters.required('AutoRecovery');
    if (autoRecovery !== 'default' && autoRecovery !== 'disabled')
      throw new Ec2Error('InvalidParameterValue', `AutoRecovery ${autoRecovery}: default or disabled`);
    cloud.settings.set(id, { autoRecovery });
    return { instanceId: id, autoRecovery };
  },
};

function instance(cloud: Ec2Cloud, parameters: Parameters): string {
  const id = parameters.required('InstanceId');
  if (cloud.source.view(id) === undefined) throw notFound(id);
  return id;
}
