/** Actions of Auto Scaling: parameters in, the content of the answer's XML out. */
import type { Ec2Cloud } from './cloud.ts';
import { Ec2Error } from './ec2-error.ts';
import type { Parameters } from './ec2-parameters.ts';

export const SCALING_VERSION = '2011-01-01';

export const SCALING_ACTIONS: Readonly<Record<string, (cloud: Ec2Cloud, parameters: Parameters) => object>> = {
  DescribeAutoScalingInstances(cloud, parameters) {
    const ids = parameters.list('InstanceIds.member');
    const asked = ids.length === 0 ? cloud.source.list().map(({ id }) => id) : ids;
    const member = asked.flatMap((id) => {
      const found = cloud.scaling.groupOf(id);
      if (found === undefined) return [];
      const { group, lifecycle } = found;
      const more = { AvailabilityZone: `${cloud.region}a`, HealthStatus: 'HEALTHY', ProtectedFromScaleIn: false };
      return [{ InstanceId: id, AutoScalingGroupName: group, LifecycleState: lifecycle, ...more }];
    });
    return { AutoScalingInstances: { member } };
  },
  DescribeAutoScalingGroups(cloud, parameters) {
    const member = cloud.scaling.groups(parameters.list('AutoScalingGroupNames.member')).map((group) => ({
      AutoScalingGroupName: group.name,
      MinSize: group.min,
      MaxSize: group.desired,
      DesiredCapacity: group.desired,
      SuspendedProcesses: { member: group.suspended.map((ProcessName) => ({ ProcessName })) },
      Tags: { member: Object.entries(group.tags).map(([Key, Value]) => ({ Key, Value, ResourceId: group.name })) },
    }));
    return { AutoScalingGroups: { member } };
  },
  EnterStandby(cloud, parameters) {
    const decrement = parameters.flag('ShouldDecrementDesiredCapacity');
    cloud.scaling.enterStandby(parameters.required('AutoScalingGroupName'), members(parameters), decrement);
    return { Activities: {} };
  },
  ExitStandby(cloud, parameters) {
    cloud.scaling.exitStandby(parameters.required('AutoScalingGroupName'), members(parameters));
    return { Activities: {} };
  },
};

const STANDBY_MAX = 20;

function members(parameters: Parameters): readonly string[] {
  const ids = parameters.list('InstanceIds.member');
  if (ids.length > STANDBY_MAX) throw new Ec2Error('ValidationError', `at most ${String(STANDBY_MAX)} instances`);
  return ids;
}
