/** Where the API is: options, else the environment, else what `npm start` left in the current directory. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { ApiAddress } from '../adapters/node/api-client.ts';
import { HaError, messageOf } from '../core/failures/failures.ts';
import type { CliIo } from './io.ts';

const ADDRESS_FILE = join('.holdfast', 'api.json');
const DEFAULT_URL = 'http://127.0.0.1:7777';

const AddressFile = z.looseObject({ url: z.url(), token: z.string().optional() });

export async function apiAddress(
  options: { readonly api?: string | undefined; readonly token?: string | undefined },
  io: Pick<CliIo, 'env' | 'directory'>,
): Promise<ApiAddress> {
  const url = options.api ?? io.env.HOLDFAST_API;
  const token = options.token ?? io.env.HOLDFAST_TOKEN;
  if (url !== undefined) return { url: checked(url), token };
  const file = await addressFile(join(io.directory, ADDRESS_FILE));
  return { url: file?.url ?? DEFAULT_URL, token: token ?? file?.token };
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
