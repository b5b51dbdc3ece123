import { fileURLToPath } from 'node:url';
import { type ConsoleFiles, readConsoleFiles } from '../../adapters/node/console-files.ts';
import { HaError } from '../../core/failures/failures.ts';
import { awsPorts } from '../shared/aws.ts';
import { OPERATE_SCOPE } from './caller.ts';
import { fenceFunctionBeside } from './doctor.ts';
import { api } from './handler.ts';

/** The account whose instances are hosts, read off the workflow's own ARN: `arn:PARTITION:states:REGION:ACCOUNT:…`. */
function account(): { partition: string; region: string; id: string } {
  const [, partition, , region, id] = (process.env['HA_RUN_ARN'] ?? '').split(':');
  if (partition === undefined || region === undefined || id === undefined) {
    throw new HaError(
      'config_invalid',
      `environment variable HA_RUN_ARN must be an ARN, got ${process.env['HA_RUN_ARN'] ?? 'nothing'}`,
    );
  }
  return { partition, region, id };
}

/** Bundling puts the console's files beside this file (lib/constructs/lambda.ts). */
async function consoleFiles(): Promise<ConsoleFiles> {
  try {
    return await readConsoleFiles(fileURLToPath(new URL('./console/', import.meta.url)));
  } catch (error) {
    throw new HaError('not_found', 'this API was deployed without its console', { cause: error });
  }
}

export const handler = api(awsPorts(), {
  account: account(),
  refusesUnnamed: true,
  operateScope: process.env['JWT_OPERATE_SCOPE'] || OPERATE_SCOPE,
  fenceFunction: fenceFunctionBeside(process.env['AWS_LAMBDA_FUNCTION_NAME']),
  console: consoleFiles,
});
