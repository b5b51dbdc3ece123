/**
 * An agent that is honest and otherwise as bad as an agent can be: it asks for anything at any time, keeps a leave for
 * as long as it is not told to stop, may be frozen anywhere, and counts its questions from 1 in each life.
 */
import type { Timing } from '../../../core/config/model.ts';
import type { AgentMessage, GuardMessage, LeaveRequest, SlotRef } from '../../../core/protocol/guard-link.ts';
import { instant } from '../../../core/time/time.ts';
import type { ProcessModel } from './process-model.ts';
import type { StoreModel } from './store-model.ts';

export interface AgentWorld {
  readonly timing: Timing;
  readonly processes: ProcessModel;
  readonly store: StoreModel;
  now(): number;
  /** To the guard. */
  say(message: AgentMessage): void;
  session(): string;
  isRegistered(): boolean;
  isListedCovered(group: string): boolean;
}

interface Answer {
  readonly session: string;
  readonly sentAt: number;
  readonly arrivesAt: number;
  readonly found: string;
}

type Told = Extract<GuardMessage, { type: 'session' }>;

export class AgentModel {
  isAlive = false;
  private isFrozen = false;
  private inbox: GuardMessage[] = [];
  private nextId = 1;
  private readonly asked = new Map<string, LeaveRequest | SlotRef>();
  private usable: LeaveRequest[] = [];
  private stopping: number | null = null;
  private told: Told | null = null;
  private firstAttempt: { readonly sentAt: number; readonly over: string } | null = null;
  private answers: Answer[] = [];
  private readonly world: AgentWorld;

  constructor(world: AgentWorld) {
    this.world = world;
  }

  private get canAct(): boolean {
    return this.isAlive && !this.isFrozen;
  }

  start(): void {
    this.isAlive = true;
    this.world.say({ type: 'ready' });
  }

  /** Everything that it knew goes with it; what it said to the guard does not. */
  die(): void {
    this.isAlive = false;
    this.isFrozen = false;
    this.inbox = [];
    this.asked.clear();
    this.usable = [];
    this.stopping = null;
    this.told = null;
    this.answers = [];
    this.nextId = 1;
  }

  freeze(isFrozen: boolean): void {
    this.isFrozen = isFrozen;
  }

  receive(message: GuardMessage): void {
    if (this.isAlive && message.type !== 'pulse') this.inbox.push(message);
  }

  leaveAsked(id: number): LeaveRequest | null {
    const asked = this.asked.get(`leave ${id}`);
    return asked !== undefined && 'covered' in asked ? asked : null;
  }

  // ---- orders --------------------------------------------------------------------------------------------------

  /** Reads one message of the guard. */
  read(): void {
    const message = this.canAct ? this.inbox.shift() : undefined;
    if (message === undefined) return;
    switch (message.type) {
      case 'session':
        this.told = message;
        this.firstAttempt = null;
        return;
      case 'leave': {
        const request = this.leaveAsked(message.id);
        this.asked.delete(`leave ${message.id}`);
        if (message.granted && request !== null) this.usable.push(request);
        return;
      }
      case 'release': {
        const ref = this.asked.get(`release ${message.id}`);
        this.asked.delete(`release ${message.id}`);
        if (message.released && ref !== undefined) this.world.processes.reportReleased(ref);
        return;
      }
      case 'stop_covered':
        this.stopping = message.stop;
        this.forgetLeaves();
        return this.world.say({ type: 'stopping', stop: message.stop });
      default:
        return;
    }
  }

  private forgetLeaves(group?: string): void {
    this.usable = this.usable.filter((request) => group !== undefined && request.group !== group);
    for (const [key, ref] of this.asked) {
      if (key.startsWith('leave') && (group === undefined || ref.group === group)) this.asked.delete(key);
    }
  }

  /** Every stop action has ended; whether the processes are gone is another matter. */
  finishStop(isEnded: boolean): void {
    if (!this.canAct || this.stopping === null) return;
    if (isEnded) this.world.processes.endAll();
    this.forgetLeaves();
    this.world.say({ type: 'stopped', stop: this.stopping });
    this.stopping = null;
  }

  askLeave(group: string, epoch: number, options: { session?: string; covered?: boolean } = {}): void {
    if (!this.canAct) return;
    const { session = this.world.session(), covered = true } = options;
    const request: LeaveRequest = { group, slot: 0, epoch, session, covered, cleanup: [] };
    const id = this.nextId++;
    this.asked.set(`leave ${id}`, request);
    this.world.say({ type: 'leave', id, request });
  }

  askRelease(group: string, epoch: number): void {
    if (!this.canAct) return;
    this.forgetLeaves(group);
    const ref: SlotRef = { group, slot: 0, epoch };
    const id = this.nextId++;
    this.asked.set(`release ${id}`, ref);
    this.world.say({ type: 'release', id, ref });
  }

  /** Uses the leaves that it has. */
  spawn(): void {
    if (!this.canAct) return;
    for (const { group, slot, epoch, session, covered } of this.usable) {
      const isCovered = covered || this.world.isListedCovered(group);
      this.world.processes.start({ group, slot, epoch, session, covered: isCovered });
    }
    this.usable = [];
  }

  // ---- its session ---------------------------------------------------------------------------------------------

  /** One attempt to register what it was told to be, over whatever stands; `isLost`: the answer never comes. */
  register(answerMs: number, isLost: boolean): void {
    if (!this.canAct || this.told === null || this.told.isRegistered) return;
    const { store } = this.world;
    const { session } = this.told;
    if (this.firstAttempt === null) this.world.say({ type: 'arm', session, timing: this.world.timing });
    const over = store.session;
    if (over === session) {
      if (this.firstAttempt !== null) this.answerLater(session, this.firstAttempt.sentAt, answerMs, session);
      return;
    }
    if (this.firstAttempt !== null && this.firstAttempt.over !== over) {
      this.told = null;
      return this.world.say({ type: 'refused', session, found: over });
    }
    this.firstAttempt ??= { sentAt: this.world.now(), over };
    store.register(session, this.world.now());
    if (!isLost) this.answerLater(session, this.firstAttempt.sentAt, answerMs, session);
  }

  /** Sends one renewal; it is committed at once if the session still stands, and answered later. */
  renew(answerMs: number): void {
    if (!this.canAct || this.told === null || (!this.told.isRegistered && this.firstAttempt === null)) return;
    const { session } = this.told;
    const { store } = this.world;
    store.renew(session, this.world.now());
    this.answerLater(session, this.world.now(), answerMs, store.session);
  }

  private answerLater(session: string, sentAt: number, answerMs: number, found: string): void {
    this.answers.push({ session, sentAt, arrivesAt: this.world.now() + answerMs, found });
  }

  /** Gets to the oldest answer, if it has arrived. */
  takeAnswer(): void {
    const next = this.answers[0];
    if (!this.canAct || next === undefined || next.arrivesAt > this.world.now()) return;
    this.answers.shift();
    const { session, sentAt, found } = next;
    if (found !== session) return this.world.say({ type: 'refused', session, found });
    const type = this.world.isRegistered() ? 'renewed' : 'registered';
    this.world.say({ type, session, sentAt: instant(sentAt), answeredAt: instant(this.world.now()) });
  }
}
