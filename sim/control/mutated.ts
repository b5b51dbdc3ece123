/**
 * The control plane built wrong, one way at a time (`contract/mutations.ts`). Each wraps the ports of an environment so that
 * its handlers decide as if they had been written wrong in that way; nothing else about them changes.
 */
import * as z from 'zod';
import type { PowerState } from '../../core/ports.ts';
import { instant, type Instant, type WallInstant, wallInstant } from '../../core/time/time.ts';
import type { LateRecord } from '../../core/protocol/observer-records.ts';
import type { Handler } from '../../lambdas/shared/edge.ts';
import type { ControlPorts } from '../../lambdas/shared/ports.ts';
import type { Mutation } from '../contract/mutations.ts';
import type { SimStore } from '../contract/parts.ts';
import type { FunctionName } from './functions.ts';
import { startedBeforeEvidence, timedAsToday } from './mutated-records.ts';

export interface MutatedPorts {
  readonly ports: ControlPorts;
  /** Told of each event before its handler is. */
  readonly onEvent: ((event: unknown) => void) | null;
}

export interface MutationPlace {
  readonly mutation: Mutation | null;
  readonly fn: FunctionName;
  readonly store: SimStore;
}

export function mutatedPorts(ports: ControlPorts, { mutation, fn, store }: MutationPlace): MutatedPorts {
  const only = (changed: ControlPorts): MutatedPorts => ({ ports: changed, onEvent: null });
  switch (mutation) {
    case 'stamp-before-answer':
      return only(fn === 'find-behind' ? stampedBeforeAnswer(ports) : ports);
    case 'compare-wall-clocks':
      return only(fn === 'find-behind' ? stampedByHost(ports) : ports);
    case 'accept-stopping':
      return only(acceptingStopping(ports));
    case 'event-as-evidence':
      return fn === 'instance-state' ? believingEvents(ports) : only(ports);
    case 'todays-timing':
      return only(timedAsToday(ports, store));
    case 'start-before-evidence':
      return only(startedBeforeEvidence(ports));
    default:
      return only(ports);
  }
}

export function mutatedHandler(handler: Handler<unknown>, { onEvent }: MutatedPorts): Handler<unknown> {
  if (onEvent === null) return handler;
  return (event, context) => {
    onEvent(event);
    return handler(event, context);
  };
}

/** The sweep reads its clocks once, right after the scan: it is shown what they showed when the scan was sent. */
function stampedBeforeAnswer(ports: ControlPorts): ControlPorts {
  let sent: { boot: Instant | null; wall: WallInstant | null } = { boot: null, wall: null };
  return {
    ...ports,
    heartbeats: {
      ...ports.heartbeats,
      scan: async () => {
        const boot = instant(ports.boot.now());
        const wall = wallInstant(ports.wall.now());
        const items = await ports.heartbeats.scan();
        sent = { boot, wall };
        return items;
      },
    },
    boot: {
      now: () => {
        const { boot } = sent;
        sent = { ...sent, boot: null };
        return boot ?? ports.boot.now();
      },
    },
    wall: {
      now: () => {
        const { wall } = sent;
        sent = { ...sent, wall: null };
        return wall ?? ports.wall.now();
      },
    },
  };
}

/** What is written down as the moment of the observation, and counted from, is the moment that the host wrote into its beat. */
function stampedByHost(ports: ControlPorts): ControlPorts {
  let beats: ReadonlyMap<string, number> = new Map();
  const isLate = (sk: string): boolean => sk.startsWith('LATE#');
  return {
    ...ports,
    heartbeats: {
      ...ports.heartbeats,
      scan: async () => {
        const items = await ports.heartbeats.scan();
        beats = new Map(items.map(({ session, seq, sentAtWallMs }) => [`${session}.${seq}`, sentAtWallMs]));
        return items;
      },
    },
    registry: {
      ...ports.registry,
      put: (key, body, expected) => {
        if (!isLate(key.sk)) return ports.registry.put(key, body, expected);
        const late = body as LateRecord; // What find-behind writes under this key.
        const observedAtMs = wallInstant(beats.get(`${late.session}.${late.seq}`) ?? late.observedAtMs);
        return ports.registry.put({ ...key }, { ...late, observedAtMs }, expected);
      },
    },
  };
}

function acceptingStopping(ports: ControlPorts): ControlPorts {
  return {
    ...ports,
    power: {
      ...ports.power,
      read: async (machine) => {
        const reading = await ports.power.read(machine);
        return reading.state === 'stopping' ? { ...reading, state: 'stopped' } : reading;
      },
    },
  };
}

const StateChange = z.looseObject({
  detail: z.looseObject({
    'instance-id': z.string(),
    state: z.enum(['pending', 'running', 'stopping', 'stopped', 'shutting-down', 'terminated']),
  }),
});

/** Each read about the machine of an event says what the event said. */
function believingEvents(ports: ControlPorts): MutatedPorts {
  let said: { readonly machine: string; readonly state: PowerState } | null = null;
  return {
    ports: {
      ...ports,
      power: {
        ...ports.power,
        read: async (machine) => {
          const reading = await ports.power.read(machine);
          return said?.machine === machine ? { ...reading, state: said.state } : reading;
        },
      },
    },
    onEvent: (event) => {
      const parsed = StateChange.safeParse(event);
      said = parsed.success ? { machine: parsed.data.detail['instance-id'], state: parsed.data.detail.state } : null;
    },
  };
}
