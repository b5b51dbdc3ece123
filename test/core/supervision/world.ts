/** A world in which actions fail, lie and come late, with its own record of what really runs. */
import type { Order } from '../../../core/protocol/records.ts';
import { isQuiet } from '../../../core/supervision/engine.ts';
import { slotStep } from '../../../core/supervision/slot.ts';
import { EMPTY_SLOT, type Effect, type SlotEvent, type SlotState } from '../../../core/supervision/state.ts';
import { instant } from '../../../core/time/time.ts';

type Pending = Exclude<Effect, { do: 'report' | 'wake' | 'watch' }>;

export interface Start {
  readonly service: string;
  readonly at: number;
  readonly epoch: number;
  /** Services that the slot said to be active at that moment. */
  readonly active: readonly string[];
  /** The event in whose step it was started. */
  readonly by: SlotEvent;
  /** The question that was answered had been asked after the last stop. */
  readonly isFresh: boolean;
  readonly isRestart: boolean;
}

export class World {
  state: SlotState = EMPTY_SLOT;
  now = 0;
  readonly running = new Map<string, number>();
  readonly pending: Pending[] = [];
  readonly starts: Start[] = [];
  /** What was running at the moment of each `released` report, and the epoch it gave up. */
  readonly releases: { readonly epoch: number; readonly running: readonly string[] }[] = [];
  /** What was running at the moment of each `standing-by` report. */
  readonly standbys: (readonly string[])[] = [];
  /** Per step, a wake that was not later than the moment at which it was asked for. */
  hotWakes = 0;
  private readonly asked = new Set<number>();
  private readonly crashed = new Set<string>();

  send(event: SlotEvent): void {
    if (event.type === 'stop') this.asked.clear();
    const before = this.state;
    const step = slotStep(this.state, event, instant(this.now));
    this.state = step.state;
    for (const effect of step.effects) this.note(effect, event, before);
  }

  private note(effect: Effect, by: SlotEvent, before: SlotState): void {
    if (effect.do === 'report') {
      if (effect.outcome === 'released')
        this.releases.push({ epoch: effect.order.epoch, running: [...this.running.keys()] });
      if (effect.outcome === 'standing-by') this.standbys.push([...this.running.keys()]);
    } else if (effect.do === 'wake') {
      if (by.type === 'tick' && effect.at <= this.now) this.hotWakes += 1;
    } else if (effect.do !== 'watch') {
      this.pending.push(effect);
      if (effect.do === 'ask_leave') this.asked.add(effect.run);
      if (effect.do === 'run_action' && effect.action === 'start') this.noteStart(effect.service, by, before);
    }
  }

  private noteStart(service: string, by: SlotEvent, before: SlotState): void {
    this.starts.push({
      service,
      at: this.now,
      epoch: this.state.order?.epoch ?? 0,
      active: Object.keys(before.services).filter((name) => before.services[name]?.phase === 'enabled-active'),
      by,
      isFresh: by.type === 'leave' && by.granted && this.asked.has(by.run),
      isRestart: this.crashed.delete(service),
    });
  }

  /** Ends the `pick`-th thing under way; `luck` below 6 is good, above it something goes wrong. Probes tell the truth or nothing. */
  settle(pick: number, luck: number): void {
    const [effect] = this.pending.splice(pick % Math.max(1, this.pending.length), 1);
    if (effect === undefined) return;
    const isGood = luck < 6;
    switch (effect.do) {
      case 'ask_leave':
        return this.send({ type: 'leave', run: effect.run, granted: isGood, why: 'w' });
      case 'release':
        // The guard kills what is left and tells the truth.
        if (isGood) this.running.clear();
        return this.send({ type: 'release_done', run: effect.run, proven: isGood });
      case 'kill':
        if (isGood) this.running.delete(effect.service);
        return this.done(effect.service, 'kill', effect.run, isGood);
      case 'run_action':
        return effect.action === 'monitor' ? this.monitor(effect.service, effect.run, isGood) : this.act(effect, luck);
    }
  }

  /** What `settle(pick, …)` would end is a question for leave. */
  isLeaveNext(pick: number): boolean {
    return this.pending[pick % Math.max(1, this.pending.length)]?.do === 'ask_leave';
  }

  private act(effect: Extract<Effect, { do: 'run_action' }>, luck: number): void {
    const { service, run } = effect;
    // A superseded action is ended by its performer and changes the world no more.
    const isCurrent = this.state.services[service]?.run === run && this.state.services[service].doing === effect.action;
    if (effect.action === 'start') {
      if (isCurrent && luck < 8) this.running.set(service, this.state.order?.epoch ?? 0); // A failed start may leave it running.
      return this.done(service, 'start', run, luck < 6);
    }
    if (isCurrent && luck < 5) this.running.delete(service); // A stop may claim a success that is none.
    this.done(service, 'stop', run, luck < 7);
  }

  private done(service: string, action: 'start' | 'stop' | 'kill', run: number, isGood: boolean): void {
    this.send({ type: 'action_done', service, action, run, result: isGood ? 'success' : 'timed_out', detail: '' });
  }

  private monitor(service: string, run: number, isClear: boolean): void {
    const epoch = this.running.get(service);
    const isActive =
      this.state.services[service]?.phase === 'enabled-active' && this.state.services[service].run === run;
    const result = !isClear ? 'timed_out' : epoch === undefined ? 'stopped' : 'running';
    if (isActive && result === 'stopped') this.crashed.add(service);
    this.send({ type: 'monitor', service, run, result, epoch, detail: '' });
  }

  crash(name: string): void {
    const record = this.state.services[name];
    if (record === undefined || record.phase !== 'enabled-active') return;
    this.running.delete(name);
    this.crashed.add(name);
    this.send({ type: 'process_died', service: name, run: record.life, code: 1 });
  }

  pass(ms: number): void {
    this.now += ms;
    this.send({ type: 'tick' });
  }

  /** Everything goes well from now on, and the order comes again now and then; true once it has been answered as it should. */
  healed(order: Order): boolean {
    const [type, outcome] =
      order.verb === 'standby' ? (['standby', 'standing-by'] as const) : (['start', 'started'] as const);
    const isDone = (): boolean => this.state.reported === outcome && this.state.order?.id === order.id;
    for (let round = 0; round < 200 && !isDone(); round += 1) {
      if (round % 50 === 0) this.send({ type, order });
      if (this.pending.length > 0) this.settle(0, 0);
      else this.pass(1_000);
    }
    return isDone();
  }

  isQuiet(): boolean {
    return isQuiet(this.state);
  }
}
