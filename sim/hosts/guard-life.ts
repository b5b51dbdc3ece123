/** One life of the guard on a simulated machine: the real guard in a process of its own. */
import { type Guard, startGuard } from '../../agent/guard/guard.ts';
import { parseLedger } from '../../agent/guard/ledger-file.ts';
import type { Ending } from '../../agent/guard/effects.ts';
import { messageOf } from '../../core/failures/failures.ts';
import type { GuardState } from '../../core/lease/guard-state.ts';
import type { Ledger } from '../../core/lease/ledger.ts';
import type { FileStore, Timers, Watchdog } from '../../core/ports.ts';
import type { GuardLevel } from '../../core/protocol/records.ts';
import type { Belief } from '../contract/truth.ts';
import type { SimProcess } from '../kernel/process.ts';
import { type AgentLife, startAgentLife } from './agent-life.ts';
import { Beliefs } from './beliefs.ts';
import type { BootParts } from './boot-parts.ts';
import { DiskFull } from './disk.ts';
import { simulatedEnding } from './ending.ts';

export interface GuardLife {
  readonly process: SimProcess;
  readonly beliefs: Beliefs;
  /** Agents that are alive: more than one only if an earlier guard left one behind. */
  readonly agents: ReadonlySet<AgentLife>;
  /** null: it is still cleaning up. */
  state(): GuardState | null;
  drain(): void;
  end(status: number | null, how: string): void;
}

export interface GuardOptions {
  readonly level: GuardLevel;
  readonly watchdog: (guard: SimProcess) => Watchdog;
  /** Of every guard of this boot. */
  readonly agents: Set<AgentLife>;
  readonly onBelief: (belief: Belief) => void;
  /** `status` null: a signal ended it. */
  readonly onEnd: (status: number | null, how: string) => void;
  readonly onBug: (error: unknown) => void;
}

export function startGuardLife(parts: BootParts, options: GuardOptions): GuardLife {
  const { timeline } = parts.world.stage;
  const process = parts.newProcess('guard');
  const beliefs = new Beliefs(timeline, parts.clock, options.onBelief);
  const own = new Set<AgentLife>();
  let guard: Guard | null = null;
  let isEnded = false;
  const note = (): void => {
    if (guard !== null && process.isAlive) beliefs.see(guard.state());
  };
  const life: GuardLife = {
    process,
    beliefs,
    agents: options.agents,
    state: () => guard?.state() ?? null,
    drain: () => process.post(() => guard?.drain()),
    end(status, how) {
      if (isEnded) return;
      isEnded = true;
      process.kill();
      parts.tell('guard', 'ended', how);
      for (const agent of [...own]) {
        if (agent.process === process) agent.end(how);
        else agent.disconnect();
      }
      options.onEnd(status, how);
    },
  };
  const crashed = (error: unknown): void => {
    // As `main.ts` of the guard: whatever it cannot begin with ends it, and whoever keeps it begins anew.
    if (!(error instanceof DiskFull)) options.onBug(error);
    life.end(1, messageOf(error));
  };
  parts.tell('guard', 'started', '');
  process.post(() => {
    startGuard(portsOf(parts, options, { life, own, note })).then((started) => {
      guard = started;
      note();
    }, crashed);
  });
  return life;
}

interface Inside {
  readonly life: GuardLife;
  readonly own: Set<AgentLife>;
  readonly note: () => void;
}

function portsOf(parts: BootParts, options: GuardOptions, inside: Inside): Parameters<typeof startGuard>[0] {
  const { clock, draws, disk, kernel, mutant } = parts;
  const { life, note } = inside;
  const { process } = life;
  const noteSoon = (): void => void parts.world.stage.timeline.after(0, note);
  const watchdog = options.watchdog(process);
  const timers: Timers = {
    after: (ms, fire) =>
      process.timers.after(ms, () => {
        fire();
        note();
        mutant.stepped(life.state(), { clock: clock.boot, timers: process.timers, watchdog });
      }),
  };
  const ending = simulatedEnding({
    guard: process,
    table: parts.table,
    random: draws.ending,
    killAgents: () => {
      for (const agent of [...options.agents]) agent.end('SIGKILL');
    },
    agentsAlive: () => options.agents.size,
  });
  return {
    clock: clock.boot,
    timers,
    ids: { next: () => draws.ids.uuid() },
    level: options.level,
    watchdog,
    ledger: notedStore(disk.store('ledger', process, kernel.timers, parseLedger), noteSoon),
    ending: notedEnding(ending, noteSoon),
    spawnAgent: () => spawn(parts, options, inside),
    exit: (status) => life.end(status, `exit ${status}`),
    log: (level, text) => parts.log('guard', `${level}: ${text}`),
  };
}

function spawn(parts: BootParts, { agents }: GuardOptions, { life, own, note }: Inside): AgentLife['child'] {
  const agent = startAgentLife(parts, life.process, (ended) => {
    agents.delete(ended);
    own.delete(ended);
    if (ended.process === life.process) life.end(null, 'its agent ended');
  });
  agents.add(agent);
  own.add(agent);
  const { child } = agent;
  return {
    ...child,
    onMessage: (listener) =>
      child.onMessage((message) => {
        listener(message);
        note();
      }),
  };
}

/** What the guard knows may change when a write or an ending is over. */
function notedStore(store: FileStore<Ledger>, noteSoon: () => void): FileStore<Ledger> {
  return { read: () => store.read(), write: (ledger) => store.write(ledger).finally(noteSoon) };
}

function notedEnding(ending: Ending, noteSoon: () => void): Ending {
  return { ...ending, end: (ref, cleanup) => ending.end(ref, cleanup).finally(noteSoon) };
}
