/** A host on a bench: real supervisors and real processes, with the guard's answers set by hand. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { endMarked, environmentOf, findMarked } from '../../../adapters/node/processes.ts';
import { processStat } from '../../../adapters/node/proc.ts';
import { bootClock } from '../../../adapters/node/boot-clock.ts';
import { unrefTimers } from '../../../adapters/node/clocks.ts';
import type { Lives } from '../../../agent/services/runner.ts';
import { createRunners } from '../../../agent/services/runners.ts';
import { createServiceLogs } from '../../../agent/services/service-log.ts';
import { createSlotFiles } from '../../../agent/services/slot-file.ts';
import { createSupervisors, type SupervisorPorts, type Supervisors } from '../../../agent/services/slots.ts';
import { passedOn } from '../../../agent/services/unit.ts';
import type { ServiceDefinition } from '../../../core/config/model.ts';
import type { Order } from '../../../core/protocol/records.ts';
import { group, service } from '../../core/supervision/fixtures.ts';

export const OCF_ROOT = join(import.meta.dirname, 'ocf');

export interface Bench {
  readonly folder: string;
  readonly mark: string;
  readonly reports: string[];
  readonly leaves: {
    covered: boolean;
    epoch: number;
    cleanup: readonly { service: string; argv: readonly string[] }[];
  }[];
  readonly guard: { grants: boolean; proves: boolean };
  readonly journal: string;
  lines(): string[];
  supervisors(): Supervisors;
  /** Of a machine with another mark. */
  supervisorsOf(mark: string): Supervisors;
  /** Pids of a service's processes, its leader among them. */
  pids(service: string): number[];
  leader(service: string): number;
  /** The process that the leader has started. */
  main(service: string): number;
  end(): Promise<void>;
}

export function openBench(): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-services-'));
  const mark = `bench-${process.pid}-${folder.slice(-6)}`;
  const clock = bootClock();
  const guard = { grants: true, proves: true };
  const reports: string[] = [];
  const leaves: Bench['leaves'] = [];
  const opened: Supervisors[] = [];
  const journal = join(folder, 'journal');
  const pids = (name: string): number[] => findMarked([`HOLDFAST_INSTANCE=${mark}`, `HOLDFAST_SERVICE=${name}`]);
  const leader = (name: string): number => pids(name).find((pid) => processStat(pid)?.session === pid) ?? 0;
  const ports: SupervisorPorts = {
    now: () => clock.now(),
    leave: (request) => {
      leaves.push(request);
      return Promise.resolve({ granted: guard.grants, why: 'the bench says so' });
    },
    release: () => Promise.resolve(guard.proves),
    report: ({ order, outcome, detail }) =>
      void reports.push(`${order.id} ${outcome}${detail === '' ? '' : `: ${detail}`}`),
    log: () => undefined,
  };
  const supervisorsOf = (ofMark: string): Supervisors => {
    const supervisors = createSupervisors(supervisorOptions({ folder, mark: ofMark, ports }));
    opened.push(supervisors);
    return supervisors;
  };
  return {
    folder,
    mark,
    reports,
    leaves,
    guard,
    journal,
    lines: () => readLines(journal),
    supervisors: () => supervisorsOf(mark),
    supervisorsOf,
    pids,
    leader,
    main: (name) => pids(name).find((pid) => processStat(pid)?.parent === leader(name)) ?? 0,
    async end() {
      // The supervisors live on with the test's process: they must not start again what ends here.
      guard.grants = false;
      guard.proves = true;
      await Promise.all(opened.map((supervisors) => supervisors.drain(3_000)));
      await endMarked(`HOLDFAST_INSTANCE=${mark}`);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function supervisorOptions(options: { folder: string; mark: string; ports: SupervisorPorts }) {
  return {
    ports: options.ports,
    hostEnv: { cluster: 'test', host: 'h1', instanceMark: options.mark, env: passedOn(process.env) },
    timers: unrefTimers,
    files: createSlotFiles(join(options.folder, 'slots')),
    runners: (lives: Lives) =>
      createRunners({
        lives,
        logs: createServiceLogs(join(options.folder, 'service-logs')),
        resolveCommand: (argv) => argv,
        ocfRoot: OCF_ROOT,
      }),
  };
}

export function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    return [];
  }
}

/** Waits for a condition; the limit only ends a test that has failed. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (let round = 0; round < 1_000; round += 1) {
    if (holds()) return;
    await delay(15);
  }
  throw new Error(`never came true: ${what}`);
}

export const QUICK: Partial<ServiceDefinition> = {
  monitor: { everyMs: 60_000, timeoutMs: 2_000, failures: 1 },
  actions: { start: { timeoutMs: 5_000, attempts: 1 }, stop: { timeoutMs: 5_000, attempts: 1 } },
};

/** Writes `NAME up` and, when asked to end, `NAME down`. */
export function shell(name: string, journal: string, change: Partial<ServiceDefinition> = {}): ServiceDefinition {
  const script = `echo ${name} up >> "$0"; trap 'echo ${name} down >> "$0"; exit 0' TERM; while :; do sleep 0.05; done`;
  return service(name, { ...QUICK, command: ['sh', '-c', script, journal], ...change });
}

export function orderOf(verb: Order['verb'], epoch: number, services: readonly ServiceDefinition[]): Order {
  return {
    id: `${verb}-${epoch}`,
    verb,
    group: 'shop',
    slot: 0,
    epoch,
    session: 's1',
    list: { no: 1, hosts: ['h1'] },
    spec: group(services),
  };
}

/** The process that leads the service: it carries the mark, and it is not the child of another that does. */
export function environmentOfService(bench: Bench, name: string): Readonly<Record<string, string>> {
  const [pid] = bench.pids(name);
  return (pid === undefined ? undefined : environmentOf(pid)) ?? {};
}
