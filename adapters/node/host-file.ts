/** The facts that only an operator knows about a host: /etc/holdfast/host.yaml (or .json, which is YAML as well). */
import { readFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import * as z from 'zod';
import { problemText, toProblem, type Problem } from '../../core/config/problem.ts';
import { schemaFindings } from '../../core/config/schema-findings.ts';
import { certificateName, clusterName, hostName } from '../../core/config/schema-parts.ts';
import { HaError, messageOf } from '../../core/failures/failures.ts';
import { parseYaml } from './yaml-document.ts';

const text = z.string('must be a text').min(1, 'must not be empty');
const path = text.refine(isAbsolute, 'must be an absolute path');

/** Off EC2: who the host is, and where its credentials come from. */
const OffCloud = {
  certificate: certificateName
    .optional()
    .describe('common name of the certificate that IAM Roles Anywhere knows this host by'),
  credentials: z
    .strictObject({ profile: text, configFile: path.optional() }, 'must name a profile of the AWS files')
    .optional()
    .describe('profile whose credential_process is the signing helper'),
};

export const HostFile = z
  .strictObject(
    {
      cluster: clusterName,
      host: hostName.describe('name in the definition'),
      region: text.optional().describe('of the tables; on EC2 that of the instance if absent'),
      tables: z.strictObject({ heartbeats: text, registry: text }, 'must name heartbeats and registry'),
      stateDir: path.default('/var/lib/holdfast').describe('survives power cuts'),
      endpoint: z.url('must be a URL').optional().describe('of DynamoDB; AWS itself if absent'),
      watchdog: z
        .enum(['init', 'device', 'none'], 'must be init, device or none')
        .default('init')
        .describe('what ends the services if the guard hangs: holdfast-agent run, a watchdog device, nothing'),
      watchdogDevice: z
        .string()
        .regex(/^\/dev\/watchdog\d+$/, 'must be /dev/watchdogN')
        .default('/dev/watchdog0'),
      ...OffCloud,
    },
    'unknown key, or no mapping: see host.yaml.example',
  )
  .superRefine(({ certificate, credentials, region }, context) => {
    const must = (holds: boolean, key: string, message: string): void => {
      if (!holds) context.addIssue({ code: 'custom', path: [key], message });
    };
    must(certificate === undefined || region !== undefined, 'region', 'must be named off EC2');
    must(credentials === undefined || certificate !== undefined, 'certificate', 'must be named with credentials');
  });
export type HostFile = z.infer<typeof HostFile>;

export async function readHostFile(file: string): Promise<HostFile> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    throw new HaError('not_found', `host file ${file} cannot be read: ${messageOf(error)}; write it first`);
  }
  const read = parseYaml({ text: content, file });
  if (!read.ok) throw refused(read.problems);
  const [part, ...others] = read.parts;
  if (part === undefined || others.length > 0) {
    throw new HaError('config_invalid', `host file ${file}: ${read.parts.length} documents; it must be one`);
  }
  const parsed = HostFile.safeParse(part.value);
  if (parsed.success) return parsed.data;
  const findings = schemaFindings(parsed.error.issues, part.value);
  throw refused(findings.map((finding) => toProblem(finding, part.locate)));
}

function refused(problems: readonly Problem[]): HaError {
  return new HaError('config_invalid', problems.map(problemText).join('\n'));
}
