import { awsPorts } from '../shared/aws.ts';
import { reconcileHandler } from './handler.ts';

export const handler = reconcileHandler(awsPorts());
