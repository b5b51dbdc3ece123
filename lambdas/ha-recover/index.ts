import { awsPorts } from '../shared/aws.ts';
import { haRecover } from './handler.ts';

export const handler = haRecover(awsPorts());
