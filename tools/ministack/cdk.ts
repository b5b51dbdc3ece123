/** The CDK command line as a user runs it, pointed at the emulator. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { ACCOUNT, kept, REGION, SECRET } from './emulator.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CDK = join(ROOT, 'node_modules', '.bin', 'cdk');
const SAID_LINES_MAX = 25;

const Outputs = z.record(z.string(), z.record(z.string(), z.string()));
/** Outputs by stack. */
export type Outputs = z.infer<typeof Outputs>;

export interface Cdk {
  /** Makes templates and bundles in a folder of its own; answers that folder. */
  synth(name: string, context?: Readonly<Record<string, string>>): Promise<string>;
  bootstrap(assembly: string): Promise<void>;
  /** What it printed. */
  deploy(assembly: string): Promise<string>;
  /** Uploads what a deploy would, and leaves its change sets; nothing is changed. */
  prepare(assembly: string): Promise<string>;
  destroy(assembly: string, stack: string): Promise<string>;
  outputs(): Promise<Outputs>;
}

export function cdk(at: { readonly folder: string; readonly url: string }): Cdk {
  const log = join(at.folder, 'cdk.log');
  const outputsFile = join(at.folder, 'outputs.json');
  const run = (...args: readonly string[]): Promise<string> => runCdk(args, { log, url: at.url });
  return {
    async synth(name, context = {}) {
      const assembly = join(at.folder, name);
      const given = Object.entries(context).flatMap(([key, value]) => ['--context', `${key}=${value}`]);
      await run('synth', '--quiet', '--output', assembly, ...given);
      return assembly;
    },
    async bootstrap(assembly) {
      await run('bootstrap', '--app', assembly, `aws://${ACCOUNT}/${REGION}`);
    },
    deploy: (assembly) =>
      run('deploy', '--all', '--app', assembly, '--require-approval', 'never', '--outputs-file', outputsFile),
    prepare: (assembly) =>
      run('deploy', '--all', '--app', assembly, '--require-approval', 'never', '--method', 'prepare-change-set'),
    destroy: (assembly, stack) => run('destroy', '--app', assembly, '--force', '--exclusively', stack),
    async outputs() {
      return Outputs.parse(JSON.parse(await readFile(outputsFile, 'utf8')));
    },
  };
}

async function runCdk(args: readonly string[], at: { readonly log: string; readonly url: string }): Promise<string> {
  const child = spawn(CDK, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], env: environment(at.url) });
  const log = createWriteStream(at.log, { flags: 'a' });
  log.write(`\n$ cdk ${args.join(' ')}\n`);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
      log.write(chunk);
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  log.end();
  await finished(log);
  if (code === 0) return said;
  const last = said.trimEnd().split('\n').slice(-SAID_LINES_MAX).join('\n');
  throw new Error(`cdk ${args[0] ?? ''} ended with ${String(code)}:\n${last}`);
}

function environment(url: string): NodeJS.ProcessEnv {
  return {
    ...kept('HOME', 'LANG', 'TZ', 'TMPDIR', 'HTTPS_PROXY', 'NO_PROXY'),
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: ACCOUNT,
    AWS_SECRET_ACCESS_KEY: SECRET,
    AWS_REGION: REGION,
    AWS_EC2_METADATA_DISABLED: 'true',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    CDK_DISABLE_VERSION_CHECK: '1',
    CI: 'true',
    NO_COLOR: '1',
  };
}
