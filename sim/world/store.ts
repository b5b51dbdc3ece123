/**
 * The two tables as hosts and functions reach them: the twins of `adapters/memory`, each request on its own way (`way.ts`).
 *
 * Limits are those of `adapters/aws`: a host sends each request once; functions repeat theirs (CONTROL_LIMITS there).
 */
import { memoryHeartbeats, memoryOwnHeartbeat } from '../../adapters/memory/memory-heartbeats.ts';
import { memoryRegistry } from '../../adapters/memory/memory-registry.ts';
import { MemoryAccess, memoryTables } from '../../adapters/memory/memory-tables.ts';
import type { MemoryHooks, MemoryRequest, MemoryTables } from '../../adapters/memory/memory-tables.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { Millis } from '../../core/time/time.ts';
import type { Link, SimStore } from '../contract/parts.ts';
import type { Stage } from '../contract/stage.ts';
import type { HeartbeatTruth } from '../contract/truth.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';
import { type RetryLimits, withRetries } from './attempts.ts';
import { TableView } from './table-view.ts';
import { beatOf, tellWrite } from './told-writes.ts';
import { type Conditions, type Sender, sender, Way } from './way.ts';

/** Of a host's requests but renewals, which bring their own cap. */
const HOST_CALL_MS: Millis = 2_000;
/** One attempt of a function. */
const CONTROL_CALL_MS: Millis = 2_000;
const CONTROL: RetryLimits = {
  attempts: 3,
  budgetMs: 5_000,
  pauseMs: 100,
  again: ['store_unavailable', 'store_throttled', 'timed_out'],
  spent: 'timed_out',
};
/** Versions that a stale scan is behind, with weights: mostly the one before. */
const BEHIND = [
  [1, 6],
  [2, 3],
  [4, 2],
  [16, 1],
] as const;

const READS: ReadonlySet<string> = new Set([
  ...['own.read', 'heartbeats.scan', 'heartbeats.read', 'registry.get', 'registry.query'],
]);

export function createStore(stage: Stage): SimStore {
  return new TablesInTheWorld(stage);
}

