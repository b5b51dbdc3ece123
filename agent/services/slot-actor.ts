/**
 * One slot at work: a queue of events into `slotStep`, and its effects performed outside of the queue.
 *
 * An event is never lost and never handled inside another; what must survive a crash of the agent is on disk before the
 * effects of a step are performed.
 */
import { messageOf } from '../../core/failures/failures.ts';
import { isCovered, type ServiceDefinition } from '../../core/config/model.ts';
import { unreachable } from '../../core/failures/invariant.ts';
import type { Timers } from '../../core/ports.ts';
import type { CleanupCommand, LeaveRequest } from '../../core/protocol/guard-link.ts';
import type { Order, SlotReport } from '../../core/protocol/records.ts';
import { startOrder } from '../../core/supervision/dependencies.ts';
import { isQuiet } from '../../core/supervision/engine.ts';
import { rememberedOf, restoredSlot, type SlotMemory } from '../../core/supervision/memory.ts';
import { slotReport } from '../../core/supervision/report.ts';
import { slotStep } from '../../core/supervision/slot.ts';
import { EMPTY_SLOT, type Effect, type SlotEvent, type SlotState } from '../../core/supervision/state.ts';
import { elapsed } from '../../core/time/time.ts';
import type { Life, Runner, RunnerFor } from './runner.ts';
import type { SlotFile, SlotFiles } from './slot-file.ts';
import type { SupervisorPorts } from './ports.ts';
import { type HostEnv, unitOf } from './unit.ts';

export interface SlotActorOptions {
  readonly ports: SupervisorPorts;
  readonly timers: Timers;
  readonly hostEnv: HostEnv;
  readonly files: SlotFiles;
  readonly runnerFor: RunnerFor;
}

export class SlotActor {
  private state: SlotState;
  private readonly options: SlotActorOptions;
  private readonly queue: SlotEvent[] = [];
  private isStepping = false;
  private cancelWake: (() => void) | undefined;
  private readonly watches = new Map<string, () => void>();
  private readonly lives: Map<string, Life>;
  private written = '';
  /** What `written` remembers, as long as no life has changed since. */
  private saved: SlotMemory | undefined;
  private waiting: { readonly until: (state: SlotState) => boolean; readonly resolve: () => void }[] = [];

  constructor(options: SlotActorOptions, restored?: SlotFile) {
    this.options = options;
    this.state = restored === undefined ? EMPTY_SLOT : restoredSlot(restored.memory);
    this.lives = new Map(Object.entries(restored?.lives ?? {}));
  }

