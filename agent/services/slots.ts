/** Supervision of all slots of this host: orders in, reports out. Decisions are in `core/supervision`. */
import { unreachable } from '../../core/failures/invariant.ts';
import type { Timers } from '../../core/ports.ts';
import type { CleanupCommand } from '../../core/protocol/guard-link.ts';
import type { Order, SlotReport } from '../../core/protocol/records.ts';
import type { SupervisorPorts } from './ports.ts';
import { type Lives, refusalOf, type RunnerFor } from './runner.ts';
import { SlotActor, type SlotActorOptions } from './slot-actor.ts';
import type { SlotFile, SlotFiles } from './slot-file.ts';
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
  readonly timers: Timers;
  readonly hostEnv: HostEnv;
  readonly files: SlotFiles;
  /** Made once. What is known of running processes is kept by the slots, through `lives`, so that it is on disk with them. */
  readonly runners: (lives: Lives) => RunnerFor;
}

/** Remembered slots are probed and watched at once; nothing is started before its order comes again. */
export function createSupervisors(options: SupervisorsOptions): Supervisors {
  const { ports, timers, hostEnv, files } = options;
  const actors = new Map<string, SlotActor>();
  let named: ReadonlySet<string> | undefined;
  const lives: Lives = {
    get: (unit) => actors.get(keyOf(unit))?.lifeOf(unit.service.name),
    set: (unit, life) => actors.get(keyOf(unit))?.setLife(unit.service.name, life),
  };
  const runnerFor = options.runners(lives);
  const actorOptions: SlotActorOptions = { ports, timers, hostEnv, files, runnerFor };

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
      const allReleased = Promise.all(held.map((actor) => actor.released()));
      await new Promise<void>((resolve) => {
        const cancel = timers.after(limitMs, resolve);
        void allReleased.then(() => {
          cancel();
          resolve();
        });
      });
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
