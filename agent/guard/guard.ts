/**
 * One life of a guard: it owns the session, the deadline, the watchdog and the kill list, and keeps the agent running.
 * It is given its world; that there is one guard per machine (S1) is for whoever starts it.
 */
import type { BootClock, FileStore, Ids, Timers, Watchdog } from '../../core/ports.ts';
import type { GuardLevel } from '../../core/protocol/records.ts';
import { firstState, type GuardState } from '../../core/lease/guard-state.ts';
import { EMPTY_LEDGER, type Ledger } from '../../core/lease/ledger.ts';
import { every } from '../timers.ts';
import { type AgentChild, type AgentProcess, superviseAgent } from './agent-process.ts';
import type { Ending } from './effects.ts';
import { createGuardShell } from './shell.ts';

/** Period before any timing is known; afterwards p. */
const FIRST_PERIOD_MS = 100;
/** S1: a host on which something covered will not stop is reset at most twice, then stays unregistered. */
const RESETS_MAX = 2;
/** Exit status that asks init for a reset of the host. */
const EXIT_RESET = 75;
const REMIND_MS = 60_000;

export interface GuardLifePorts {
  readonly clock: BootClock;
  readonly timers: Timers;
  readonly ids: Ids;
  readonly level: GuardLevel;
  readonly watchdog: Watchdog;
  readonly ledger: FileStore<Ledger>;
  readonly ending: Ending;
  readonly spawnAgent: () => AgentChild;
  /** Ends this process; what is called afterwards must have no effect. 0: drained; 75: this host must be reset (S1). */
  readonly exit: (status: number) => void;
  readonly log: (level: 'info' | 'warn' | 'error', text: string) => void;
}

export interface Guard {
  /** Orderly end: everything covered is released, the session closed, then `exit(0)`. */
  drain(): void;
  state(): GuardState;
  /** Its init is gone, and nobody would end what this guard cannot: ends agent and services, then `exit(1)`. */
  endAll(): Promise<void>;
}

/** Resolves when it has cleaned up and the agent is started; never, if something from before will not stop. */
export async function startGuard(ports: GuardLifePorts): Promise<Guard> {
  const { timers, level, watchdog, ending, log } = ports;
  const ledger = await cleanUp(await readLedger(ports), ports);
  const first = firstState({ session: ports.ids.next(), level, ledger });
  await ports.ledger.write(first.ledger);

  const exit = (): void => {
    watchdog.disarm();
    ports.exit(0);
  };
  const shell = createGuardShell(first, {
    ...ports,
    agent: { send: (message) => agent.send(message), end: () => agent.end() },
    exit,
  });
  const agent: AgentProcess = superviseAgent({
    ...ports,
    onMessage: (message) => shell.handle({ type: 'agent', message }),
    onExit: (how) => {
      log('warn', `the agent ended (${how})`);
      shell.handle({ type: 'agent_exited' });
    },
    endAgent: () => ending.endAgent(),
  });
  const beat = (): void => {
    shell.handle({ type: 'tick' });
    timers.after(shell.state().timing?.guardPeriodMs ?? FIRST_PERIOD_MS, beat);
  };
  beat();

  return {
    drain: () => shell.handle({ type: 'drain' }),
    state: () => shell.state(),
    async endAll() {
      agent.close();
      await ending.endAgent();
      await ending.endServices();
      ports.exit(1);
    },
  };
}

/** A ledger that cannot be read could have said anything: everything of this machine is ended, which is done anyway. */
async function readLedger({ ledger, log }: GuardLifePorts): Promise<Ledger> {
  const read = await ledger.read();
  if (read.state === 'read') return read.value;
  if (read.state === 'unreadable') log('warn', `the ledger cannot be read (${read.why}): starting with an empty one`);
  return EMPTY_LEDGER;
}

/** S1: before it registers, a guard makes sure that nothing is left running from before. */
async function cleanUp(ledger: Ledger, ports: GuardLifePorts): Promise<Ledger> {
  const { ending, log } = ports;
  const isAgentGone = await ending.endAgent();
  const areServicesGone = await ending.endServices();
  const ended = await Promise.all(ledger.entries.map((entry) => ending.end(entry, entry.cleanup)));
  if (isAgentGone && areServicesGone && ended.every(Boolean)) return ledger;
  if (ledger.resets >= RESETS_MAX) {
    log('error', `something will not stop after ${RESETS_MAX} resets: staying unregistered, a person is needed`);
    return remindForEver(ports);
  }
  await ports.ledger.write({ ...ledger, resets: ledger.resets + 1 });
  log('error', `something will not stop: resetting this host (${ledger.resets + 1} of ${RESETS_MAX})`);
  ports.exit(EXIT_RESET);
  return new Promise<never>(() => undefined);
}

function remindForEver({ timers, log }: GuardLifePorts): Promise<never> {
  every(timers, REMIND_MS, () => log('error', 'unregistered: something will not stop'));
  return new Promise<never>(() => undefined);
}