  post(event: SlotEvent): void {
    this.queue.push(event);
    if (this.isStepping) return;
    this.isStepping = true;
    try {
      for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) this.step(next);
    } finally {
      this.isStepping = false;
    }
  }

  report(): SlotReport | undefined {
    return slotReport(this.state);
  }

  isCovered(): boolean {
    return this.state.order !== null && isCovered(this.state.order.spec);
  }

  /** Something may run, or an epoch has not been given up yet. */
  isHeld(): boolean {
    const { want } = this.state;
    return want !== 'idle' && want !== 'standby' && !(want === 'release' && this.state.release.done);
  }

  /** Remembered from an earlier life, and proven stopped since: if no order names it any more, it is over. */
  isOver(): boolean {
    const { want, services } = this.state;
    return want === 'watch' && Object.values(services).every(({ phase }) => phase === 'disabled');
  }

  lifeOf(service: string): Life | undefined {
    return this.lives.get(service);
  }

  setLife(service: string, life: Life | undefined): void {
    if (life === undefined) this.lives.delete(service);
    else this.lives.set(service, life);
    this.saved = undefined;
    this.save();
  }

  /** Every stop under way has ended, well or badly. */
  quiet(): Promise<void> {
    return this.when(isQuiet);
  }

  released(): Promise<void> {
    return this.when((state) => state.want === 'release' && (state.release.done || state.reported === 'failed'));
  }

  private when(until: (state: SlotState) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push({ until, resolve });
      this.settleWaiting();
    });
  }

  private settleWaiting(): void {
    const done = this.waiting.filter(({ until }) => until(this.state));
    this.waiting = this.waiting.filter((one) => !done.includes(one));
    for (const { resolve } of done) resolve();
  }

  private step(event: SlotEvent): void {
    const { state, effects } = slotStep(this.state, event, this.options.ports.now());
    this.state = state;
    this.cancelWake?.();
    this.save();
    for (const effect of effects) this.perform(effect, state.order);
    this.settleWaiting();
  }

  private save(): void {
    const memory = rememberedOf(this.state);
    if (memory === undefined) return;
    // Most steps change nothing of it: that is seen without the whole of it being written out.
    if (this.saved !== undefined && isSame(this.saved, memory)) return;
    const file: SlotFile = { memory, lives: Object.fromEntries(this.lives) };
    const text = JSON.stringify(file);
    try {
      if (text !== this.written) this.options.files.write(file);
      this.written = text;
      this.saved = memory;
    } catch (error) {
      // Without the file a restarted agent restarts the services instead of adopting them; that is no reason to stop them now.
      this.options.ports.log('error', `slot file not written: ${messageOf(error)}`);
    }
  }

  private perform(effect: Effect, order: Order | null): void {
    if (effect.do === 'report') {
      const { order: answered, outcome, detail } = effect;
      this.options.ports.log(
        outcome === 'failed' ? 'warn' : 'info',
        `${answered.group}/${answered.slot} e${answered.epoch}: ${outcome}`,
        { detail },
      );
      return this.options.ports.report({ order: answered, outcome, detail });
    }
    if (effect.do === 'wake') {
      const ms = Math.max(1, Math.ceil(elapsed(this.options.ports.now(), effect.at)));
      this.cancelWake = this.options.timers.after(ms, () => this.post({ type: 'tick' }));
      return;
    }
    if (order === null) return;
    switch (effect.do) {
      case 'ask_leave':
        return void this.askLeave(effect.run, order);
      case 'release':
        return void this.release(effect.run, order, effect.epoch);
      case 'run_action':
      case 'kill':
      case 'watch': {
        const service = order.spec.services.find(({ name }) => name === effect.service);
        if (service !== undefined) this.performOn(effect, order, service);
        return;
      }
      default:
        return unreachable(effect);
    }
  }

  private performOn(effect: Extract<Effect, { service: string }>, order: Order, service: ServiceDefinition): void {
    const runner = this.options.runnerFor(service.agent);
    if (typeof runner === 'string') return; // Such orders are refused before they come here.
    const unit = unitOf(this.options.hostEnv, order, service);
    const { run } = effect;
    const { name } = service;
    if (effect.do === 'watch') {
      this.unwatch(name);
      this.watches.set(
        name,
        runner.watch(unit, (code) => this.post({ type: 'process_died', service: name, run, code })),
      );
      return;
    }
    if (effect.do === 'run_action' && effect.action === 'monitor') {
      void settled(runner.monitor(unit, effect.timeoutMs, effect.probe), (why) => ({
        result: 'failed' as const,
        detail: why,
      })).then((outcome) => this.post({ type: 'monitor', service: name, run, ...outcome }));
      return;
    }
    this.unwatch(name); // Its end is what is wanted now, or it has only just begun.
    const action = effect.do === 'kill' ? 'kill' : effect.action === 'start' ? 'start' : 'stop';
    const done = act(runner, unit, action, effect.do === 'kill' ? 0 : effect.timeoutMs);
    void settled(done, (why) => ({ result: 'failed' as const, detail: why })).then((outcome) =>
      this.post({ type: 'action_done', service: name, action, run, ...outcome }),
    );
  }

  private unwatch(service: string): void {
    this.watches.get(service)?.();
    this.watches.delete(service);
  }

  private async askLeave(run: number, order: Order): Promise<void> {
    const { group, slot, epoch, session } = order;
    const request: LeaveRequest = {
      group,
      slot,
      epoch,
      session,
      covered: isCovered(order.spec),
      cleanup: this.cleanup(order),
    };
    const answer = await settled(this.options.ports.leave(request), (why) => ({ granted: false, why }));
    this.post({ type: 'leave', run, ...answer });
  }

  /** In the order of start; the guard runs them backwards. */
  private cleanup(order: Order): readonly CleanupCommand[] {
    return (startOrder(order.spec) ?? []).flatMap((service) => {
      const runner = this.options.runnerFor(service.agent);
      const command =
        typeof runner === 'string' ? undefined : runner.cleanup(unitOf(this.options.hostEnv, order, service));
      return command === undefined ? [] : [command];
    });
  }

  private async release(run: number, order: Order, epoch: number): Promise<void> {
    const asked = this.options.ports.release({ group: order.group, slot: order.slot, epoch });
    this.post({ type: 'release_done', run, proven: await settled(asked, () => false) });
  }
}

function isSame(one: SlotMemory, other: SlotMemory): boolean {
  return (
    one.order === other.order &&
    one.standing === other.standing &&
    one.why === other.why &&
    one.releasedEpoch === other.releasedEpoch
  );
}

function act(runner: Runner, unit: ReturnType<typeof unitOf>, action: 'start' | 'stop' | 'kill', timeoutMs: number) {
  switch (action) {
    case 'start':
      return runner.start(unit, timeoutMs);
    case 'stop':
      return runner.stop(unit, timeoutMs);
    case 'kill':
      return runner.kill(unit);
  }
}

/** A fault of the world becomes the answer that promises least. */
async function settled<T>(promise: Promise<T>, otherwise: (why: string) => T): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    return otherwise(messageOf(error));
  }
}
