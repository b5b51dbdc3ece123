/**
 * Running one action of an OCF resource agent.
 *
 * Every action carries a mark of its own besides the unit's, so that a time-out can end its whole tree and nothing
 * else. A newer action for a unit supersedes the one in flight and waits for its end: agents are not written to run
 * twice at once.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { endMarked } from '../../adapters/node/processes.ts';
import { type Child, startChild } from './child.ts';
import { agentFile, isExecutable, type OcfCall, ocfEnvironment } from './ocf-environment.ts';
import type { ServiceLogs } from './service-log.ts';
import type { Unit } from './unit.ts';

/** Longest that one kill may go on. */
export const KILL_LIMIT_MS = 3_000;

export type Ended =
  | { readonly how: 'exit'; readonly code: number | null }
  | { readonly how: 'timed_out'; readonly detail: string }
  /** The agent's script is not there, or cannot be run. */
  | { readonly how: 'missing'; readonly detail: string };

export interface OcfActions {
  run(unit: Unit, call: OcfCall): Promise<Ended>;
  /** Ends what is in flight for the unit, and nothing else of it. */
  supersede(unit: Unit): Promise<void>;
}

/** Known from the moment it is asked for, so that not even one that is about to be spawned is missed. */
interface Flight {
  readonly mark: string;
  isSuperseded: boolean;
  readonly ended: Promise<void>;
  readonly end: () => void;
}

function newFlight(mark: string): Flight {
  const ending: { end: () => void } = { end: () => undefined };
  const ended = new Promise<void>((resolve) => {
    ending.end = resolve;
  });
  return { mark, isSuperseded: false, ended, end: ending.end };
}

export function createOcfActions(options: { readonly ocfRoot: string; readonly logs: ServiceLogs }): OcfActions {
  const flights = new Map<string, Flight>();
  let count = 0;

  async function fly(unit: Unit, call: OcfCall, flight: Flight): Promise<Ended> {
    // Between this look and the spawn nothing else can happen.
    if (flight.isSuperseded) return { how: 'exit', code: null };
    const file = agentFile(options.ocfRoot, unit);
    if (!isExecutable(file)) return { how: 'missing', detail: `${file} is not installed` };
    const env = { ...ocfEnvironment(options.ocfRoot, unit, call), [ACTION_MARK]: flight.mark };
    const child = await startChild(unit, { argv: [file, call.action], env, logs: options.logs });
    if (typeof child === 'string') return { how: 'missing', detail: child };
    const ended = await endedWithin(child, call.timeoutMs);
    if (ended !== 'timed_out') return { how: 'exit', code: ended };
    await endTree(flight, [child.pid]);
    return { how: 'timed_out', detail: `no end within ${call.timeoutMs} ms, killed` };
  }

  return {
    async run(unit, call) {
      count += 1;
      const key = keyOf(unit);
      const before = flights.get(key);
      const mark = `${key}/${call.action}/${process.pid}.${count}`;
      const flight = newFlight(mark);
      flights.set(key, flight);
      try {
        await supersede(before);
        return await fly(unit, call, flight);
      } finally {
        flight.end();
        if (flights.get(key) === flight) flights.delete(key);
      }
    },
    supersede: (unit) => supersede(flights.get(keyOf(unit))),
  };
}

const ACTION_MARK = 'HOLDFAST_ACTION';

async function supersede(flight: Flight | undefined): Promise<void> {
  if (flight === undefined) return;
  flight.isSuperseded = true;
  await endTree(flight);
  // Bounded: a process that even SIGKILL does not end must not keep the stop from being tried.
  await Promise.race([flight.ended, delay(KILL_LIMIT_MS, undefined, { ref: false })]);
}

function endTree(flight: Flight, sessionIds: readonly number[] = []): Promise<'ended' | 'left'> {
  return endMarked(`${ACTION_MARK}=${flight.mark}`, { sessionIds, limitMs: KILL_LIMIT_MS });
}

function endedWithin(child: Child, timeoutMs: number): Promise<number | null | 'timed_out'> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('timed_out'), timeoutMs);
    void child.exited.then((code) => {
      clearTimeout(timer);
      resolve(code);
    });
  });
}

function keyOf(unit: Unit): string {
  return `${unit.group}/${unit.slot}/${unit.service.name}`;
}
