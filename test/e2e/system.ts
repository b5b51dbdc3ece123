/** A local system as a person starts it: `local/main.ts` as a process of its own, in a folder of its own. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { apiClient } from '../../adapters/node/api-client.ts';
import type { ApiClient } from '../../adapters/node/api-client.ts';
import { readHostConfig } from '../../adapters/node/host-config.ts';
import { mark } from '../../adapters/node/marks.ts';
import { isDead, processStat } from '../../adapters/node/proc.ts';
import { findMarked } from '../../adapters/node/processes.ts';
import type { StatusView } from '../../core/protocol/views.ts';
import { readRuntimeFiles } from '../../local/runtime-files.ts';
import { until } from '../local/fleet/until.ts';

const MAIN = fileURLToPath(new URL('../../local/main.ts', import.meta.url));
const CLI = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
export const SAMPLE = fileURLToPath(new URL('../../local/samples/cluster.yaml', import.meta.url));

/** Generous: another Jest worker may load the other core. Only a failure waits so long. */
export const LIMIT_MS = 90_000;

export interface System {
  readonly child: ChildProcess;
  readonly said: () => string;
}

/** A folder in which `.holdfast` is the state folder, and everything that was started in it. */
export class Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'holdfast-e2e-'));
  readonly state = join(this.folder, '.holdfast');
  readonly #systems: System[] = [];

  start(...args: string[]): System {
    const port = args.includes('--port') ? [] : ['--port', '0'];
    const child = spawn(process.execPath, [MAIN, ...port, ...args], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    child.stdout.on('data', (chunk) => (text += String(chunk)));
    child.stderr.on('data', (chunk) => (text += String(chunk)));
    const system = { child, said: () => text };
    this.#systems.push(system);
    return system;
  }

  /** Starts and waits until it says that everything is active. */
  async startAndWait(...args: string[]): Promise<System> {
    const system = this.start(...args);
    const isThere = (): boolean => system.said().includes('Ctrl-C ends everything') || hasEnded(system.child);
    await until('the welcome', isThere, LIMIT_MS);
    if (!system.said().includes('everything is active.')) {
      throw new Error(`not active:\n${system.said()}\n${await this.#events()}`);
    }
    return system;
  }

  /** What happened, for a failed test to say. */
  async #events(): Promise<string> {
    const { events } = await this.api().events({ limit: 200 });
    return events.map((event) => `${String(event.atMs)} ${event.kind} ${event.subject}: ${event.says}`).join('\n');
  }

  api(): ApiClient {
    return apiClient(readRuntimeFiles(this.state).api);
  }

  /** Pids that carry the mark of a host of this folder. */
  marked(): number[] {
    const hosts = join(this.state, 'hosts');
    const configs = existsSync(hosts) ? readdirSync(hosts).map((host) => join(hosts, host, 'config.json')) : [];
    return configs
      .filter((file) => existsSync(file))
      .flatMap((file) => findMarked(mark('instance', readHostConfig(file).instanceMark)));
  }

  /** Ends whatever is left, by pid, and removes the folder. */
  async clear(): Promise<void> {
    for (const { child } of this.#systems) await end(child, 'SIGKILL');
    await until('the end of every process', () => this.marked().length === 0, LIMIT_MS);
    rmSync(this.folder, { recursive: true });
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Exit status, or the signal that ended it. */
export async function end(child: ChildProcess, signal?: NodeJS.Signals): Promise<number | string> {
  if (!hasEnded(child)) {
    const exit = once(child, 'exit');
    if (signal !== undefined) child.kill(signal);
    await exit;
  }
  return child.exitCode ?? child.signalCode ?? 'unknown';
}

/** A process for ever: pids are used again. */
export interface Process {
  readonly pid: number;
  readonly startTicks: number;
}

/** Everything that this process started, directly or not. */
export function descendantsOf(ancestor: number | undefined): Process[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), parent: parentOf(name) }));
  const found = new Set([ancestor]);
  for (let before = 0; before !== found.size;) {
    before = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  found.delete(ancestor);
  return [...found].flatMap((pid) => {
    const stat = pid === undefined ? undefined : processStat(pid);
    return pid === undefined || stat === undefined ? [] : [{ pid, startTicks: stat.startTicks }];
  });
}

function parentOf(pid: string): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return 0; // Gone meanwhile.
  }
}

export function alive(processes: readonly Process[]): Process[] {
  return processes.filter(({ pid, startTicks }) => {
    const stat = processStat(pid);
    return stat !== undefined && stat.startTicks === startTicks && !isDead(stat);
  });
}

export interface Ran {
  readonly status: number | string;
  readonly out: string;
  readonly err: string;
}

/** The command line as a child process, without a terminal, in the folder where the system was started. */
export async function holdfast(folder: string, ...args: string[]): Promise<Ran> {
  const environment = { ...process.env };
  delete environment['HOLDFAST_API'];
  delete environment['HOLDFAST_TOKEN'];
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ran = { out: '', err: '' };
  child.stdout.on('data', (chunk) => (ran.out += String(chunk)));
  child.stderr.on('data', (chunk) => (ran.err += String(chunk)));
  await once(child, 'close');
  return { status: await end(child), ...ran };
}

/** `group/slot` → epoch, of every slot. */
export function epochsOf(status: StatusView): Record<string, number> {
  return Object.fromEntries(
    status.groups.flatMap((group) => group.slots.map(({ slot, epoch }) => [`${group.name}/${String(slot)}`, epoch])),
  );
}

/** `group/slot phase`, of every slot; hosts that own two slots of one group are said so. */
export function phasesOf(status: StatusView): string[] {
  return status.groups.flatMap((group) =>
    group.slots.map(({ slot, phase, owner }) => {
      const isShared = group.slots.some((other) => other.slot !== slot && other.owner === owner);
      return `${group.name}/${String(slot)} ${phase}${isShared ? ` on ${owner ?? 'no host'} beside another` : ''}`;
    }),
  );
}

export const ALL_ACTIVE = [
  'broker/0 Active',
  'broker/1 Active',
  'ledger/0 Active',
  'web/0 Active',
  'web/1 Active',
  'web/2 Active',
];
