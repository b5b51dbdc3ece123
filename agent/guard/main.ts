/** The guard's process: `--config FILE`. Holds the lock of its machine and gives `startGuard` that machine. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bootClock } from '../../adapters/node/boot-clock.ts';
import { nodeTimers, randomIds } from '../../adapters/node/clocks.ts';
import { fileStore } from '../../adapters/node/file-store.ts';
import { type HostConfig, readHostConfig } from '../../adapters/node/host-config.ts';
import { takeInstanceLock } from '../../adapters/node/instance-lock.ts';
import { deviceWatchdog } from '../../adapters/node/watchdog-device.ts';
import { initWatchdog } from '../../adapters/node/watchdog-init.ts';
import type { BootClock, Watchdog } from '../../core/ports.ts';
import type { GuardState } from '../../core/lease/guard-state.ts';
import { guardSelf } from '../../core/lease/guard-self.ts';
import { elapsed } from '../../core/time/time.ts';
import { spawnAgent } from './agent-child.ts';
import { createEnding } from './effects.ts';
import { startGuard } from './guard.ts';
import { parseLedger } from './ledger-file.ts';

function log(level: 'info' | 'warn' | 'error', text: string): void {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, who: 'guard', text })}\n`);
}

async function main(): Promise<void> {
  const configFile = parseArgs({ options: { config: { type: 'string' } } }).values.config;
  if (configFile === undefined) throw new Error('usage: guard --config FILE');
  const config = readHostConfig(configFile);
  const clock = bootClock();
  const about = { text: () => JSON.stringify({ state: 'cleaning' }) };
  const lock = await takeInstanceLock(config.instanceMark, () => about.text());
  if (lock === 'held') throw new Error(`another guard runs on ${config.instanceMark}; one machine has one guard (S1)`);

  mkdirSync(config.stateDir, { recursive: true });
  const guard = await startGuard({
    clock,
    timers: nodeTimers,
    ids: randomIds,
    level: config.watchdog.kind === 'device' ? 'watchdog' : config.watchdog.kind,
    watchdog: createWatchdog(config, clock),
    ledger: fileStore(join(config.stateDir, 'ledger.json'), parseLedger),
    ending: createEnding(config, log),
    spawnAgent: () => spawnAgent({ entry: config.agentEntry, configFile }),
    exit: (status) => process.exit(status),
    log,
  });
  about.text = () => JSON.stringify(selfReport(guard.state(), clock));
  process.on('SIGTERM', () => guard.drain());
  process.on('disconnect', () => void guard.endAll());
}

/** What whoever connects to the lock is told. `check` is for `holdfast-agent check`; the rest for people. */
function selfReport(state: GuardState, clock: BootClock): object {
  return {
    state: state.stopping === null ? (state.isRegistered ? 'standing' : 'unregistered') : 'stopping',
    session: state.session,
    level: state.level,
    leftMs: state.deadline === null ? null : elapsed(clock.now(), state.deadline),
    slots: state.ledger.entries.map(({ group, slot, epoch, covered }) => ({ group, slot, epoch, covered })),
    check: guardSelf(state, clock.now()),
  };
}

function createWatchdog(config: HostConfig, clock: BootClock): Watchdog {
  switch (config.watchdog.kind) {
    case 'init':
      return initWatchdog(process, clock);
    case 'device':
      return deviceWatchdog(config.watchdog);
    case 'none':
      return { arm: () => Promise.resolve(), feed: () => undefined, disarm: () => undefined };
  }
}

main().catch((error: unknown) => {
  log('error', error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
});
