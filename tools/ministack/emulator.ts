/** One MiniStack on loopback: started by the launcher, ended by its process id, and nothing of it is left. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endMarked } from '../../adapters/node/processes.ts';
import { endChild, untilThere } from '../../bench/failover/children.ts';
import { listenOnLoopback } from '../../local/free-port.ts';

const LAUNCHER = fileURLToPath(new URL('./launcher.py', import.meta.url));
/** Found in the environment of MiniStack and of everything that it starts. */
const MARK = 'HOLDFAST_TEST_AWS';
const HEALTH_MS = 2_000;

/** The access key: twelve digits are the account, for MiniStack and for the Lambdas that it runs. */
export const ACCOUNT = '000000000000';
export const REGION = 'us-east-1';
export const SECRET = 'local';

export interface Emulator {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

export interface EmulatorOptions {
  readonly python: string;
  /** Takes the log, and what the emulator unpacks: outside the repository, so that a bundle which is not whole fails. */
  readonly folder: string;
  /** Endpoints that the deployed Lambdas shall use instead of the emulator's own. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** As it comes, without what the launcher adds: for finding out what that is. */
  readonly isPlain?: boolean;
}

export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const port = await freePort();
  const url = `http://127.0.0.1:${String(port)}`;
  const life = `${MARK}=${randomUUID()}`;
  const unpacked = join(options.folder, 'tmp');
  await mkdir(unpacked, { recursive: true });
  const log = openSync(join(options.folder, 'ministack.log'), 'a');
  const child = spawn(options.python, options.isPlain === true ? ['-m', 'ministack'] : [LAUNCHER], {
    cwd: options.folder,
    detached: true, // Ctrl-C is for the test alone, which ends its parts in order.
    stdio: ['pipe', log, log],
    env: environment({ port, unpacked, life, endpoints: options.endpoints }),
  });
  closeSync(log);
  child.stdin?.on('error', () => undefined);
  const close = async (): Promise<void> => {
    await endChild(child);
    if ((await endMarked(life)) === 'left') throw new Error('processes of MiniStack do not end');
  };
  try {
    await untilThere('MiniStack', () => health(url), child);
  } catch (error) {
    await close();
    throw error;
  }
  return { url, port, close };
}

interface Environment {
  readonly port: number;
  readonly unpacked: string;
  readonly life: string;
  readonly endpoints: Readonly<Record<string, string>>;
}

/** Nothing of the caller's environment but what a program needs: the Lambdas inherit all of it. */
function environment({ port, unpacked, life, endpoints }: Environment): NodeJS.ProcessEnv {
  const [name = '', value = ''] = life.split('=');
  return {
    ...kept('HOME', 'LANG', 'TZ'),
    // The Lambdas run on the very Node that runs this.
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    TMPDIR: unpacked,
    PYTHONDONTWRITEBYTECODE: '1',
    BIND_HOST: '127.0.0.1',
    MINISTACK_HOST: '127.0.0.1',
    GATEWAY_PORT: String(port),
    LAMBDA_EXECUTOR: 'local',
    SFTP_ENABLED: '0',
    IOT_MTLS_ENABLED: '0',
    AWS_ACCESS_KEY_ID: ACCOUNT,
    AWS_SECRET_ACCESS_KEY: SECRET,
    AWS_EC2_METADATA_DISABLED: 'true',
    ...endpoints,
    [name]: value,
  };
}

export function kept(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

async function health(url: string): Promise<void> {
  const answer = await fetch(`${url}/_ministack/health`, { signal: AbortSignal.timeout(HEALTH_MS) });
  if (!answer.ok) throw new Error(`its health is ${String(answer.status)}`);
}

/** Free just now; the range is below what Linux hands out by itself, so that it stays so. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnLoopback(server, 0);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
