/** Reports on their way to the registry: the newest of each order is written until it stands, oldest order first. */
import { HaError, messageOf } from '../core/failures/failures.ts';
import type { Registry, Timers } from '../core/ports.ts';
import { type Key, keys, type Report } from '../core/protocol/records.ts';
import { sleep } from './timers.ts';

const RETRY_MS = 200;
const FLUSH_POLL_MS = 20;
/** More unsent reports than orders can stand for one host: a fault of ours. */
const QUEUE_MAX = 10_000;

export interface Reports {
  put(report: Report): void;
  /** Forgets and removes what was said about orders that no longer stand. */
  keepOnly(orders: ReadonlySet<string>): void;
  /** Resolves when everything said so far is written, or after `limitMs`. */
  flushed(limitMs: number): Promise<boolean>;
}

type ReportRegistry = Pick<Registry, 'get' | 'put' | 'remove'>;

export function createReports(options: {
  readonly registry: ReportRegistry;
  readonly timers: Timers;
  readonly principal: string;
  readonly log: (level: 'warn', text: string) => void;
}): Reports {
  const { registry, timers } = options;
  /** null: the report is to be removed. In one queue, so that a removal never overtakes what is said anew. */
  const unsent = new Map<string, Report | null>();
  const said = new Set<string>();
  let isSending = false;

  const sendAll = async (): Promise<void> => {
    if (isSending) return;
    isSending = true;
    let isFlagged = false;
    for (let next = first(unsent); next !== undefined; next = first(unsent)) {
      const [order, report] = next;
      try {
        await write(registry, keys.report(options.principal, order), report);
        if (unsent.get(order) === report) unsent.delete(order);
        isFlagged = false;
      } catch (error) {
        // Removing only tidies: a leftover report harms nothing, and must not hold up what is to be said.
        if (report === null && unsent.get(order) === null) unsent.delete(order);
        if (report === null) continue;
        if (!isFlagged) options.log('warn', `report ${order} waits: ${messageOf(error)}`);
        isFlagged = true;
        await sleep(timers, RETRY_MS);
      }
    }
    isSending = false;
  };

  return {
    put(report) {
      if (unsent.size >= QUEUE_MAX) throw new HaError('limit_exceeded', `more than ${QUEUE_MAX} reports wait`);
      unsent.delete(report.order);
      unsent.set(report.order, report);
      if (report.order !== closeOrder(report.session)) said.add(report.order); // A close outlives every order.
      void sendAll();
    },
    keepOnly(orders) {
      for (const order of [...said].filter((id) => !orders.has(id) && !unsent.has(id))) {
        said.delete(order);
        unsent.set(order, null);
      }
      void sendAll();
    },
    async flushed(limitMs) {
      let isOver = false;
      const cancel = timers.after(limitMs, () => {
        isOver = true;
      });
      while (unsent.size > 0 && !isOver) await sleep(timers, FLUSH_POLL_MS);
      cancel();
      return unsent.size === 0;
    },
  };
}

/** null: removes it. */
async function write(registry: ReportRegistry, key: Key, report: Report | null): Promise<void> {
  const old = await registry.get<Report>(key);
  if (report === null) {
    if (old !== undefined) await registry.remove(key, old.version);
    return;
  }
  if (old !== undefined && JSON.stringify(old.body) === JSON.stringify(report)) return;
  const outcome = await registry.put(key, report, old?.version ?? null);
  if (outcome === 'conflict') throw new HaError('conflict', `report ${report.order} was written by someone else`);
}

/** What a session's own end is reported under (S7, `closed`). */
export function closeOrder(session: string): string {
  return `closed.${session}`;
}

function first(unsent: ReadonlyMap<string, Report | null>): [string, Report | null] | undefined {
  return unsent.entries().next().value;
}
