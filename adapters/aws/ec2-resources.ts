/** EC2 as the port of what machines hold. */
import type { CloudResources } from '../../core/cloud-ports.ts';
import type { AwsPlace } from './bounded-call.ts';
import { ec2ElasticAddresses, ec2PrivateAddresses } from './ec2-addresses.ts';
import { ec2Client } from './ec2-calls.ts';
import { ec2Interfaces } from './ec2-interfaces.ts';
import { ec2Routes } from './ec2-routes.ts';
import { ec2Volumes } from './ec2-volumes.ts';

export function ec2Resources(place: AwsPlace): CloudResources & { readonly close: () => void } {
  const client = ec2Client(place);
  return {
    volumes: ec2Volumes(client),
    interfaces: ec2Interfaces(client),
    privateAddresses: ec2PrivateAddresses(client),
    elasticAddresses: ec2ElasticAddresses(client),
    routes: ec2Routes(client),
    close: () => client.destroy(),
  };
}
