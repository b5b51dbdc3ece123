/** A guard in stories: events at moments, and the effects that follow in words. Timing as in the host model: L_h 2800, w 400, s 300. */
import { guardStep, nextSession } from '../../../core/lease/guard.ts';
import { firstState, type GuardEffect, type GuardEvent, type GuardState } from '../../../core/lease/guard-state.ts';
import { EMPTY_LEDGER, type Ledger, type LedgerEntry } from '../../../core/lease/ledger.ts';
import type { AgentMessage, LeaveRequest } from '../../../core/protocol/guard-link.ts';
import { instant } from '../../../core/time/time.ts';
import { TIMING } from './host-model.ts';

/** Performs effects as a shell with a prompt disk would, and keeps them in words. */
export class Guard {
  state: GuardState;
  said: string[] = [];
  now = 0;
  isDiskPrompt = true;
  private behind: readonly GuardEffect[] = [];

  constructor(ledger: Ledger = EMPTY_LEDGER) {
    this.state = firstState({ session: 's1', level: 'watchdog', ledger });
  }

  at(ms: number, event: GuardEvent): this {
    this.now = ms;
    const { state, effects } = guardStep(this.state, event, instant(ms));
    this.state = state;
    this.perform(effects, true);
    return this;
  }

  hear(ms: number, message: AgentMessage): this {
    return this.at(ms, { type: 'agent', message });
  }

  tick(ms: number): this {
    return this.at(ms, { type: 'tick' });
  }

  /** Effects since the last call; a pulse says nothing. */
  heard(): string[] {
    const said = this.said;
    this.said = [];
    return said;
  }

  diskAnswers(isSaved: boolean): this {
    this.isDiskPrompt = true;
    const { behind } = this;
    this.behind = [];
    this.perform(behind, isSaved);
    return this;
  }

  private perform(effects: readonly GuardEffect[], isSaved: boolean): void {
    for (const [index, effect] of effects.entries()) {
      if (effect.do === 'save' && !this.isDiskPrompt) {
        this.behind = effects.slice(index + 1);
        return;
      }
      this.performOne(effect, isSaved);
    }
  }

  private performOne(effect: GuardEffect, isSaved: boolean): void {
    if (effect.do === 'confirm_leave') {
      const { asked, request } = effect;
      this.at(this.now, { type: 'leave_recorded', asked, request, isSaved });
    } else if (effect.do === 'confirm_release') {
      this.at(this.now, { type: 'release_recorded', asked: effect.asked, isSaved });
    } else if (effect.do === 'confirm_session') {
      this.at(this.now, { type: 'session_recorded', session: effect.session });
    } else if (effect.do === 'new_session') {
      this.said.push('new session');
      const { state, effects } = nextSession(this.state, `s${this.state.ledger.sessions.length + 1}`);
      this.state = state;
      this.perform(effects, true);
    } else {
      const words = inWords(effect);
      if (words !== '') this.said.push(words);
    }
  }
}

function inWords(effect: GuardEffect): string {
  if (effect.do === 'kill')
    return `kill ${effect.entries.map(nameOf).join(' ')}${effect.killAgent ? ' and the agent first' : ''}`;
  if (effect.do === 'terminate') return `terminate ${effect.entries.map(nameOf).join(' ')}`;
  if (effect.do === 'probe_release') return `probe ${effect.ref.group} e${effect.ref.epoch}`;
  if (effect.do !== 'send') return effect.do === 'log' || effect.do === 'save' ? '' : effect.do;
  const { message } = effect;
  if (message.type === 'pulse') return '';
  if (message.type === 'leave') return `leave ${message.id}: ${message.granted ? 'granted' : message.why}`;
  if (message.type === 'release') return `release ${message.id}: ${message.released ? 'released' : message.why}`;
  if (message.type === 'close') return `close ${message.id}: ${message.closed ? 'closed' : message.why}`;
  if (message.type === 'session') return `be ${message.session}${message.isRegistered ? ', registered' : ''}`;
  return message.type === 'stop_covered' ? `stop ${message.stop}: ${message.why}` : message.type;
}

function nameOf({ group, epoch }: LedgerEntry): string {
  return `${group} e${epoch}`;
}

export function ask(group: string, epoch: number, more: Partial<LeaveRequest> & { id?: number } = {}): AgentMessage {
  const { id = 1, ...rest } = more;
  return { type: 'leave', id, request: { group, slot: 0, epoch, session: 's1', covered: true, cleanup: [], ...rest } };
}

export function release(group: string, epoch: number, id = 1): AgentMessage {
  return { type: 'release', id, ref: { group, slot: 0, epoch } };
}

export function probed(group: string, epoch: number, isStopped = true): GuardEvent {
  return { type: 'release_probed', asked: { id: 1, life: 0 }, ref: { group, slot: 0, epoch }, isStopped };
}

export function renewed(sentAt: number, session = 's1'): AgentMessage {
  return { type: 'renewed', session, sentAt: instant(sentAt), answeredAt: instant(sentAt + 20) };
}

export const proven = (...groups: string[]): GuardEvent => ({
  type: 'proven',
  keys: groups.map((group) => `${group}/0`),
  isStopped: true,
});

/** Registered at 0: deadline 2800, clean stop from 1700, kill from 2000. */
export function registered(ledger?: Ledger): Guard {
  const guard = new Guard(ledger).hear(0, { type: 'ready' }).hear(0, { type: 'arm', session: 's1', timing: TIMING });
  guard.hear(10, { type: 'registered', session: 's1', sentAt: instant(0), answeredAt: instant(10) });
  guard.heard();
  return guard;
}

export function running(...groups: string[]): Guard {
  const guard = registered();
  for (const group of groups) guard.hear(20, ask(group, 1));
  guard.heard();
  return guard;
}
