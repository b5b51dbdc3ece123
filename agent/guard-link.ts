/** The agent's end of the link to its guard. An agent without a guard ends: nobody would stop what it starts. */
import type { BootClock, Timers } from '../core/ports.ts';
import type { AgentMessage, GuardMessage, LeaveRequest, SlotRef } from '../core/protocol/guard-link.ts';
import { elapsed, type Millis } from '../core/time/time.ts';

export type SessionMessage = Extract<GuardMessage, { type: 'session' }>;

export interface GuardLink {
  send(message: AgentMessage): void;
  leave(request: LeaveRequest): Promise<{ granted: boolean; why: string }>;
  release(ref: SlotRef): Promise<boolean>;
  /** Whether the guard has proof that nothing of this session is left, so that it may be reported closed (S7). */
  close(session: string): Promise<boolean>;
  /** Time since the guard was last heard; an agent that hears nothing for w stops beating. */
  silentFor(): Millis;
  /** Messages other than answers. */
  onMessage(listener: (message: GuardMessage) => void): void;
}

/** A guard that answers no request for this long is as good as a refusal. */
const ANSWER_MS = 10_000;

type Answer = { readonly ok: boolean; readonly why: string };

type Question = Extract<AgentMessage, { readonly id: number }>;

/** What joins the agent to its guard: ordered, and gone when either of them is. */
export interface GuardChannel {
  /** Lost without a word once the channel is gone. */
  send(message: AgentMessage): void;
  onMessage(listener: (message: GuardMessage) => void): void;
  onDisconnect(listener: () => void): void;
}

export interface GuardLinkPorts {
  readonly clock: BootClock;
  readonly timers: Timers;
  readonly guard: GuardChannel;
  readonly exit: (status: number) => void;
}

export function guardLink({ clock, timers, guard, exit }: GuardLinkPorts): GuardLink {
  /** Per kind and number: an answer of one kind never settles a question of another. */
  const waiting = new Map<string, (answer: Answer) => void>();
  const listeners: ((message: GuardMessage) => void)[] = [];
  let nextId = 1;
  let heardAt = clock.now();

  guard.onDisconnect(() => exit(1));
  guard.onMessage((message) => {
    heardAt = clock.now();
    const answered = answerOf(message);
    if (answered !== null) waiting.get(answered.to)?.(answered);
    else for (const listener of listeners) listener(message);
  });

  const ask = (question: (id: number) => Question): Promise<Answer> =>
    new Promise((resolve) => {
      const message = question(nextId);
      nextId += 1;
      const key = `${message.type} ${message.id}`;
      const settle = (answer: Answer): void => {
        cancel();
        waiting.delete(key);
        resolve(answer);
      };
      const cancel = timers.after(ANSWER_MS, () => settle({ ok: false, why: 'the guard does not answer' }));
      waiting.set(key, settle);
      guard.send(message);
    });

  return {
    send: (message) => guard.send(message),
    async leave(request) {
      const answer = await ask((id) => ({ type: 'leave', id, request }));
      return { granted: answer.ok, why: answer.why };
    },
    release: async (ref) => (await ask((id) => ({ type: 'release', id, ref }))).ok,
    close: async (session) => (await ask((id) => ({ type: 'close', id, session }))).ok,
    silentFor: () => elapsed(heardAt, clock.now()),
    onMessage: (listener) => void listeners.push(listener),
  };
}

/** null: not an answer. */
function answerOf(message: GuardMessage): (Answer & { readonly to: string }) | null {
  switch (message.type) {
    case 'leave':
      return { to: `leave ${message.id}`, ok: message.granted, why: message.why };
    case 'release':
      return { to: `release ${message.id}`, ok: message.released, why: message.why };
    case 'close':
      return { to: `close ${message.id}`, ok: message.closed, why: message.why };
    default:
      return null;
  }
}
