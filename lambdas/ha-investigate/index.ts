import { awsPorts } from '../shared/aws.ts';
import { haInvestigate } from './handler.ts';

export const handler = haInvestigate(awsPorts());
