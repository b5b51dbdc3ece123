/** The transitions of one service, as data: complete for every phase and signal; `ignore` is a decision, not a gap. */
import type { ServicePhase, SlotEvent } from './state.ts';

/** What an answer says about a service. */
export type Signal =
  'started' | 'start-failed' | 'stopped' | 'stop-failed' | 'killed' | 'runs' | 'gone' | 'unclear' | 'died';

/** Each is one straight-line function in `moves.ts`. */
export type Move =
  | 'ignore'
  /** Found running: adopted if this epoch started it (an older one will do for what is not covered), stopped otherwise. */
  | 'adopt'
  | 'down'
  /** Nothing is known after the probe: stop it, so that something is. A standby stops nothing, here and above. */
  | 'clear'
  | 'activate'
  | 'start-again'
  | 'fine'
  | 'miss'
  | 'crash'
  /** A stop is believed only after a probe. */
  | 'verify'
  | 'stop-again'
  /** Still there: kill, and after the kill give up. */
  | 'insist';

const IGNORED = {
  started: 'ignore',
  'start-failed': 'ignore',
  stopped: 'ignore',
  'stop-failed': 'ignore',
  killed: 'ignore',
  runs: 'ignore',
  gone: 'ignore',
  unclear: 'ignore',
  died: 'ignore',
} as const satisfies Record<Signal, Move>;

export const SERVICE_TABLE: Readonly<Record<ServicePhase, Readonly<Record<Signal, Move>>>> = {
  unknown: { ...IGNORED, runs: 'adopt', gone: 'down', unclear: 'clear' },
  disabled: IGNORED,
  enabling: { ...IGNORED, started: 'activate', 'start-failed': 'start-again' },
  'enabled-active': { ...IGNORED, runs: 'fine', gone: 'crash', unclear: 'miss', died: 'crash' },
  // A death on the way down is what was wanted; the stop action and its probe will tell.
  disabling: {
    ...IGNORED,
    stopped: 'verify',
    'stop-failed': 'stop-again',
    killed: 'verify',
    runs: 'insist',
    gone: 'down',
    unclear: 'insist',
  },
  failed: IGNORED,
};

export type ServiceEvent = Extract<SlotEvent, { type: 'action_done' | 'monitor' | 'process_died' }>;

const DONE = {
  start: { success: 'started', failed: 'start-failed', timed_out: 'start-failed' },
  stop: { success: 'stopped', failed: 'stop-failed', timed_out: 'stop-failed' },
  // Whatever the kill says, the probe after it decides.
  kill: { success: 'killed', failed: 'killed', timed_out: 'killed' },
} as const;

const MONITORED = { running: 'runs', stopped: 'gone', failed: 'unclear', timed_out: 'unclear' } as const;

export function signalOf(event: ServiceEvent): Signal {
  switch (event.type) {
    case 'action_done':
      return DONE[event.action][event.result];
    case 'monitor':
      return MONITORED[event.result];
    case 'process_died':
      return 'died';
  }
}
