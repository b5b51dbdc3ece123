import { awsPorts } from '../shared/aws.ts';
import { findBehind } from './handler.ts';

export const handler = findBehind(awsPorts());
