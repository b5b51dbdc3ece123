/** The files by which others find a running runtime: `api.json` for operators, `runtime.json` for who breaks things. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { HaError, messageOf } from '../core/failures/failures.ts';

export const FILES = { api: 'api.json', runtime: 'runtime.json' } as const;

const Api = z.looseObject({ url: z.url(), token: z.string() });
const Runtime = z.looseObject({ pid: z.int().positive(), fleetUrl: z.url(), token: z.string() });

export interface RuntimeFiles {
  readonly api: z.infer<typeof Api>;
  readonly runtime: z.infer<typeof Runtime>;
}

export function readRuntimeFiles(stateDir: string): RuntimeFiles {
  // The runtime writes its own file last.
  const runtime = read(join(stateDir, FILES.runtime), Runtime);
  return { runtime, api: read(join(stateDir, FILES.api), Api) };
}

function read<T>(file: string, schema: z.ZodType<T>): T {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new HaError('not_found', `no local system runs here, start it with npm start: ${messageOf(error)}`);
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new HaError('config_invalid', `${file} cannot be read, start the system anew: ${messageOf(error)}`);
  }
}
