/** All ports of the control plane, wired to AWS. */
import { ec2Power } from '../../adapters/aws/ec2-power.ts';
import { ssmGuardAsk } from '../../adapters/aws/ssm-guard-ask.ts';
import { awsRegion, storePorts } from './aws-store.ts';
import type { ControlPorts } from './ports.ts';

export { awsRegion } from './aws-store.ts';

export function awsPorts(): ControlPorts {
  const region = awsRegion();
  return { ...storePorts(), power: ec2Power({ region }), guardAsk: ssmGuardAsk({ region }) };
}
