/**
 * One host as a model: the guard's step function among processes, an agent that may be slow, frozen or dead, a disk that
 * may hang or fail, a watchdog, and a store that says which session stands in truth. Whatever happens to them, the rules
 * must hold: the model throws a `Violation` when one does not.
 */
import type { Timing } from '../../../core/config/model.ts';
import { guardStep, nextSession } from '../../../core/lease/guard.ts';
import { firstState, type GuardEffect, type GuardEvent, type GuardState } from '../../../core/lease/guard-state.ts';
import { EMPTY_LEDGER, type LedgerEntry, slotKey } from '../../../core/lease/ledger.ts';
import type { GuardMessage } from '../../../core/protocol/guard-link.ts';
import { instant } from '../../../core/time/time.ts';
import { AgentModel } from './agent-model.ts';
import { ProcessModel } from './process-model.ts';
import { StoreModel } from './store-model.ts';
import { Violation } from './violation.ts';

/** w 400, p 100, s 300, b 100, L_h 2800, r 200: clean stop 1100 ms before the deadline, kill 800 ms before it. */
export const TIMING: Timing = {
  profile: 'demo',
  intervalMs: 250,
  jitter: 0.1,
  renewCapMs: 200,
  lostRenewals: 4,
  guardPeriodMs: 100,
  watchdogMs: 400,
  cleanStopMs: 300,
  killMs: 100,
  writeLifeMs: 100,
  freezeMs: 300,
  clockRateError: 0.001,
  wallGapMs: 50,
  holderLeaseMs: 2_800,
  takerWaitMs: 3_350,
  sweepPeriodMs: 250,
  behindAfter: 2.5,
};
const STOP_AHEAD_MS = 1_100;
const WATCHDOG_MS = 400;
const KILL_MS = 100;
const PERIOD_MS = 100;

export type Step = typeof guardStep;

interface Kill {
  readonly entries: readonly LedgerEntry[];
  readonly killAgent: boolean;
  stage: 'agent' | 'sweep' | 'tell';
  keys: string[];
}

type ProbeEffect = Extract<GuardEffect, { do: 'probe_release' }>;

export class HostModel {
  now = 0;
  state: GuardState = firstState({ session: 's1', level: 'watchdog', ledger: EMPTY_LEDGER });
  isOver = false;
  readonly store = new StoreModel();
  readonly processes = new ProcessModel();
  readonly agent: AgentModel;
  private readonly counts = { kills: 0, stops: 0, sessions: 1, resets: 0 };
  private readonly step: Step;
  private nextTick = 0;
  private fedAt: number | null = null;
  private guardFrozenUntil: number | null = null;
  private freezeAtFeedMs = 0;
  private owedFeed = false;
  private readonly guardQueue: GuardEvent[] = [];
  private isDiskHung = false;
  private saves: (readonly GuardEffect[])[] = [];
  private kill: Kill | null = null;
  private probes: { effect: ProbeEffect; isSwept: boolean; isStopped: boolean }[] = [];

  constructor(step: Step = guardStep) {
    this.step = step;
    this.agent = new AgentModel({
      timing: TIMING,
      processes: this.processes,
      store: this.store,
      now: () => this.now,
      say: (message) => this.handle({ type: 'agent', message }),
      session: () => this.state.session,
      isRegistered: () => this.state.isRegistered,
      isListedCovered: (group) => this.state.ledger.entries.some((entry) => entry.group === group && entry.covered),
    });
  }

  /** What went through: lets a test see that its runs were not empty. */
  get seen() {
    return { ...this.counts, starts: this.processes.starts, releases: this.processes.releases };
  }

  /** Something covered runs. */
  get isRunning(): boolean {
    return this.processes.covered.length > 0;
  }

  // ---- time ----------------------------------------------------------------------------------------------------

