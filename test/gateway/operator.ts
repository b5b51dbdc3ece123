/** `holdfast console` in this process, as an operator with AWS credentials in the environment starts it. */
import type { CliIo } from '../../cli/io.ts';
import { run } from '../../cli/program.ts';
import { ALICE, REGION } from './gateway.ts';

export interface Opened {
  readonly url: string;
  readonly errors: string[];
  /** Ctrl-C. Answers the exit status. */
  stop(): Promise<number>;
}

/** Where the SDK's own chain looks first. */
export function signIn(): void {
  process.env.AWS_ACCESS_KEY_ID = ALICE.accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = ALICE.secretAccessKey;
  process.env.AWS_SESSION_TOKEN = ALICE.sessionToken;
}

export const SIGNED = ['--auth', 'iam', '--region', REGION] as const;

/** Rejects with what it printed if it ends by itself. */
export async function openConsole(argv: readonly string[]): Promise<Opened> {
  const stop = new AbortController();
  const errors: string[] = [];
  let printed: (text: string) => void = () => undefined;
  const address = new Promise<string>((resolve) => (printed = resolve));
  const io: CliIo = {
    out: (text) => printed(text),
    err: (text) => void errors.push(text),
    isTerminal: false,
    isInteractive: false,
    env: {},
    directory: process.cwd(),
    now: () => Date.now(),
    ask: () => Promise.resolve(''),
    sleep: () => Promise.resolve(),
    stopped: stop.signal,
  };
  const exit = run(['console', '--json', ...argv], io);
  const first = await Promise.race([address, exit.then((status) => `exit ${status}: ${errors.join('')}`)]);
  if (!first.startsWith('{"url"')) throw new Error(first);
  return {
    url: (JSON.parse(first) as { url: string }).url,
    errors,
    stop: () => {
      stop.abort();
      return exit;
    },
  };
}