class TablesInTheWorld implements SimStore {
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #tables: MemoryTables = memoryTables();
  readonly #view: TableView;
  readonly #conditions: Conditions = { noise: {}, weather: 'up', writeLifeMs: 100 };
  readonly #way: Way;
  readonly #hosts = new Map<string, Sender>();
  readonly #control = sender('control');
  #hasHeartbeats = true;
  /** Numbers of writes, to tell whose write stands in a registry record. */
  #writes = 0;
  readonly #writers = new Map<string, number>();

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#random = stage.random.fork('store');
    this.#view = new TableView(this.#tables);
    this.#way = new Way(stage, stage.random.fork('network'), this.#conditions);
  }

  forHost: SimStore['forHost'] = (process, host, principal, machine) => {
    const access = this.#hostAccess(process, host, machine);
    return { own: memoryOwnHeartbeat(access, principal), registry: memoryRegistry(access) };
  };

  ownMutated: NonNullable<SimStore['ownMutated']> = (process, host, principal, machine, make) =>
    make(this.#hostAccess(process, host, machine), principal);

  forControl: SimStore['forControl'] = (process) => {
    const access = new MemoryAccess(this.#tables, {
      onWritten: (write) => tellWrite(this.#stage, write),
      staleBy: (principal, kept) => this.#staleBy(principal, kept),
      carry: (request) => this.#controlCall(process, request),
    });
    return { heartbeats: memoryHeartbeats(access), registry: memoryRegistry(access) };
  };

  records<T>(pk: string, prefix: string): readonly T[] {
    return this.#view.records<T>(pk, prefix);
  }

  record<T>(pk: string, sk: string): T | undefined {
    return this.#view.record<T>(pk, sk);
  }

  heartbeats(): readonly HeartbeatTruth[] {
    return this.#view.heartbeats();
  }

  setNoise: SimStore['setNoise'] = (noise) => void (this.#conditions.noise = noise);

  setWriteLife: SimStore['setWriteLife'] = (ms) => void (this.#conditions.writeLifeMs = ms);

  setLink(host: string, link: Link): void {
    this.#senderOf(host).link = link;
  }

  setControlLink(link: Link): void {
    this.#control.link = link;
  }

  setStore: SimStore['setStore'] = (state) => void (this.#conditions.weather = state);

  setHeartbeatsTable(isThere: boolean): void {
    this.#hasHeartbeats = isThere;
  }

  deleteHeartbeat(principal: string): void {
    new MemoryAccess(this.#tables, {}).unplant(principal);
  }

  snapshotRegistry(): () => void {
    const kept = [...this.#tables.registry].map(([pk, records]) => [pk, new Map(records)] as const);
    return () => {
      this.#tables.registry.clear();
      this.#writers.clear();
      for (const [pk, records] of kept) this.#tables.registry.set(pk, new Map(records));
    };
  }

  #senderOf(host: string): Sender {
    const known = this.#hosts.get(host);
    if (known !== undefined) return known;
    const made = sender(host);
    this.#hosts.set(host, made);
    return made;
  }

  #hostAccess(process: SimProcess, host: string, machine: string): MemoryAccess {
    let wrote = false;
    const from = this.#senderOf(host);
    const hooks: MemoryHooks = {
      onWritten: (write) => {
        wrote = true;
        if (write.table === 'registry') tellWrite(this.#stage, write);
      },
      carry: (request) =>
        process.call(() =>
          this.#attempt(process, from, request, request.capMs ?? HOST_CALL_MS, () => {
            wrote = false;
            const answer = request.commit();
            const beat = wrote ? beatOf(answer) : null;
            if (beat !== null) this.#stage.tell({ type: 'beat', host, machine, ...beat });
            return answer;
          }),
        ),
    };
    return new MemoryAccess(this.#tables, hooks);
  }

  #attempt<T>(
    process: SimProcess,
    from: Sender,
    { op, subject }: MemoryRequest<T>,
    capMs: Millis,
    commit: () => T,
  ): Promise<T> {
    const isOfHeartbeats = !op.startsWith('registry.');
    return this.#way.attempt({
      process,
      sender: from,
      says: subject === '' ? op : `${op} ${subject}`,
      isWrite: !READS.has(op),
      capMs,
      arrive: () => {
        if (!isOfHeartbeats || this.#hasHeartbeats) return commit();
        throw new HaError('store_unavailable', `${op}: ResourceNotFoundException: the heartbeats table is gone`);
      },
    });
  }

  #controlCall<T>(process: SimProcess, request: MemoryRequest<T>): Promise<T> {
    const { op, subject } = request;
    const own = new Set<number>();
    const once = (commit: () => T): Promise<T> =>
      process.call(() => this.#attempt(process, this.#control, request, CONTROL_CALL_MS, commit));
    const send = async (attempt: number): Promise<T> => {
      if (op !== 'registry.put' && op !== 'registry.remove') return once(request.commit);
      const answer = await once(() => this.#numbered(request, own));
      if (attempt === 1 || answer !== 'conflict') return answer;
      return await this.#afterConflict(process, request, own, answer);
    };
    return withRetries({ process, random: this.#random, says: `${op} ${subject}` }, CONTROL, send);
  }

  #numbered<T>({ subject, commit }: MemoryRequest<T>, own: Set<number>): T {
    const answer = commit();
    if (answer !== 'written') return answer;
    this.#writes += 1;
    own.add(this.#writes);
    this.#writers.set(subject, this.#writes);
    return answer;
  }

  /** The first sending may have been taken, and refused the second: the adapter reads whose write stands. */
  async #afterConflict<T>(process: SimProcess, request: MemoryRequest<T>, own: Set<number>, answer: T): Promise<T> {
    const { op, subject } = request;
    const unknowable = new HaError(
      'store_unavailable',
      `${op} ${subject}: an answer was lost, what stands says nothing`,
    );
    if (op === 'registry.remove') throw unknowable;
    const read = { ...request, op: 'registry.get' as const, commit: () => this.#writers.get(subject) };
    const standing = await process.call(() =>
      this.#attempt(process, this.#control, read, CONTROL_CALL_MS, read.commit),
    );
    if (standing === undefined || !own.has(standing)) return this.#notMine(own, answer, unknowable);
    // By the rule of `memoryRegistry`, which knows this answer to a write that it took.
    return 'written' as T;
  }

  #notMine<T>(own: Set<number>, answer: T, unknowable: HaError): T {
    if (own.size === 0) return answer;
    throw unknowable;
  }

  #staleBy(principal: string, kept: number): number {
    const part = this.#conditions.noise.stale_scan ?? 0;
    if (part === 0 || !this.#random.chance(part)) return 0;
    const behind = Math.min(kept, this.#random.weighted(BEHIND));
    if (behind === 0) return 0;
    const says = `${principal}, ${behind} behind`;
    this.#stage.tell({ type: 'fault', kind: 'stale_scan', subject: 'control', now: 'begins', says });
    return behind;
  }
}
