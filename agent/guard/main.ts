/** The guard: `--config FILE`. It owns the session, the deadline, the watchdog and the kill list, and keeps the agent running. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bootClock } from '../../adapters/node/boot-clock.ts';
import { randomIds } from '../../adapters/node/clocks.ts';
import { fileStore } from '../../adapters/node/file-store.ts';
import { type HostConfig, readHostConfig } from '../../adapters/node/host-config.ts';
import { takeInstanceLock } from '../../adapters/node/instance-lock.ts';
import { deviceWatchdog } from '../../adapters/node/watchdog-device.ts';
import { initWatchdog } from '../../adapters/node/watchdog-init.ts';
import type { BootClock, Watchdog } from '../../core/ports.ts';
import type { GuardLevel } from '../../core/protocol/records.ts';
import { firstState, type GuardState } from '../../core/lease/guard-state.ts';
import { guardSelf } from '../../core/lease/guard-self.ts';
import { EMPTY_LEDGER, type Ledger } from '../../core/lease/ledger.ts';
import { elapsed } from '../../core/time/time.ts';
import { startAgent } from './agent-process.ts';
import { createEnding, type Ending } from './effects.ts';
import { parseLedger } from './ledger-file.ts';
import { createGuardShell } from './shell.ts';

/** Period before any timing is known; afterwards p. */
const FIRST_PERIOD_MS = 100;
/** S1: a host on which something covered will not stop is reset at most twice, then stays unregistered. */
const RESETS_MAX = 2;

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
  const store = fileStore(join(config.stateDir, 'ledger.json'), parseLedger);
  const ending = createEnding(config, log);
  const ledger = await cleanUp(await readLedger(store), ending, store);
  const level: GuardLevel = config.watchdog.kind === 'device' ? 'watchdog' : config.watchdog.kind;
  const state = firstState({ session: randomIds.next(), level, ledger });
  await store.write(state.ledger);

  const watchdog = createWatchdog(config, clock);
  const agent = startAgent({
    entry: config.agentEntry,
    configFile,
    now: () => clock.now(),
    onMessage: (message) => shell.handle({ type: 'agent', message }),
    onExit: (how) => {
      log('warn', `the agent ended (${how})`);
      shell.handle({ type: 'agent_exited' });
    },
    endAgent: () => ending.endAgent(),
  });
  const exit = (): void => {
    watchdog.disarm();
    process.exit(0);
  };
  const shell = createGuardShell(state, { clock, ids: randomIds, watchdog, ledger: store, ending, agent, log, exit });
  about.text = () => JSON.stringify(selfReport(shell.state(), clock));

  const beat = (): void => {
    shell.handle({ type: 'tick' });
    setTimeout(beat, shell.state().timing?.guardPeriodMs ?? FIRST_PERIOD_MS);
  };
  beat();
  process.on('SIGTERM', () => {
    shell.handle({ type: 'drain' });
  });
  // Without its init nobody would end what this guard cannot: end everything and go.
  process.on('disconnect', () => {
    agent.close();
    void ending
      .endAgent()
      .then(() => ending.endServices())
      .then(() => process.exit(1));
  });
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

/** A ledger that cannot be read could have said anything: everything of this machine is ended, which is done anyway. */
async function readLedger(store: ReturnType<typeof fileStore<Ledger>>): Promise<Ledger> {
  const read = await store.read();
  if (read.state === 'read') return read.value;
  if (read.state === 'unreadable') log('warn', `the ledger cannot be read (${read.why}): starting with an empty one`);
  return EMPTY_LEDGER;
}

/** S1: before it registers, a guard makes sure that nothing is left running from before. */
async function cleanUp(ledger: Ledger, ending: Ending, store: ReturnType<typeof fileStore<Ledger>>): Promise<Ledger> {
  const isAgentGone = await ending.endAgent();
  const areServicesGone = await ending.endServices();
  const ended = await Promise.all(ledger.entries.map((entry) => ending.end(entry, entry.cleanup)));
  if (isAgentGone && areServicesGone && ended.every(Boolean)) return ledger;
  if (ledger.resets >= RESETS_MAX) {
    log('error', `something will not stop after ${RESETS_MAX} resets: staying unregistered, a person is needed`);
    return new Promise(() => setInterval(() => log('error', 'unregistered: something will not stop'), 60_000));
  }
  await store.write({ ...ledger, resets: ledger.resets + 1 });
  log('error', `something will not stop: resetting this host (${ledger.resets + 1} of ${RESETS_MAX})`);
  process.exit(75);
}

main().catch((error: unknown) => {
  log('error', error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
});
