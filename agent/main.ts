/** The agent's process: `--config FILE`, started by the guard. Gives `startAgent` this machine and the real tables. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { createDynamo, hostLimits } from '../adapters/aws/dynamodb-client.ts';
import { dynamoOwnHeartbeat } from '../adapters/aws/dynamodb-own-heartbeat.ts';
import { dynamoRegistry } from '../adapters/aws/dynamodb-registry.ts';
import { hostCredentials } from '../adapters/aws/steady-credentials.ts';
import { bootClock } from '../adapters/node/boot-clock.ts';
import { nodeTimers, systemWallClock } from '../adapters/node/clocks.ts';
import { fileStore } from '../adapters/node/file-store.ts';
import { type HostConfig, readHostConfig } from '../adapters/node/host-config.ts';
import { messageOf } from '../core/failures/failures.ts';
import { startAgent } from './agent.ts';
import { guardOver } from './guard-ipc.ts';
import type { Lives, RunnerFor } from './services/runner.ts';
import { createRunners } from './services/runners.ts';
import { createServiceLogs } from './services/service-log.ts';
import { createSlotFiles } from './services/slot-file.ts';
import { passedOn } from './services/unit.ts';

/** One call to the registry; renewals have their own cap r. */
const CALL_MS = 2_000;
const OCF_ROOT = '/usr/lib/ocf';

function log(level: 'info' | 'warn' | 'error', text: string, facts?: object): void {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, who: 'agent', text, ...facts })}\n`);
}

function placeOf(config: HostConfig): Parameters<typeof createDynamo>[0] {
  const { region, endpoint, accessKeyId, secretAccessKey } = config;
  if (accessKeyId === undefined || secretAccessKey === undefined)
    return { region, endpoint, credentials: hostCredentials(config.credentials) };
  return { region, endpoint, credentials: { accessKeyId, secretAccessKey } };
}

function runnersOf(config: HostConfig): (lives: Lives) => RunnerFor {
  const { sampleCommand, stateDir } = config;
  return (lives) =>
    createRunners({
      lives,
      logs: createServiceLogs(join(stateDir, 'service-logs')),
      ocfRoot: OCF_ROOT,
      resolveCommand: (argv) => (argv[0] === 'holdfast-sample' ? [...sampleCommand, ...argv.slice(1)] : [...argv]),
    });
}

/**
 * The unit protects the guard from the kernel's hunt for memory, and children inherit that. Services must not, nor need
 * the agent: another one is started. A kernel that keeps no such value has nothing to undo.
 */
function serveLikeAnyOther(): void {
  const file = '/proc/self/oom_score_adj';
  try {
    if (Number(readFileSync(file, 'utf8')) < 0) writeFileSync(file, '0');
  } catch (error) {
    log('warn', `${file}: ${messageOf(error)}`);
  }
}

function main(): void {
  const configFile = parseArgs({ options: { config: { type: 'string' } } }).values.config;
  if (configFile === undefined) throw new Error('usage: agent --config FILE');
  const config = readHostConfig(configFile);
  const { cluster, host, principal, instanceMark, stateDir, tables } = config;
  mkdirSync(stateDir, { recursive: true });
  serveLikeAnyOther();
  const dynamo = createDynamo(placeOf(config), hostLimits(CALL_MS));
  startAgent({
    config,
    clock: bootClock(),
    wall: systemWallClock,
    timers: nodeTimers,
    random: Math.random,
    own: dynamoOwnHeartbeat({ dynamo, table: tables.heartbeats, principal }),
    registry: dynamoRegistry({ dynamo, table: tables.registry }),
    guard: guardOver(process),
    incarnation: fileStore(join(stateDir, 'incarnation.json'), (json) => z.string().parse(json)),
    files: createSlotFiles(join(stateDir, 'slots')),
    runners: runnersOf(config),
    hostEnv: { cluster, host, instanceMark, env: passedOn(process.env) },
    exit: (status) => process.exit(status),
    log,
  });
}

main();
