/** The agent's end of the link to its guard. An agent without a guard ends: nobody would stop what it starts. */
import type { BootClock } from '../core/ports.ts';
import type { AgentMessage, GuardMessage, LeaveRequest, SlotRef } from '../core/protocol/guard-link.ts';
import { elapsed, type Millis } from '../core/time/time.ts';

export type SessionMessage = Extract<GuardMessage, { type: 'session' }>;

export interface GuardLink {
  send(message: AgentMessage): void;
  leave(request: LeaveRequest): Promise<{ granted: boolean; why: string }>;
  release(ref: SlotRef): Promise<boolean>;
  /** Time since the guard was last heard; an agent that hears nothing for w stops beating. */
  silentFor(): Millis;
  /** Messages other than answers. */
  onMessage(listener: (message: GuardMessage) => void): void;
}

/** A guard that answers no request for this long is as good as a refusal. */
const ANSWER_MS = 10_000;

type Answer = { readonly ok: boolean; readonly why: string };

export function guardLink(clock: BootClock): GuardLink {
  const waiting = new Map<number, (answer: Answer) => void>();
  const listeners: ((message: GuardMessage) => void)[] = [];
  let nextId = 1;
  let heardAt = clock.now();

  process.on('disconnect', () => process.exit(1));
  process.on('message', (raw) => {
    const message = raw as GuardMessage;
    heardAt = clock.now();
    if (message.type === 'leave') waiting.get(message.id)?.({ ok: message.granted, why: message.why });
    else if (message.type === 'release') waiting.get(message.id)?.({ ok: message.released, why: message.why });
    else for (const listener of listeners) listener(message);
  });

  const send = (message: AgentMessage): void => {
    if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
  };
  const ask = (message: (id: number) => AgentMessage): Promise<Answer> =>
    new Promise((resolve) => {
      const id = nextId;
      nextId += 1;
      const settle = (answer: Answer): void => {
        clearTimeout(timer);
        waiting.delete(id);
        resolve(answer);
      };
      const timer = setTimeout(() => settle({ ok: false, why: 'the guard does not answer' }), ANSWER_MS);
      waiting.set(id, settle);
      send(message(id));
    });

  return {
    send,
    async leave(request) {
      const answer = await ask((id) => ({ type: 'leave', id, request }));
      return { granted: answer.ok, why: answer.why };
    },
    release: async (ref) => (await ask((id) => ({ type: 'release', id, ref }))).ok,
    silentFor: () => elapsed(heardAt, clock.now()),
    onMessage: (listener) => void listeners.push(listener),
  };
}