  advance(ms: number): void {
    const until = this.now + ms;
    while (!this.isOver) {
      const fires = this.fedAt === null ? Infinity : this.fedAt + WATCHDOG_MS;
      const wakes = this.guardFrozenUntil ?? this.nextTick;
      const next = Math.min(fires, wakes);
      if (next > until) break;
      this.now = next;
      // At the same instant the watchdog may win or lose; losing is the worse case.
      if (wakes <= fires) this.guardRuns();
      else this.reset();
      this.check();
    }
    if (!this.isOver) this.now = until;
    this.check();
  }

  /** Lets time pass until `ms` before the deadline as the guard counts it. */
  nearDeadline(ms: number): void {
    const left = (this.state.deadline ?? this.now) - ms - this.now;
    if (left > 0) this.advance(left);
  }

  private guardRuns(): void {
    if (this.guardFrozenUntil !== null) {
      this.guardFrozenUntil = null;
      if (this.owedFeed) this.fedAt = this.now;
      this.owedFeed = false;
      this.drainQueue();
    }
    if (this.guardFrozenUntil !== null || this.isOver) return;
    this.nextTick = this.now + PERIOD_MS;
    this.handle({ type: 'tick' });
  }

  /** Everything on the machine is dead within b; until then whatever was running may go on. */
  private reset(): void {
    this.counts.resets += 1;
    this.now += KILL_MS;
    this.check();
    this.processes.running = [];
    this.agent.die();
    this.isOver = true;
  }

  freezeGuard(ms: number): void {
    if (this.guardFrozenUntil === null) this.guardFrozenUntil = this.now + ms;
  }

  /** The guard is suspended between its next check and the feed that follows from it. */
  freezeAtFeed(ms: number): void {
    this.freezeAtFeedMs = ms;
  }

  // ---- the guard -----------------------------------------------------------------------------------------------

  private handle(event: GuardEvent): void {
    if (this.isOver) return;
    if (this.guardFrozenUntil !== null) {
      this.guardQueue.push(event);
      return;
    }
    const { state, effects } = this.step(this.state, event, instant(this.now));
    this.state = state;
    this.perform(effects, true);
  }

  private drainQueue(): void {
    for (let next = this.guardQueue.shift(); next !== undefined; next = this.guardQueue.shift()) {
      this.handle(next);
      if (this.guardFrozenUntil !== null) return;
    }
  }

  private perform(effects: readonly GuardEffect[], isSaved: boolean): void {
    for (const [index, effect] of effects.entries()) {
      if (effect.do === 'save') {
        const behind = effects.slice(index + 1);
        if (this.isDiskHung) this.saves.push(behind);
        else this.perform(behind, true);
        return;
      }
      this.performOne(effect, isSaved);
    }
  }

  private performOne(effect: Exclude<GuardEffect, { do: 'save' }>, isSaved: boolean): void {
    switch (effect.do) {
      case 'confirm_leave':
        return this.handle({ type: 'leave_recorded', asked: effect.asked, request: effect.request, isSaved });
      case 'confirm_release':
        return this.handle({ type: 'release_recorded', asked: effect.asked, isSaved });
      case 'confirm_session':
        return this.handle({ type: 'session_recorded', session: effect.session });
      case 'feed':
        return this.feed();
      case 'arm':
        this.fedAt = this.now;
        return;
      case 'send':
        return this.sendToAgent(effect.message);
      case 'kill':
        this.counts.kills += 1;
        if (this.kill !== null) throw new Violation('two kills at once');
        this.kill = { entries: effect.entries, killAgent: effect.killAgent, stage: 'agent', keys: [] };
        return;
      case 'probe_release':
        this.probes.push({ effect, isSwept: false, isStopped: false });
        return;
      case 'new_session':
        return this.newSession();
      case 'exit':
        if (this.processes.running.length > 0) throw new Violation('the guard ends while something runs');
        this.isOver = true;
        return;
      case 'terminate':
      case 'log':
        return;
    }
  }

  private feed(): void {
    if (this.freezeAtFeedMs === 0) {
      if (this.fedAt !== null) this.fedAt = this.now;
      return;
    }
    this.guardFrozenUntil = this.now + this.freezeAtFeedMs;
    this.freezeAtFeedMs = 0;
    this.owedFeed = this.fedAt !== null;
  }

