/** What a host's guard and agent are started with: one JSON file, `--config FILE`. Nothing else is read from outside. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { HaError, messageOf } from '../../core/failures/failures.ts';

const text = z.string().min(1);

export const HostConfig = z.strictObject({
  cluster: text,
  host: text.describe('name in the definition'),
  principal: text.describe('key of the heartbeat item: the principal that IAM can check'),
  machine: text.describe('platform identity: the instance id'),
  bootId: text,
  launchTime: text.describe('ISO 8601, as EC2 shows it; changes when a stopped instance is started'),
  stateDir: text.describe('survives power cuts'),
  region: text,
  endpoint: z.url().optional().describe('DynamoDB endpoint; AWS itself if absent'),
  tables: z.strictObject({ heartbeats: text, registry: text }),
  instanceMark: text.describe('value of HOLDFAST_INSTANCE in the environment of every process of this host'),
  watchdog: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('init') }),
    z.strictObject({ kind: z.literal('device'), device: text, timeout: text }),
    z.strictObject({ kind: z.literal('none') }),
  ]),
  guardEntry: text.describe('script of the guard'),
  agentEntry: text.describe('script of the agent'),
  sampleCommand: z.array(text).describe('argument vector that starts the sample service'),
  credentials: z
    .strictObject({ profile: text.optional(), configFile: text.optional() })
    .optional()
    .describe('profile of the files that the AWS tools read, off EC2; absent: what the machine offers'),
  accessKeyId: text.optional(),
  secretAccessKey: text.optional(),
});
export type HostConfig = z.infer<typeof HostConfig>;

export function readHostConfig(file: string): HostConfig {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new HaError('config_invalid', `host configuration ${file} cannot be read: ${messageOf(error)}`);
  }
  const parsed = HostConfig.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new HaError('config_invalid', `host configuration ${file}: ${z.prettifyError(parsed.error)}`);
}
