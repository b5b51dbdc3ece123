/** Reports on their way to the registry: the newest of each order is written until it stands, oldest order first. */
import { HaError, messageOf } from '../core/failures/failures.ts';
import type { Registry } from '../core/ports.ts';
import { keys, type Report } from '../core/protocol/records.ts';

const RETRY_MS = 200;
/** More unsent reports than orders can stand for one host: a fault of ours. */
const QUEUE_MAX = 10_000;

export interface Reports {
  put(report: Report): void;
  /** Forgets and removes what was said about orders that no longer stand. */
  keepOnly(orders: ReadonlySet<string>): void;
  /** Resolves when everything said so far is written, or after `limitMs`. */
  flushed(limitMs: number): Promise<boolean>;
}

export function createReports(options: {
  readonly registry: Registry;
  readonly principal: string;
  readonly log: (level: 'warn', text: string) => void;
}): Reports {
  const unsent = new Map<string, Report>();
  const said = new Set<string>();
  let isSending = false;

  const write = async (report: Report): Promise<void> => {
    const key = keys.report(options.principal, report.order);
    const old = await options.registry.get<Report>(key);
    if (old !== undefined && JSON.stringify(old.body) === JSON.stringify(report)) return;
    const outcome = await options.registry.put(key, report, old?.version ?? null);
    if (outcome === 'conflict') throw new HaError('conflict', `report ${report.order} was written by someone else`);
  };

  const sendAll = async (): Promise<void> => {
    if (isSending) return;
    isSending = true;
    let isFlagged = false;
    for (let next = first(unsent); next !== undefined; next = first(unsent)) {
      try {
        await write(next);
        if (unsent.get(next.order) === next) unsent.delete(next.order);
        isFlagged = false;
      } catch (error) {
        if (!isFlagged) options.log('warn', `report ${next.order} waits: ${messageOf(error)}`);
        isFlagged = true;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    isSending = false;
  };

  const remove = async (order: string): Promise<void> => {
    const key = keys.report(options.principal, order);
    const old = await options.registry.get(key);
    if (old !== undefined) await options.registry.remove(key, old.version);
  };

  return {
    put(report) {
      if (unsent.size >= QUEUE_MAX) throw new HaError('limit_exceeded', `more than ${QUEUE_MAX} reports wait`);
      unsent.delete(report.order);
      unsent.set(report.order, report);
      said.add(report.order);
      void sendAll();
    },
    keepOnly(orders) {
      for (const order of [...said].filter((id) => !orders.has(id) && !unsent.has(id))) {
        said.delete(order);
        remove(order).catch(() => undefined); // Tidying only; a leftover report harms nothing.
      }
    },
    async flushed(limitMs) {
      const until = performance.now() + limitMs;
      while (unsent.size > 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
      return unsent.size === 0;
    },
  };
}

function first(unsent: ReadonlyMap<string, Report>): Report | undefined {
  return unsent.values().next().value;
}
