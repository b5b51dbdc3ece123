/** A thin system for a benchmark: in a process of its own, as people run it, or in this one, to add machines to it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { apiClient, type ApiClient } from '../adapters/node/api-client.ts';
import { HaError, messageOf } from '../core/failures/failures.ts';
import type { StatusView } from '../core/protocol/views.ts';
import { readRuntimeFiles, type RuntimeFiles } from '../local/runtime-files.ts';
import { type Runtime, type RuntimeOptions, startRuntime } from '../local/runtime.ts';
import type { ThinSize } from '../local/thin/thin-definition.ts';
import { endChild, startChild, untilThere } from './failover/children.ts';

const POLL_MS = 1_000;

export interface ThinSystem {
  readonly stateDir: string;
  readonly address: RuntimeFiles['api'];
  readonly api: ApiClient;
}

export async function withThinProcess<T>(size: ThinSize, work: (system: ThinSystem) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  const stateDir = join(folder, 'state');
  const args = ['--state', stateDir, '--port', '0', '--thin', `${String(size.hosts)}x${String(size.groups)}`];
  const child = startChild(join(folder, 'main.log'), ['../../local/main.ts', ...args, '--with-parent']);
  try {
    const { api: address } = await untilThere('the thin system', () => readRuntimeFiles(stateDir), child);
    return await work({ stateDir, address, api: apiClient(address) });
  } finally {
    await endChild(child);
    await rm(folder, { recursive: true, force: true });
  }
}

export async function withRuntime<T>(
  options: Pick<RuntimeOptions, 'isThin'> & ({ readonly definitionText: string } | { readonly definitionFile: string }),
  work: (runtime: Runtime) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  const runtime = await startRuntime({
    stateDir: join(folder, 'state'),
    reset: false,
    port: 0,
    definitionFile: '',
    hasControl: true,
    witness: undefined,
    log: () => undefined,
    ...options,
  });
  try {
    return await work(runtime);
  } finally {
    await runtime.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Answers the first status that shows every slot Active, every standby in its place and no run open. */
export async function untilActive(api: ApiClient, limitMs: number, say: (text: string) => void): Promise<StatusView> {
  let found = 'no answer';
  for (let left = limitMs; left > 0; left -= POLL_MS) {
    try {
      const status = await api.status();
      const slots = status.groups.flatMap((group) => group.slots);
      const active = slots.filter(({ phase }) => phase === 'Active').length;
      const standbys = status.groups.filter((group) => group.standbys.length > 0).length;
      const text = `${String(active)} of ${String(slots.length)} active, ${String(standbys)} standbys, ${String(status.runs.length)} runs`;
      if (active === slots.length && standbys === status.groups.length && status.runs.length === 0) return status;
      if (text !== found && left % (10 * POLL_MS) === 0) say(`  ${text}`);
      found = text;
    } catch (error) {
      found = messageOf(error);
    }
    await delay(POLL_MS);
  }
  throw new HaError('timed_out', `the thin system did not come up: ${found}`);
}
