/** A host on virtual time: guard and agent as they are, over a disk, a store and services in memory. */
import { MemoryClock } from '../../adapters/memory/memory-clock.ts';
import { MemoryStore } from '../../adapters/memory/memory-store.ts';
import { memoryTables, type MemoryTables } from '../../adapters/memory/memory-tables.ts';
import { MemoryWatchdog } from '../../adapters/memory/memory-watchdog.ts';
import { startAgent } from '../../agent/agent.ts';
import type { AgentChild } from '../../agent/guard/agent-process.ts';
import { type Guard, startGuard } from '../../agent/guard/guard.ts';
import type { Lives, Runner } from '../../agent/services/runner.ts';
import type { SlotFile } from '../../agent/services/slot-file.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { FileStore, FileStoreRead, Timers } from '../../core/ports.ts';
import type { Ledger } from '../../core/lease/ledger.ts';
import type { AgentMessage, GuardMessage } from '../../core/protocol/guard-link.ts';
import { type Assignment, type Heartbeat, keys, type Order, type Report } from '../../core/protocol/records.ts';
import { TIMING } from '../core/lease/host-model.ts';

const PRINCIPAL = 'p-h1';
/** A message between guard and agent takes this long. */
const IPC_MS = 1;

/** A process: after its end none of its timers fires. */
class Life {
  isOver = false;
  readonly timers: Timers;

  constructor(clock: MemoryClock) {
    this.timers = { after: (ms, fire) => clock.after(ms, () => (this.isOver ? undefined : fire())) };
  }
}

class Disk<T> implements FileStore<T> {
  content: FileStoreRead<T> = { state: 'absent' };

  async read(): Promise<FileStoreRead<T>> {
    return this.content;
  }

  async write(value: T): Promise<void> {
    this.content = { state: 'read', value };
  }
}

export class WholeHost {
  readonly clock = new MemoryClock();
  readonly tables: MemoryTables = memoryTables();
  readonly control = new MemoryStore(this.tables);
  readonly ledger = new Disk<Ledger>();
  readonly running = new Set<string>();
  /** Everything both said, in order. */
  readonly logged: string[] = [];
  readonly exits: number[] = [];
  /** How many were started. */
  agents = 0;
  isCut = false;
  /** Whether what is to be ended ends. */
  canEnd = true;
  endingMs = 0;
  guard: Guard | null = null;
  readonly #incarnation = new Disk<string>();
  readonly #slots = new Map<string, SlotFile>();
  readonly #life = new Life(this.clock);
  #endAgent: (how: string) => void = () => undefined;
  #ids = 0;

  /** Powers it on. */
  start(): void {
    const end = async (): Promise<boolean> => {
      if (this.endingMs > 0) await this.clock.sleeper.sleep(this.endingMs);
      if (this.canEnd) this.running.clear();
      return this.canEnd;
    };
    void startGuard({
      clock: this.clock.boot,
      timers: this.#life.timers,
      ids: { next: () => `s${++this.#ids}` },
      level: 'init',
      watchdog: new MemoryWatchdog({ clock: this.clock, onFire: () => this.logged.push('the watchdog fires') }),
      ledger: this.ledger,
      ending: {
        terminate: () => undefined,
        end,
        endAgent: async () => {
          this.killAgent('SIGKILL');
          return true;
        },
        endServices: end,
      },
      spawnAgent: () => this.#spawnAgent(),
      exit: (status) => {
        this.exits.push(status);
        this.killAgent('its guard is gone');
        this.#life.isOver = true;
      },
      log: (level, text) => this.#say('guard', level, text),
    }).then((guard) => {
      this.guard = guard;
    });
  }

  killAgent(how: string): void {
    this.#endAgent(how);
  }

  async assign(n: number, orders: readonly Order[]): Promise<void> {
    const registry = this.control.registry();
    const key = keys.assignment(PRINCIPAL);
    const body: Assignment = { n, cluster: 'c', host: 'h1', rev: 1, incarnation: 'i1', timing: TIMING, orders };
    await registry.put(key, body, (await registry.get(key))?.version ?? null);
    await this.control.heartbeats().direct(PRINCIPAL, n);
  }

  heartbeat(): Promise<Heartbeat | undefined> {
    return this.control.heartbeats().read(PRINCIPAL);
  }

  async report(order: string): Promise<Report | undefined> {
    return (await this.control.registry().get<Report>(keys.report(PRINCIPAL, order)))?.body;
  }

  #say(who: string, level: string, text: string): void {
    this.logged.push(`${String(this.clock.boot.now())} ${who} ${level} ${text}`);
  }

  #spawnAgent(): AgentChild {
    const life = new Life(this.clock);
    const toGuard: ((message: AgentMessage) => void)[] = [];
    const toAgent: ((message: GuardMessage) => void)[] = [];
    const onExit: ((how: string) => void)[] = [];
    const faults = (): void => {
      if (this.isCut) throw new HaError('store_unavailable', 'no route');
    };
    const store = new MemoryStore(this.tables, { faults, sleeper: this.clock.sleeper });
    this.agents += 1;
    this.#endAgent = (how) => {
      if (life.isOver) return;
      life.isOver = true;
      this.#life.timers.after(IPC_MS, () => onExit.forEach((listener) => listener(how)));
    };
    startAgent({
      config: { cluster: 'c', host: 'h1', principal: PRINCIPAL, machine: 'm-h1', bootId: 'b', launchTime: 't' },
      clock: this.clock.boot,
      wall: this.clock.wall,
      timers: life.timers,
      random: () => 0.5,
      own: store.ownHeartbeat(PRINCIPAL),
      registry: store.registry(),
      guard: {
        send: (message) => void this.#life.timers.after(IPC_MS, () => toGuard.forEach((listener) => listener(message))),
        onMessage: (listener) => void toAgent.push(listener),
        onDisconnect: () => undefined,
      },
      incarnation: this.#incarnation,
      files: {
        write: (slot) => void this.#slots.set(`${slot.memory.order.group}/${slot.memory.order.slot}`, slot),
        readAll: () => [...this.#slots.values()],
      },
      runners: (lives) => () => this.#runner(lives),
      hostEnv: { cluster: 'c', host: 'h1', env: {} },
      exit: () => this.killAgent('exit 1'),
      log: (level, text) => this.#say('agent', level, text),
    });
    return {
      send: (message) => void life.timers.after(IPC_MS, () => toAgent.forEach((listener) => listener(message))),
      onMessage: (listener) => void toGuard.push(listener),
      onExit: (listener) => void onExit.push(listener),
      kill: () => this.#endAgent('SIGKILL'),
    };
  }

  #runner(lives: Lives): Runner {
    const done = { result: 'success', detail: '' } as const;
    const end = async (name: string): Promise<typeof done> => {
      this.running.delete(name);
      return done;
    };
    return {
      start: async (unit) => {
        lives.set(unit, { epoch: unit.epoch });
        this.running.add(unit.service.name);
        return done;
      },
      stop: (unit) => end(unit.service.name),
      kill: (unit) => end(unit.service.name),
      monitor: async (unit) =>
        this.running.has(unit.service.name)
          ? { result: 'running', epoch: lives.get(unit)?.epoch, detail: '' }
          : { result: 'stopped', detail: '' },
      watch: () => () => undefined,
      cleanup: () => undefined,
    };
  }
}
