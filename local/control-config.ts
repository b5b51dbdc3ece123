/** What the control plane's process (`local/control/main.ts --config FILE`) is started with by the runtime. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { HaError, messageOf } from '../core/failures/failures.ts';

const text = z.string().min(1);

export const ControlConfig = z.strictObject({
  emulatorUrl: text,
  /** Of the fleet's EC2 and SSM. */
  awsUrl: text,
  region: text,
  /** Dummy credentials for the emulator. */
  accessKeyId: text,
  secretAccessKey: text,
  tables: z.strictObject({ heartbeats: text, registry: text }),
  /** The control plane's own folder; it survives restarts. */
  stateDir: text,
  /** Unix socket on which the API listens; the front door passes requests on to it. */
  socket: text,
  token: text,
  definitionFile: text,
  /** Where instances are seen, powered and broken. */
  fleet: z.strictObject({ url: text, token: text }),
});
export type ControlConfig = z.infer<typeof ControlConfig>;

export function readControlConfig(file: string): ControlConfig {
  try {
    return ControlConfig.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new HaError('config_invalid', `control configuration ${file}: ${messageOf(error)}`);
  }
}
