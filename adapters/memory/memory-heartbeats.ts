import { HaError } from '../../core/failures/failures.ts';
import type { Heartbeats, OwnHeartbeat, RegisterAnswer, RenewAnswer, RevokeAnswer } from '../../core/ports.ts';
import type { Beat, Heartbeat, Registration } from '../../core/protocol/records.ts';
import { REVOKED_PREFIX } from '../../core/protocol/records.ts';
import { isOvertaken, sentIn } from '../../core/protocol/overtaken.ts';
import { tombstoneOf } from '../../core/protocol/tombstone.ts';
import { readText } from './memory-tables.ts';
import type { MemoryAccess } from './memory-tables.ts';

export function memoryOwnHeartbeat(store: MemoryAccess, principal: string): OwnHeartbeat {
  return {
    read: () => store.perform('own.read', principal, () => store.readHeartbeat(principal)?.heartbeat),
    register: (registration, expected, beat, ttl) =>
      store.perform('own.register', principal, () => register(store, principal, { registration, expected, beat, ttl })),
    renew: (session, beat, ttl, capMs) =>
      store.performWithin('own.renew', principal, capMs, () => renew(store, principal, { session, beat, ttl })),
  };
}

interface RegisterRequest {
  readonly registration: Registration;
  readonly expected: string | null;
  readonly beat: Beat;
  readonly ttl: number;
}

function register(store: MemoryAccess, principal: string, request: RegisterRequest): RegisterAnswer {
  const { registration, expected, beat, ttl } = request;
  const stored = store.readHeartbeat(principal);
  // The answer to this very registration was lost. Writing again would set seq back within a session (S2).
  if (stored?.heartbeat.session === registration.session) {
    return { outcome: 'registered', heartbeat: stored.heartbeat };
  }
  if ((stored?.heartbeat.session ?? null) !== expected) return { outcome: 'refused', found: stored?.heartbeat };
  const directive = stored?.heartbeat.directive ?? 0;
  const hurried = stored?.heartbeat.hurry === undefined ? {} : { hurry: stored.heartbeat.hurry };
  const mark = sentIn(registration.session, beat);
  const heartbeat: Heartbeat = { ...registration, ...beat, ...mark, principal, seq: 1, directive, ...hurried, ttl };
  store.writeHeartbeat(heartbeat, stored?.revoked);
  return { outcome: 'registered', heartbeat: written(store, principal) };
}

interface RenewRequest {
  readonly session: string;
  readonly beat: Beat;
  readonly ttl: number;
}

function renew(store: MemoryAccess, principal: string, { session, beat, ttl }: RenewRequest): RenewAnswer {
  const stored = store.readHeartbeat(principal);
  if (stored === undefined) return { outcome: 'missing' };
  const { heartbeat, revoked } = stored;
  if (heartbeat.session !== session) return { outcome: 'refused', found: heartbeat };
  if (isOvertaken(heartbeat, beat)) return { outcome: 'overtaken' };
  store.writeHeartbeat({ ...heartbeat, ...beat, ...sentIn(session, beat), ttl, seq: heartbeat.seq + 1 }, revoked);
  return { outcome: 'renewed', heartbeat: written(store, principal) };
}

/** A fresh copy, so that nobody holds what somebody else passed in. */
function written(store: MemoryAccess, principal: string): Heartbeat {
  const stored = store.readHeartbeat(principal);
  if (stored === undefined) throw new HaError('store_unavailable', `${principal} is gone`);
  return stored.heartbeat;
}

export function memoryHeartbeats(store: MemoryAccess): Heartbeats {
  return {
    scan: () => store.perform('heartbeats.scan', '', () => scan(store)),
    read: (principal) => store.perform('heartbeats.read', principal, () => store.readHeartbeat(principal)?.heartbeat),
    revoke: (principal, session, seq, run) =>
      store.perform('heartbeats.revoke', principal, () => revoke(store, { principal, session, seq, run })),
    tombstone: (principal, cluster, host, run, ttl) =>
      store.perform('heartbeats.tombstone', principal, () =>
        tombstone(store, tombstoneOf({ principal, cluster, host, run, ttl })),
      ),
    direct: (principal, n) => store.perform('heartbeats.direct', principal, () => direct(store, principal, n)),
    hurry: (principal, mark) => store.perform('heartbeats.hurry', principal, () => hurry(store, principal, mark)),
  };
}

function scan(store: MemoryAccess): readonly Heartbeat[] {
  const { heartbeats, earlier } = store.tables;
  const found: Heartbeat[] = [];
  // Of every item that there ever was: a scan that is behind may still show one that was deleted.
  for (const principal of new Set([...heartbeats.keys(), ...earlier.keys()])) {
    const kept = earlier.get(principal) ?? [];
    const behind = Math.min(store.hooks.staleBy?.(principal, kept.length) ?? 0, kept.length);
    const text = behind <= 0 ? heartbeats.get(principal) : kept[behind - 1];
    if (text === undefined || text === null) continue;
    const stored = readText(text);
    if ('malformed' in stored) store.hooks.onMalformed?.(principal, stored.malformed);
    else found.push(stored.heartbeat);
  }
  return found;
}

interface RevokeRequest {
  readonly principal: string;
  readonly session: string;
  readonly seq: number;
  readonly run: string;
}

function revoke(store: MemoryAccess, { principal, session, seq, run }: RevokeRequest): RevokeAnswer {
  const stored = store.readHeartbeat(principal);
  if (stored === undefined) return { outcome: 'refused', found: undefined };
  const { heartbeat, revoked } = stored;
  const by = REVOKED_PREFIX + run;
  if (heartbeat.session === session && heartbeat.seq === seq) {
    store.writeHeartbeat({ ...heartbeat, session: by }, { revokedSession: session, revokedSeq: seq });
    return { outcome: 'revoked', heartbeat };
  }
  if (heartbeat.session === by && revoked.revokedSession === session && revoked.revokedSeq === seq) {
    return { outcome: 'revoked', heartbeat: { ...heartbeat, session, seq } };
  }
  return { outcome: 'refused', found: heartbeat };
}

function tombstone(store: MemoryAccess, stone: Heartbeat): boolean {
  const found = store.readHeartbeat(stone.principal)?.heartbeat;
  if (found !== undefined) return found.session === stone.session && found.machine === stone.machine;
  store.writeHeartbeat(stone);
  return true;
}

function direct(store: MemoryAccess, principal: string, n: number): void {
  const stored = store.readHeartbeat(principal);
  if (stored === undefined || stored.heartbeat.directive >= n) return;
  store.writeHeartbeat({ ...stored.heartbeat, directive: n }, stored.revoked);
}

function hurry(store: MemoryAccess, principal: string, mark: number): void {
  const stored = store.readHeartbeat(principal);
  if (stored !== undefined) store.writeHeartbeat({ ...stored.heartbeat, hurry: mark }, stored.revoked);
}
