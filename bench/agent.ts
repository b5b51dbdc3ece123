/**
 * What guard and agent cost an idle host: proportional set size and processor time, of the processes as packages ship
 * them, on a running local system. Idle: services run, nothing fails, nothing is ordered.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { apiClient } from '../adapters/node/api-client.ts';
import { mark } from '../adapters/node/marks.ts';
import { environmentOf } from '../adapters/node/proc.ts';
import { findMarked } from '../adapters/node/processes.ts';
import { HaError } from '../core/failures/failures.ts';
import type { StatusView } from '../core/protocol/views.ts';
import { missingFrom } from '../local/missing.ts';
import { type Runtime, startRuntime } from '../local/runtime.ts';
import type { Figure } from './figure.ts';

const SAMPLE = fileURLToPath(new URL('../local/samples/cluster.yaml', import.meta.url));
const PROFILES = ['demo', 'fast', 'standard'] as const;
/** Until start-up work (compilation, garbage of the first beats) is over. */
const SETTLE_MS = 15_000;
const MEASURE_MS = 60_000;
const UP_LIMIT_MS = 120_000;
/** USER_HZ on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

type Role = 'guard' | 'agent';

export async function benchAgent(say: (text: string) => void): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const profile of PROFILES) {
    say(`  profile ${profile}: starting, settling ${SETTLE_MS / 1000} s, measuring ${MEASURE_MS / 1000} s`);
    figures.push(...(await measureProfile(profile)));
  }
  return figures;
}

async function measureProfile(profile: (typeof PROFILES)[number]): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  const definitionFile = join(folder, 'cluster.yaml');
  await writeFile(definitionFile, (await readFile(SAMPLE, 'utf8')).replace('profile: demo', `profile: ${profile}`));
  const runtime = await startRuntime({
    stateDir: join(folder, 'state'),
    reset: false,
    port: 0,
    definitionFile,
    hasControl: true,
    witness: undefined,
    log: () => undefined,
  });
  try {
    await untilUp(runtime);
    await delay(SETTLE_MS);
    return await measure(profile, pidsOf(runtime));
  } finally {
    await runtime.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function untilUp(runtime: Runtime): Promise<void> {
  const api = apiClient({ url: runtime.apiUrl, token: runtime.token });
  let missing = 'no answer';
  let before: StatusView | undefined;
  for (let leftMs = UP_LIMIT_MS; leftMs > 0; leftMs -= 500) {
    const status = await api.status().catch(() => undefined);
    if (status !== undefined && before !== undefined) {
      missing = missingFrom(status, runtime.definition, before).join(', ');
      if (missing === '') return;
    }
    before = status ?? before;
    await delay(500);
  }
  throw new HaError('timed_out', `the local system did not come up: ${missing}`);
}

/** Guard and agent of one host: those that carry the same instance mark. */
function pidsOf(runtime: Runtime): Readonly<Record<Role, number>> {
  const isOurs = (pid: number): boolean => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(runtime.stateDir);
  const [guard] = findMarked(mark('role', 'guard')).filter(isOurs);
  const instance = guard === undefined ? undefined : environmentOf(guard)?.['HOLDFAST_INSTANCE'];
  const [agent] = instance === undefined ? [] : findMarked([mark('role', 'agent'), mark('instance', instance)]);
  if (guard === undefined || agent === undefined) throw new HaError('not_found', 'no guard with an agent is running');
  return { guard, agent };
}

async function measure(profile: string, pids: Readonly<Record<Role, number>>): Promise<readonly Figure[]> {
  const before = { guard: cpuSeconds(pids.guard), agent: cpuSeconds(pids.agent) };
  await delay(MEASURE_MS);
  const figures: Figure[] = [];
  let share = 0;
  for (const role of ['guard', 'agent'] as const) {
    const mb = memoryMb(pids[role]).pss;
    const percent = ((cpuSeconds(pids[role]) - before[role]) / (MEASURE_MS / 1000)) * 100;
    share += percent;
    figures.push({ name: `${role} PSS`, value: round(mb), unit: 'MB', params: { profile } });
    figures.push({ name: `${role} processor`, value: round(percent), unit: '% of a core', params: { profile } });
  }
  figures.push({
    name: 'together PSS on a host of their own',
    value: round(aloneMb(pids)),
    unit: 'MB',
    params: { profile },
  });
  figures.push({ name: 'together processor', value: round(share), unit: '% of a core', params: { profile } });
  return figures;
}

interface Memory {
  readonly pss: number;
  readonly own: number;
  readonly shared: number;
}

function memoryMb(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mb = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN) / 1024;
  const own = mb('Private_Clean') + mb('Private_Dirty');
  return { pss: mb('Pss'), own, shared: mb('Rss') - own };
}

/**
 * This machine runs three hosts and more, which all share the pages of Node itself, so that each one's PSS is flattered.
 * On a host of their own guard and agent share them between the two only: what is private to each, and the rest once.
 */
function aloneMb(pids: Readonly<Record<Role, number>>): number {
  const guard = memoryMb(pids.guard);
  const agent = memoryMb(pids.agent);
  return guard.own + agent.own + Math.max(guard.shared, agent.shared);
}

function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
