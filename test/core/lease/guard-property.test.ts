/** S3 to S6 under random histories of a host, and proof that these properties see the faults they are for. */
import { describe, expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import { guardStep } from '../../../core/lease/guard.ts';
import { covered, type GuardEffect, type GuardEvent, type GuardState } from '../../../core/lease/guard-state.ts';
import type { AgentMessage, GuardMessage } from '../../../core/protocol/guard-link.ts';
import { elapsed, type Instant } from '../../../core/time/time.ts';
import { histories, live } from './history.ts';
import type { Step } from './host-model.ts';

/** Thousands of histories, on a busy machine. */
jest.setTimeout(60_000);

test('S3 S4 S5 S6 S20: nothing covered runs after its deadline + b, off the kill list, or in an epoch that is over', () => {
  const seen = { starts: 0, kills: 0, stops: 0, releases: 0, sessions: 0, resets: 0 };
  fc.assert(
    fc.property(histories, (history) => {
      const host = live(history);
      for (const name of Object.keys(seen) as (keyof typeof seen)[]) seen[name] += host.seen[name];
      expect(host.isRunning).toBe(false);
    }),
    { numRuns: 2_000 },
  );
  // The histories go where the danger is.
  expect(seen.starts).toBeGreaterThan(2_300);
  expect(seen.kills).toBeGreaterThan(1_000);
  expect(seen.releases).toBeGreaterThan(50);
  expect(seen.sessions).toBeGreaterThan(2_100);
  expect(seen.resets).toBeGreaterThan(100);
});

interface Fault {
  readonly event?: (event: GuardEvent, state: GuardState) => GuardEvent;
  readonly state?: (state: GuardState, event: GuardEvent) => GuardState;
  readonly effects?: (
    effects: readonly GuardEffect[],
    after: GuardState,
    event: GuardEvent,
    now: Instant,
  ) => readonly GuardEffect[];
}

/** A guard with one fault: event and state are bent before the step, effects after it. */
function broken(fault: Fault): Step {
  return (state, event, now) => {
    const bent = fault.event?.(event, state) ?? event;
    const step = guardStep(fault.state?.(state, bent) ?? state, bent, now);
    return { ...step, effects: fault.effects?.(step.effects, step.state, bent, now) ?? step.effects };
  };
}

function messages(change: (message: AgentMessage, state: GuardState) => AgentMessage): Fault {
  return {
    event: (event, state) => (event.type === 'agent' ? { ...event, message: change(event.message, state) } : event),
  };
}

function answers(change: (message: GuardMessage) => GuardMessage, of: GuardEvent['type']): Fault {
  return {
    effects: (effects, _, event) =>
      event.type !== of
        ? effects
        : effects.map((effect) => (effect.do === 'send' ? { ...effect, message: change(effect.message) } : effect)),
  };
}

function feedingUntil(ms: number): Fault {
  return {
    effects(effects, state, event, now) {
      const isAhead = state.deadline !== null && elapsed(now, state.deadline) >= ms;
      const isFed = effects.some((effect) => effect.do === 'feed');
      return event.type === 'tick' && isAhead && !isFed && covered(state).length > 0
        ? [...effects, { do: 'feed' }]
        : effects;
    },
  };
}

const MUTANTS: readonly (readonly [does: string, fault: Fault, breaks: RegExp])[] = [
  ['feeds the watchdog until 1w before the deadline', feedingUntil(400), /S4/],
  ['feeds the watchdog until 1.5w before the deadline', feedingUntil(600), /S4/],
  [
    'counts the lease from the answer',
    messages((message) =>
      message.type === 'renewed' || message.type === 'registered'
        ? { ...message, sentAt: message.answeredAt }
        : message,
    ),
    /S4|S6/,
  ],
  [
    'does not kill the agent before the proof',
    {
      effects: (effects) => effects.map((effect) => (effect.do === 'kill' ? { ...effect, killAgent: false } : effect)),
    },
    /S3|S4|S20/,
  ],
  [
    'gives leave without looking at the floor',
    { state: (state) => ({ ...state, ledger: { ...state.ledger, floors: {} } }) },
    /S6: started in a released epoch/,
  ],
  [
    'gives leave as it was judged before the disk took its time',
    answers((message) => (message.type === 'leave' ? { ...message, granted: true } : message), 'leave_recorded'),
    /S6|S20/,
  ],
  [
    'answers the agent of today what the one before had asked',
    {
      event: (event, state) =>
        event.type === 'leave_recorded' ? { ...event, asked: { ...event.asked, life: state.agentLife } } : event,
    },
    /S6|S20/,
  ],
  [
    'gives leave while the slot is being released',
    {
      state: (state, event) =>
        event.type === 'agent' || event.type === 'leave_recorded' ? { ...state, releasing: [] } : state,
    },
    /S6|S7|S20/,
  ],
  [
    'names a new session as soon as the old one is refused',
    {
      effects: (effects, _, event) =>
        event.type === 'agent' && event.message.type === 'refused' ? [...effects, { do: 'new_session' }] : effects,
    },
    /S3/,
  ],
  [
    'lets an agent register what the one before it may have registered',
    { state: (state, event) => (event.type === 'agent_exited' ? { ...state, isOffered: false } : state) },
    /S2/,
  ],
  [
    'forgets on a restart of the agent that a slot was covered',
    {
      state: (state, event) =>
        event.type === 'agent' && event.message.type === 'leave' && !event.message.request.covered
          ? {
              ...state,
              ledger: { ...state.ledger, entries: state.ledger.entries.map((entry) => ({ ...entry, covered: false })) },
            }
          : state,
    },
    /S3|S4|S20/,
  ],
];

describe('the same property sees a guard that', () => {
  test.each(MUTANTS)('%s', (_, fault, breaks) => {
    const step = broken(fault);
    const details = fc.check(
      fc.property(histories, (history) => {
        live(history, step);
      }),
      { numRuns: 20_000, seed: 7, endOnFailure: true },
    );
    expect(details.failed).toBe(true);
    expect(String(details.errorInstance)).toMatch(breaks);
  });
});
