/**
 * Stands for firmware and systemd of one local instance: `init.ts --config FILE`.
 *
 * Starts the guard; when the guard exits, or has not fed the watchdog for the armed time, ends EVERY other process of
 * the instance (found by its environment mark, again and again until none is left) and only then starts the guard anew.
 * The end of standard input is a power cut: it comes when the runtime dies, however it dies. SIGTERM is the power button:
 * the guard drains first, within bounds.
 */
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { bootClock } from '../../adapters/node/boot-clock.ts';
import { startGuard } from '../../adapters/node/guard-life.ts';
import type { GuardLife } from '../../adapters/node/guard-life.ts';
import { readHostConfig } from '../../adapters/node/host-config.ts';
import type { HostConfig } from '../../adapters/node/host-config.ts';
import { MARKS, mark } from '../../adapters/node/marks.ts';
import { endMarked, signalAll } from '../../adapters/node/processes.ts';
import type { BootClock } from '../../core/ports.ts';
import { after, isReached } from '../../core/time/time.ts';
import { openLogFile } from './log-file.ts';
import type { LogFile } from './log-file.ts';

const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 2_000;
/** A guard that lived this long was well: the next restart is quick again. */
const WELL_AFTER_MS = 10_000;
const ROTATE_EVERY_MS = 5_000;
/** The longest orderly shutdown; whatever runs then is ended. */
const SHUTDOWN_MS = 8_000;

interface Machine {
  readonly config: HostConfig;
  readonly configFile: string;
  readonly log: LogFile;
  readonly clock: BootClock;
  isOff: boolean;
  isShuttingDown: boolean;
  guard: GuardLife | undefined;
}

function main(): void {
  const { values } = parseArgs({ options: { config: { type: 'string' } } });
  if (values.config === undefined) throw new Error('usage: init --config FILE');
  const config = readHostConfig(values.config);
  const log = openLogFile(join(dirname(values.config), 'instance.log'));
  const machine: Machine = {
    ...{ config, configFile: values.config, log, clock: bootClock() },
    ...{ isOff: false, isShuttingDown: false, guard: undefined },
  };
  const off = (why: string) => (): void => void powerOff(machine, why);
  process.stdin.once('end', off('the runtime is gone')).once('error', off('the runtime is gone')).resume();
  process.once('SIGTERM', () => void shutDown(machine));
  setInterval(() => {
    log.rotate();
  }, ROTATE_EVERY_MS);
  log.line(`power on, boot ${config.bootId}`);
  void superviseGuard(machine);
}

async function superviseGuard(machine: Machine): Promise<void> {
  let backoffMs = BACKOFF_MIN_MS;
  await endAll(machine, undefined);
  while (!machine.isOff && !machine.isShuttingDown) {
    const wellAt = after(machine.clock.now(), WELL_AFTER_MS);
    const guard = startGuard(guardStart(machine));
    machine.guard = guard;
    const why = await guard.over;
    machine.guard = undefined;
    await endAll(machine, guard.pid);
    backoffMs = isReached(wellAt, machine.clock.now()) ? BACKOFF_MIN_MS : backoffMs;
    machine.log.line(`${why}; everything ended, guard starts again in ${String(backoffMs)} ms`);
    await delay(backoffMs);
    backoffMs = Math.min(backoffMs * 2, BACKOFF_MAX_MS);
  }
}

function guardStart(machine: Machine) {
  const { config } = machine;
  return {
    command: [process.execPath, config.guardEntry, '--config', machine.configFile],
    environment: {
      ...process.env,
      [MARKS.instance]: config.instanceMark,
      [MARKS.role]: 'guard',
      [MARKS.host]: config.host,
    },
    logFd: machine.log.fd,
    clock: machine.clock,
  };
}

/** Does not return while anything is left: no guard may start beside the remains of the last one. */
async function endAll(machine: Machine, guardPid: number | undefined): Promise<void> {
  const sessionIds = guardPid === undefined ? [] : [guardPid];
  while ((await endMarked(mark('instance', machine.config.instanceMark), { sessionIds })) === 'left') {
    machine.log.line('processes of this instance do not end; trying again');
  }
}

/** An orderly end: the guard releases and closes what it can, then the power goes. */
async function shutDown(machine: Machine): Promise<void> {
  machine.isShuttingDown = true;
  const { guard } = machine;
  if (guard?.pid !== undefined) {
    signalAll([guard.pid], 'SIGTERM');
    await Promise.race([guard.over, delay(SHUTDOWN_MS)]);
  }
  await powerOff(machine, 'shutdown');
}

async function powerOff(machine: Machine, why: string): Promise<void> {
  if (machine.isOff) return;
  machine.isOff = true;
  const outcome = await endMarked(mark('instance', machine.config.instanceMark));
  machine.log.line(`power off (${why}), processes: ${outcome}`);
  process.exit(outcome === 'ended' ? 0 : 1);
}

main();
