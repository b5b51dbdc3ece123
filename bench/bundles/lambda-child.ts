/**
 * A Lambda environment as a process: loads the bundle named on the command line, tells its parent, and invokes the handler
 * with each event that comes. What the handler logs goes to this process's outputs.
 */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import type { FromChild, ToChild } from './lambda-process.ts';

type Handle = (event: unknown, context: object) => Promise<unknown>;

/** Milliseconds from the start of this process, which is when `performance` began to count. */
const sinceStart = (): number => performance.now();

/** Without `since`: of all of this process. */
function cpuMs(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1_000;
}

function tell(message: FromChild): void {
  process.send?.(message);
}

/** Memory that cannot be let go: pages of Node's own file, some 40 MB, are read again when memory is short. */
function ownMb(): number {
  const [, kb] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  if (kb === undefined) throw new Error('/proc/self/status has no RssAnon: this needs Linux');
  return Number(kb) / 1_024;
}

async function invoke(handle: Handle, event: unknown): Promise<void> {
  const [from, cpu] = [performance.now(), process.cpuUsage()];
  const context = { functionName: 'bench', awsRequestId: '00000000-0000-0000-0000-000000000000' };
  const answer = await handle(event, context).then(
    (output) => ({ output: JSON.stringify(output ?? null) }),
    (error: unknown) => ({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
  tell({
    did: 'invoked',
    cpuMs: cpuMs(cpu),
    memoryMb: ownMb(),
    ms: performance.now() - from,
    sinceStartMs: sinceStart(),
    cpuSinceStartMs: cpuMs(),
    ...answer,
  });
}

async function main(): Promise<void> {
  const loaded = (await import(pathToFileURL(process.argv[2] ?? '').href)) as { readonly handler: Handle };
  tell({ did: 'loaded', sinceStartMs: sinceStart() });
  process.on('message', (message) => void invoke(loaded.handler, (message as ToChild).event));
  process.on('disconnect', () => process.exit(0));
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
});
