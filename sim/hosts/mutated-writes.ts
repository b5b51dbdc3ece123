/** A host's writes into its heartbeat item, done wrong: in place of `memoryOwnHeartbeat`, over the same tables and ways. */
import type { MemoryAccess } from '../../adapters/memory/memory-tables.ts';
import { memoryOwnHeartbeat } from '../../adapters/memory/memory-heartbeats.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { OwnHeartbeat, RegisterAnswer, RenewAnswer } from '../../core/ports.ts';
import { isOvertaken } from '../../core/protocol/overtaken.ts';
import type { Beat, Heartbeat, Registration } from '../../core/protocol/records.ts';
import type { Mutation } from '../contract/mutations.ts';

type Writes = (access: MemoryAccess, principal: string) => OwnHeartbeat;

const OF_WRITES: readonly Mutation[] = [
  'sequence-by-agent',
  'register-by-machine',
  'renew-without-condition',
  'recreate-missing-item',
];

export function isOfWrites(mutation: Mutation): boolean {
  return OF_WRITES.includes(mutation);
}

/** Of one machine: what it makes knows what an earlier life of its agent has registered. */
export function writesOf(mutation: Mutation): Writes {
  let registration: Registration | null = null;
  switch (mutation) {
    case 'sequence-by-agent':
      return countedByAgent;
    case 'register-by-machine':
      return byMachine;
    case 'renew-without-condition':
      return (access, principal) => renewing(access, principal, (request) => overwrite(access, principal, request));
    case 'recreate-missing-item':
      return (access, principal) => ({
        ...renewing(access, principal, (request) => recreate(access, principal, request, registration)),
        register: (given, ...rest) => {
          registration = given;
          return memoryOwnHeartbeat(access, principal).register(given, ...rest);
        },
      });
    default:
      return memoryOwnHeartbeat;
  }
}

interface Renewal {
  readonly session: string;
  readonly beat: Beat;
  readonly ttl: number;
}

function renewing(access: MemoryAccess, principal: string, renew: (request: Renewal) => RenewAnswer): OwnHeartbeat {
  return {
    ...memoryOwnHeartbeat(access, principal),
    renew: (session, beat, ttl, capMs) =>
      access.performWithin('own.renew', principal, capMs, () => renew({ session, beat, ttl })),
  };
}

/** The store no longer adds: each life of the agent counts from 1, so that versions of a session repeat. */
function countedByAgent(access: MemoryAccess, principal: string): OwnHeartbeat {
  let sent = 0;
  return {
    ...memoryOwnHeartbeat(access, principal),
    renew(session, beat, ttl, capMs) {
      sent += 1;
      const seq = sent;
      return access.performWithin('own.renew', principal, capMs, (): RenewAnswer => {
        const stored = access.readHeartbeat(principal);
        if (stored === undefined) return { outcome: 'missing' };
        if (stored.heartbeat.session !== session) return { outcome: 'refused', found: stored.heartbeat };
        if (isOvertaken(stored.heartbeat, beat)) return { outcome: 'overtaken' };
        access.writeHeartbeat({ ...stored.heartbeat, ...beat, ttl, seq }, stored.revoked);
        return { outcome: 'renewed', heartbeat: itemOf(access, principal) };
      });
    },
  };
}

function byMachine(access: MemoryAccess, principal: string): OwnHeartbeat {
  const real = memoryOwnHeartbeat(access, principal);
  return {
    ...real,
    register: (registration, expected, beat, ttl) =>
      access.perform('own.register', principal, (): RegisterAnswer => {
        const stored = access.readHeartbeat(principal);
        const found = stored?.heartbeat;
        if (found?.session === registration.session) return { outcome: 'registered', heartbeat: found };
        const isAsRead = (found?.session ?? null) === expected;
        if (found?.machine !== registration.machine && !isAsRead) return { outcome: 'refused', found };
        const { directive, hurry } = found ?? { directive: 0 };
        const heartbeat: Heartbeat = { ...registration, ...beat, principal, seq: 1, directive, ...{ hurry }, ttl };
        access.writeHeartbeat(heartbeat, stored?.revoked);
        return { outcome: 'registered', heartbeat: itemOf(access, principal) };
      }),
  };
}

function overwrite(access: MemoryAccess, principal: string, { session, beat, ttl }: Renewal): RenewAnswer {
  const stored = access.readHeartbeat(principal);
  if (stored === undefined) return { outcome: 'missing' };
  const { heartbeat, revoked } = stored;
  access.writeHeartbeat({ ...heartbeat, ...beat, session, ttl, seq: heartbeat.seq + 1 }, revoked);
  return { outcome: 'renewed', heartbeat: itemOf(access, principal) };
}

function recreate(
  access: MemoryAccess,
  principal: string,
  { session, beat, ttl }: Renewal,
  registration: Registration | null,
): RenewAnswer {
  const stored = access.readHeartbeat(principal);
  if (stored === undefined) {
    if (registration?.session !== session) return { outcome: 'missing' };
    access.writeHeartbeat({ ...registration, ...beat, principal, seq: 1, directive: 0, ttl });
  } else {
    if (stored.heartbeat.session !== session) return { outcome: 'refused', found: stored.heartbeat };
    if (isOvertaken(stored.heartbeat, beat)) return { outcome: 'overtaken' };
    access.writeHeartbeat({ ...stored.heartbeat, ...beat, ttl, seq: stored.heartbeat.seq + 1 }, stored.revoked);
  }
  return { outcome: 'renewed', heartbeat: itemOf(access, principal) };
}

function itemOf(access: MemoryAccess, principal: string): Heartbeat {
  const stored = access.readHeartbeat(principal);
  if (stored === undefined) throw new HaError('store_unavailable', `${principal} is gone`);
  return stored.heartbeat;
}
