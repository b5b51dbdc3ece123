import { awsPorts } from '../shared/aws.ts';
import { instanceState } from './handler.ts';

export const handler = instanceState(awsPorts());
