/** Supervision of all slots of this host: orders in, reports out. Decisions are in `core/supervision`. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { unreachable } from '../../core/failures/invariant.ts';
import type { CleanupCommand } from '../../core/protocol/guard-link.ts';
import type { Order, SlotReport } from '../../core/protocol/records.ts';
import type { SupervisorPorts } from './ports.ts';
import { createRunners, refusalOf } from './runners.ts';
import type { Lives } from './runner.ts';
import { createServiceLogs } from './service-log.ts';
import { SlotActor, type SlotActorOptions } from './slot-actor.ts';
import { createSlotFiles, type SlotFile } from './slot-file.ts';
import type { HostEnv } from './unit.ts';

export type { CleanupCommand, SupervisorPorts };

export interface Supervisors {
  /** Idempotent: an order may come again at any time, and is answered again. */
  obey(order: Order): void;
  /** Clean stop of every covered slot (the lease runs out); resolves when all stop actions have ended or failed. */
  stopCovered(reason: string): Promise<void>;
  /** The lease stands again: what `stopCovered` stopped asks leave and starts again, in the same epoch. */
  resume(): void;
  /** For the heartbeat. */
  reports(): readonly SlotReport[];
  /** Leaves slots out of the reports that run nothing and that none of these orders names. */
  keepOnly(orders: readonly Order[]): void;
  /** Releases everything, or as much as it can within the limit. */
  drain(limitMs: number): Promise<void>;
}

export interface SupervisorsOptions {
  readonly ports: SupervisorPorts;
  readonly hostEnv: HostEnv;
  readonly stateDir: string;
  readonly resolveCommand: (argv: readonly string[]) => readonly string[];
  readonly ocfRoot?: string | undefined;
}

/** Remembered slots are probed and watched at once; nothing is started before its order comes again. */
export function createSupervisors(options: SupervisorsOptions): Supervisors {
  const { ports } = options;
  const actors = new Map<string, SlotActor>();
  let named: ReadonlySet<string> | undefined;
  const lives: Lives = {
    get: (unit) => actors.get(keyOf(unit))?.lifeOf(unit.service.name),
    set: (unit, life) => actors.get(keyOf(unit))?.setLife(unit.service.name, life),
  };
  const runnerFor = createRunners({
    lives,
    logs: createServiceLogs(join(options.stateDir, 'service-logs')),
    ocfRoot: options.ocfRoot ?? '/usr/lib/ocf',
    resolveCommand: options.resolveCommand,
  });
  const files = createSlotFiles(join(options.stateDir, 'slots'));
  const actorOptions: SlotActorOptions = { ports, hostEnv: options.hostEnv, files, runnerFor };

  const actorFor = (ref: { group: string; slot: number }, restored?: SlotFile): SlotActor => {
    const found = actors.get(keyOf(ref));
    if (found !== undefined) return found;
    const actor = new SlotActor(actorOptions, restored);
    actors.set(keyOf(ref), actor);
    return actor;
  };

  const unreadable = (file: string, why: string): void =>
    ports.log('error', `slot file ${file} cannot be read: ${why}`);
  for (const slot of files.readAll(unreadable)) actorFor(slot.memory.order, slot).post({ type: 'tick' });

  return {
    obey(order) {
      const refusal = refusalOf(runnerFor, order.spec);
      if (refusal !== undefined) return ports.report({ order, outcome: 'failed', detail: refusal });
      obeyWith(actorFor(order), order);
    },
    async stopCovered(reason) {
      ports.log('warn', `stopping what is covered: ${reason}`);
      const covered = [...actors.values()].filter((actor) => actor.isCovered());
      for (const actor of covered) actor.post({ type: 'stop', reason: 'lease' });
      await Promise.all(covered.map((actor) => actor.quiet()));
    },
    resume() {
      for (const actor of actors.values()) actor.post({ type: 'resume' });
    },
    reports: () =>
      [...actors].flatMap(([key, actor]) => {
        const report = actor.report();
        const isOver = named?.has(key) === false && (!actor.isHeld() || actor.isOver());
        return report === undefined || isOver ? [] : [report];
      }),
    keepOnly(orders) {
      named = new Set(orders.map(keyOf));
    },
    async drain(limitMs) {
      const held = [...actors.values()].filter((actor) => actor.isHeld());
      for (const actor of held) actor.post({ type: 'stop', reason: 'release' });
      const limit = new AbortController();
      const allReleased = Promise.all(held.map((actor) => actor.released()));
      await Promise.race([allReleased, delay(limitMs, undefined, { signal: limit.signal })]);
      limit.abort();
    },
  };
}

function obeyWith(actor: SlotActor, order: Order): void {
  switch (order.verb) {
    case 'start':
      return actor.post({ type: 'start', order });
    case 'release':
      return actor.post({ type: 'stop', reason: 'release', order });
    case 'standby':
      return actor.post({ type: 'standby', order });
    default:
      return unreachable(order.verb);
  }
}

function keyOf(ref: { readonly group: string; readonly slot: number }): string {
  return `${ref.group}/${ref.slot}`;
}
