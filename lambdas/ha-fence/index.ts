import { awsPorts } from '../shared/aws.ts';
import { haFence } from './handler.ts';

export const handler = haFence(awsPorts());
