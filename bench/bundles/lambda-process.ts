/** A deployed bundle in a fresh Node process, with nothing in its environment but what Lambda would give it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { HaError } from '../../core/failures/failures.ts';
import type { SynthesisedLambda } from './synth.ts';

const CHILD = fileURLToPath(new URL('./lambda-child.ts', import.meta.url));

export interface ToChild {
  readonly event: unknown;
}

export type FromChild =
  | { readonly did: 'loaded'; readonly sinceStartMs: number }
  | ({ readonly did: 'invoked' } & Invocation & { readonly failure?: string | undefined });

export interface Invocation {
  readonly ms: number;
  readonly cpuMs: number;
  /** Anonymous memory of the process when the invocation was done. */
  readonly memoryMb: number;
  readonly sinceStartMs: number;
  /** All of the process: what a busy machine does not change. */
  readonly cpuSinceStartMs: number;
  /** JSON. */
  readonly output?: string | undefined;
}

export interface LambdaProcess {
  readonly loadedMs: number;
  invoke(event: object): Promise<Invocation>;
  /** What it has written since the last call: what Lambda would send to CloudWatch Logs. */
  takeLog(): string;
  end(): Promise<void>;
}

export interface LambdaPlace {
  readonly dynamoUrl: string;
  readonly tables: { readonly heartbeats: string; readonly registry: string };
}

export async function startLambda(lambda: SynthesisedLambda, place: LambdaPlace): Promise<LambdaProcess> {
  const script = await childScript(dirname(lambda.folder));
  const child = fork(script, [join(lambda.folder, 'index.mjs')], {
    env: environmentOf(lambda, place),
    execArgv: heapLimits(lambda.memoryMb),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
  }
  const gone = once(child, 'exit').then(() => {
    throw new HaError('not_found', `${lambda.name} ended by itself: ${log.slice(-2_000)}`);
  });
  gone.catch(() => undefined);
  const next = async (): Promise<FromChild> => {
    const [message] = (await Promise.race([once(child, 'message'), gone])) as [FromChild];
    return message;
  };
  const loaded = await next();
  return {
    loadedMs: loaded.sinceStartMs,
    async invoke(event) {
      const answer = next();
      child.send({ event } satisfies ToChild);
      const done = await answer;
      if (done.did !== 'invoked' || done.failure !== undefined) {
        throw new HaError(
          'protocol_mismatch',
          `${lambda.name} failed: ${done.did === 'invoked' ? done.failure : done.did}`,
        );
      }
      return done;
    },
    takeLog() {
      const taken = log;
      log = '';
      return taken;
    },
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
}

/** JavaScript, because Node's own type stripping would be measured with the bundle: time and memory. */
async function childScript(folder: string): Promise<string> {
  const script = join(folder, 'lambda-child.mjs');
  await build({ entryPoints: [CHILD], outfile: script, format: 'esm', platform: 'node', logLevel: 'silent' });
  return script;
}

/** As Lambda's runtime starts Node: shares of the function's memory. */
function heapLimits(memoryMb: number): string[] {
  const share = (of: number): number => Math.floor(memoryMb * of);
  return [`--max-semi-space-size=${share(0.05)}`, `--max-old-space-size=${share(0.9)}`];
}

function environmentOf(lambda: SynthesisedLambda, { dynamoUrl, tables }: LambdaPlace): Record<string, string> {
  const given: Record<string, string> = {
    ...{ HEARTBEATS_TABLE: tables.heartbeats, REGISTRY_TABLE: tables.registry },
    HA_RUN_ARN: 'arn:aws:states:us-east-1:123456789012:stateMachine:none',
  };
  // Nothing else of AWS is called by what is measured; an address that is would be refused at once, and be seen.
  const filled = Object.entries(lambda.environment).map(([name, value]) => [
    name,
    given[name] ?? value ?? 'arn:aws:none',
  ]);
  return {
    ...(Object.fromEntries(filled) as Record<string, string>),
    PATH: process.env['PATH'] ?? '',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    AWS_ENDPOINT_URL_DYNAMODB: dynamoUrl,
    AWS_LAMBDA_FUNCTION_NAME: lambda.name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(lambda.memoryMb),
  };
}