  private newSession(): void {
    if (this.isRunning) throw new Violation('S3: a new session while something covered still runs');
    this.counts.sessions += 1;
    const { state, effects } = nextSession(this.state, `s${this.counts.sessions}`);
    this.state = state;
    this.perform(effects, true);
  }

  hangDisk(): void {
    this.isDiskHung = true;
  }

  /** What waited for the disk goes on, in order. */
  wakeDisk(isSaved: boolean): void {
    if (this.guardFrozenUntil !== null) return;
    this.isDiskHung = false;
    const waiting = this.saves;
    this.saves = [];
    for (const behind of waiting) this.perform(behind, isSaved);
  }

  /** One more stage of the kill under way, and of the oldest probe; neither moves while the guard is frozen. */
  workOn(): void {
    if (this.guardFrozenUntil !== null) return;
    if (this.kill !== null) this.advanceKill(this.kill);
    const probe = this.probes[0];
    if (probe === undefined) return;
    const { asked, ref } = probe.effect;
    if (!probe.isSwept) {
      probe.isStopped = this.processes.sweep(ref);
      probe.isSwept = true;
      return;
    }
    this.probes.shift();
    this.handle({ type: 'release_probed', asked, ref, isStopped: probe.isStopped });
  }

  private advanceKill(kill: Kill): void {
    if (kill.stage === 'agent') {
      if (kill.killAgent) this.crashAgent();
      kill.stage = 'sweep';
    } else if (kill.stage === 'sweep') {
      kill.keys = kill.entries.filter((entry) => this.processes.sweep(entry)).map(slotKey);
      kill.stage = 'tell';
    } else {
      this.kill = null;
      this.handle({ type: 'proven', keys: kill.keys, isStopped: true });
    }
  }

  drain(): void {
    this.handle({ type: 'drain' });
  }

  crashAgent(): void {
    if (!this.agent.isAlive) return;
    this.agent.die();
    this.handle({ type: 'agent_exited' });
  }

  /** The guard starts it. */
  startAgent(): void {
    if (!this.agent.isAlive && this.guardFrozenUntil === null) this.agent.start();
  }

  private sendToAgent(message: GuardMessage): void {
    if (message.type === 'leave' && message.granted) this.checkLeave(message.id);
    if (message.type === 'stop_covered') this.counts.stops += 1;
    this.agent.receive(message);
  }

  // ---- what must hold ------------------------------------------------------------------------------------------

  /** S6: a leave for something covered is given only while the lease stands, as the store saw it. */
  private checkLeave(id: number): void {
    const asked = this.agent.leaveAsked(id);
    if (asked?.covered !== true) return;
    if (asked.session !== this.state.session) throw new Violation('S6: a leave for another session');
    if (this.store.deadlineOf(this.state.session) - this.now <= STOP_AHEAD_MS) {
      throw new Violation('S6: a leave without a standing lease');
    }
  }

  private check(): void {
    for (const process of this.processes.covered) {
      const key = slotKey(process);
      if (this.now > this.store.deadlineOf(process.session) + KILL_MS) {
        throw new Violation(
          `S4: ${key} runs ${this.now - this.store.deadlineOf(process.session)} ms after the deadline`,
        );
      }
      const isListed = this.state.ledger.entries.some(
        (entry) => slotKey(entry) === key && entry.epoch >= process.epoch && entry.covered,
      );
      if (!isListed && !this.isOver) throw new Violation(`S20: ${key} e${process.epoch} runs and is on no kill list`);
    }
  }

  /** Registered, slot `a/0` running in epoch 1. */
  static started(step?: Step): HostModel {
    const host = new HostModel(step);
    const { agent } = host;
    agent.start();
    agent.read();
    agent.register(10, false);
    host.advance(10);
    agent.takeAnswer();
    agent.askLeave('a', 1);
    agent.read();
    agent.spawn();
    host.advance(0);
    if (!host.isRunning) throw new Error('the model does not start');
    return host;
  }
}
