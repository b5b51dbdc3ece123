import { autoScaling } from '../../adapters/aws/auto-scaling.ts';
import type { AwsPlace } from '../../adapters/aws/bounded-call.ts';
import { ec2Settings } from '../../adapters/aws/ec2-settings.ts';
import { ssmGuardPath } from '../../adapters/aws/ssm-guard-path.ts';
import type { FenceCloud } from './fence-cloud.ts';

export function awsFenceCloud(place: AwsPlace): FenceCloud {
  const settings = ec2Settings(place);
  return { scaling: autoScaling(place), settings, rehearsal: settings.rehearsal, path: ssmGuardPath(place) };
}
