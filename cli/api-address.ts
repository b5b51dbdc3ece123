/** Where the API is and how to prove who asks: options, else the environment, else what `npm start` left in this directory. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { ApiAddress, Authorize } from '../adapters/node/api-request.ts';
import { tokenFromCommand } from '../adapters/node/token-command.ts';
import { HaError, messageOf } from '../core/failures/failures.ts';
import type { CliIo } from './io.ts';

const ADDRESS_FILE = join('.holdfast', 'api.json');
const DEFAULT_URL = 'http://127.0.0.1:7777';
/** `https://ID.execute-api.REGION.amazonaws.com`, also by way of a VPC endpoint and in other partitions. */
const EXECUTE_API = /^[a-z0-9-]+\.execute-api\.([a-z0-9-]+)\.(?:vpce\.)?amazonaws\.com(?:\.cn)?$/;

const AddressFile = z.looseObject({ url: z.url(), token: z.string().optional() });

export interface AddressOptions {
  readonly api?: string | undefined;
  readonly auth?: string | undefined;
  readonly token?: string | undefined;
  readonly tokenCommand?: string | undefined;
  readonly region?: string | undefined;
  readonly cluster?: string | undefined;
}

export async function apiAddress(
  options: AddressOptions,
  { env, directory }: Pick<CliIo, 'env' | 'directory'>,
): Promise<ApiAddress> {
  const given = options.api ?? nonEmpty(env.HOLDFAST_API);
  const file = given === undefined ? await addressFile(join(directory, ADDRESS_FILE)) : undefined;
  const url = given === undefined ? (file?.url ?? DEFAULT_URL) : checked(given);
  const cluster = options.cluster ?? nonEmpty(env.HOLDFAST_CLUSTER);
  const found = { url, ...(cluster === undefined ? {} : { cluster }) };
  const token = options.token ?? nonEmpty(env.HOLDFAST_TOKEN);
  const command = options.tokenCommand ?? nonEmpty(env.HOLDFAST_TOKEN_COMMAND);
  if (authOf(options, env, url, token ?? command) === 'iam')
    return { ...found, authorize: await signing(regionOf(options, env, url)) };
  if (token === undefined && command !== undefined) return { ...found, authorize: tokenFromCommand(command) };
  return { ...found, token: token ?? file?.token };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

/** Signed where it is an address of API Gateway and nobody gave a token. */
function authOf(options: AddressOptions, env: CliIo['env'], url: string, token: string | undefined): 'iam' | 'token' {
  const how = options.auth ?? nonEmpty(env.HOLDFAST_AUTH);
  if (how === 'iam' || how === 'token') return how;
  if (how !== undefined)
    throw new HaError('config_invalid', `--auth (or HOLDFAST_AUTH) must be iam or token, got ${JSON.stringify(how)}`);
  return token === undefined && EXECUTE_API.test(new URL(url).hostname) ? 'iam' : 'token';
}

function regionOf(options: AddressOptions, env: CliIo['env'], url: string): string {
  const inUrl = EXECUTE_API.exec(new URL(url).hostname)?.[1];
  const region = options.region ?? inUrl ?? nonEmpty(env.AWS_REGION) ?? nonEmpty(env.AWS_DEFAULT_REGION);
  if (region !== undefined) return region;
  throw new HaError('config_invalid', `${url} does not say its region: give --region or AWS_REGION to sign requests`);
}

/** The SDK is read only now: no other command waits for it. */
async function signing(region: string): Promise<Authorize> {
  const { sigV4 } = await import('../adapters/aws/sigv4.ts');
  return sigV4({ region });
}

function checked(url: string): string {
  if (/^https?:$/.test(URL.parse(url)?.protocol ?? '')) return url;
  throw new HaError('config_invalid', `the API address must be an http or https URL, got ${JSON.stringify(url)}`);
}

async function addressFile(path: string): Promise<ApiAddress | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return undefined; // No local system was started here; the other sources stand.
  }
  try {
    return AddressFile.parse(JSON.parse(text));
  } catch (error) {
    throw new HaError(
      'config_invalid',
      `${path} is not {"url", "token"}: ${messageOf(error).split('\n')[0]}; remove it`,
    );
  }
}
