/**
 * `holdfast-agent`: what a person, the machine's init, or Systems Manager may ask on a host.
 *
 * - `check [--json]` is answered by the guard itself. Exit status 0: it answered; 1: no answer, which says nothing (S8).
 * - `configure` writes what the guard is started with.
 * - `run` is the guard of this host, until it ends.
 * - `reload` has the guard start another agent, of the version installed now. Services run on.
 */
import { existsSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { replaceFile } from '../adapters/node/file-store.ts';
import { runGuard } from '../adapters/node/guard-unit.ts';
import { type HostConfig, readHostConfig } from '../adapters/node/host-config.ts';
import { type HostFile, readHostFile } from '../adapters/node/host-file.ts';
import { IMDS_ENDPOINT, readInstance } from '../adapters/node/imds.ts';
import { askLockHolder } from '../adapters/node/instance-lock.ts';
import { readBootedAt, readBootId, readMachineId } from '../adapters/node/machine-facts.ts';
import { mark } from '../adapters/node/marks.ts';
import { findMarked, signalAll } from '../adapters/node/processes.ts';
import { FAILURES, failureCode, HaError, messageOf } from '../core/failures/failures.ts';
import type { GuardCheck } from '../core/ports.ts';
import { readOnLock } from '../core/protocol/guard-check.ts';
import { hostConfigOf, type MachineFacts } from './configure.ts';

/** Written anew at every start of the unit: what it says holds for one boot. */
const CONFIG_FILE = '/run/holdfast/host.json';
const HOST_FILES = ['/etc/holdfast/host.yaml', '/etc/holdfast/host.json'] as const;
const USAGE = `usage: holdfast-agent check [--json]
       holdfast-agent configure [--host-file FILE]
       holdfast-agent run
       holdfast-agent reload
every one: [--config FILE] (default ${CONFIG_FILE}, or HOLDFAST_CONFIG)
`;

interface Asked {
  readonly config: string;
  readonly json: boolean;
  readonly hostFile: string | undefined;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      config: { type: 'string', default: process.env['HOLDFAST_CONFIG'] ?? CONFIG_FILE },
      'host-file': { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return say('stdout', USAGE, 0);
  const asked: Asked = { config: values.config, json: values.json, hostFile: values['host-file'] };
  switch (positionals.length === 1 ? positionals[0] : undefined) {
    case 'check':
      return check(asked);
    case 'configure':
      return configure(asked);
    case 'run':
      return run(asked);
    case 'reload':
      return reload(asked);
    default:
      return say('stderr', USAGE, FAILURES.config_invalid.exit);
  }
}

async function check({ config, json }: Asked): Promise<number> {
  const { instanceMark } = readHostConfig(config);
  const answer = await askLockHolder(instanceMark);
  const told: GuardCheck =
    answer === undefined ? { outcome: 'unknown', says: 'no guard answers on this host' } : readOnLock(answer);
  if (told.outcome === 'unknown') return say('stderr', `${told.says}\n`, 1);
  return say('stdout', json ? jsonOf(told) : wordsOf(told), 0);
}

async function configure(asked: Asked): Promise<number> {
  const file = await readHostFile(asked.hostFile ?? HOST_FILES.find(existsSync) ?? HOST_FILES[0]);
  const machine = await machineFacts(file, asked.config);
  const script = process.argv[1] ?? '';
  const config = hostConfigOf(file, machine, { node: process.execPath, scripts: dirname(resolve(script)) });
  if (config.watchdog.kind === 'device' && !existsSync(config.watchdog.device)) {
    const { device } = config.watchdog;
    throw new HaError(
      'config_invalid',
      `watchdog: ${device} is not there; load its module with the timing's watchdog time-out (modprobe softdog soft_margin=SECONDS), or say watchdog: init`,
    );
  }
  await mkdir(dirname(asked.config), { recursive: true, mode: 0o700 });
  await replaceFile(asked.config, `${JSON.stringify(config, null, 2)}\n`);
  await chmod(asked.config, 0o600);
  return say('stdout', `${asked.config}: ${config.host} of ${config.cluster} is ${config.principal}\n`, 0);
}

async function machineFacts(file: HostFile, configFile: string): Promise<MachineFacts> {
  const bootId = await readBootId();
  if (file.certificate === undefined) {
    const endpoint = process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] ?? IMDS_ENDPOINT;
    return { kind: 'ec2', bootId, instance: await readInstance(endpoint) };
  }
  const before = earlier(configFile);
  const bootedAt = before?.bootId === bootId ? before.launchTime : await readBootedAt();
  return { kind: 'other', bootId, machineId: await readMachineId(), bootedAt };
}

function earlier(configFile: string): HostConfig | undefined {
  try {
    return readHostConfig(configFile);
  } catch {
    return undefined; // The first of this boot, or of another version: written anew.
  }
}

async function run({ config: configFile }: Asked): Promise<number> {
  const log = (text: string): void => {
    process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level: 'warn', who: 'unit', text })}\n`);
  };
  // What cannot be ended must not keep this process: systemd ends the rest of the unit once it is gone.
  process.exit(await runGuard({ config: readHostConfig(configFile), configFile, log }));
}

function reload({ config }: Asked): number {
  const { instanceMark } = readHostConfig(config);
  const agents = findMarked([mark('instance', instanceMark), mark('role', 'agent')]);
  if (signalAll(agents, 'SIGKILL') === 0) return say('stderr', 'no agent runs on this host\n', 1);
  return say('stdout', 'the guard starts another agent; services run on\n', 0);
}

type Answered = Extract<GuardCheck, { outcome: 'answered' }>;

function jsonOf({ session, stands, running }: Answered): string {
  return `${JSON.stringify({ session, stands, running })}\n`;
}

function wordsOf({ session, stands, running }: Answered): string {
  const services = running.length === 0 ? 'nothing covered runs' : `running: ${running.join(', ')}`;
  if (session === null) return `no session; ${services}\n`;
  return `session ${session}, its lease ${stands ? 'stands' : 'is over'}; ${services}\n`;
}

function say(stream: 'stdout' | 'stderr', text: string, status: number): number {
  process[stream].write(text);
  return status;
}

main().then(
  (status) => (process.exitCode = status),
  (error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    const code = failureCode(error);
    process.exitCode = code === undefined ? FAILURES.config_invalid.exit : FAILURES[code].exit;
  },
);
