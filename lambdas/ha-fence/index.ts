import { awsPorts, awsRegion } from '../shared/aws.ts';
import { awsFenceCloud } from './aws-fence-cloud.ts';
import { haFence } from './handler.ts';

export const handler = haFence(awsPorts(), awsFenceCloud({ region: awsRegion() }));
