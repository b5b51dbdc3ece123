/** Mutations that lie in what is read of stored records; what is written back is kept as it was. */
import { unpack } from '../../adapters/node/packing.ts';
import type { Definition } from '../../core/config/model.ts';
import type { Registry } from '../../core/ports.ts';
import {
  type ClusterRecord,
  type DefinitionRecord,
  type Heartbeat,
  type HostRecord,
  type Key,
  keys,
  type RunRecord,
  type SeenSession,
  type SessionTiming,
} from '../../core/protocol/records.ts';
import { type WallInstant, wallInstant } from '../../core/time/time.ts';
import type { ControlPorts } from '../../lambdas/shared/ports.ts';
import type { SimStore } from '../contract/parts.ts';

/** How the bodies of one kind of record are shown, and what is stored of a body that was shown so. */
interface Shown<T> {
  readonly isMeant: (key: Key) => boolean;
  readonly show: (body: T) => T;
  readonly store: (body: T) => T;
}

function showing<T>(registry: Registry, shown: Shown<T>): Registry {
  // The key tells what kind of record it is.
  const show = <Body>(key: Key, body: Body): Body =>
    shown.isMeant(key) ? (shown.show(body as unknown as T) as unknown as Body) : body;
  const store = <Body>(key: Key, body: Body): Body =>
    shown.isMeant(key) ? (shown.store(body as unknown as T) as unknown as Body) : body;
  return {
    ...registry,
    get: async <Body>(key: Key) => {
      const stored = await registry.get<Body>(key);
      return stored === undefined ? undefined : { ...stored, body: show(key, stored.body) };
    },
    query: async <Body>(pk: string, options: Parameters<Registry['query']>[1]) => {
      const all = await registry.query<Body>(pk, options);
      return all.map((stored) => ({ ...stored, body: show(stored.key, stored.body) }));
    },
    put: (key, body, expected) => registry.put(key, store(key, body), expected),
  };
}

const isHost = ({ sk }: Key): boolean => sk.startsWith('HOST#');
const isRun = ({ pk, sk }: Key): boolean => pk.startsWith('R#') && sk === 'RUN';

/** Every session is shown with the timing of the definition in force, as if nobody had recorded its own (S19). */
export function timedAsToday(ports: ControlPorts, store: SimStore): ControlPorts {
  const known = new Map<string, SessionTiming>();
  const own = new Map<string, SessionTiming>();
  const today = (cluster: string): SessionTiming | undefined => {
    const at = keys.cluster(cluster);
    const record = store.record<ClusterRecord>(at.pk, at.sk);
    if (record === undefined) return undefined;
    const name = `${cluster} ${record.rev} ${record.incarnation}`;
    const timing = known.get(name) ?? timingOf(store, cluster, record.rev);
    if (timing !== undefined) known.set(name, timing);
    return timing;
  };
  const item = (heartbeat: Heartbeat): Heartbeat => {
    own.set(heartbeat.session, heartbeat.timing);
    return { ...heartbeat, timing: today(heartbeat.cluster) ?? heartbeat.timing };
  };
  const inHost = (cluster: string): Shown<HostRecord> => ({
    isMeant: isHost,
    show: (host) =>
      withSessions(host, (seen) => {
        own.set(seen.session, seen.timing);
        return { ...seen, timing: today(cluster) ?? seen.timing };
      }),
    store: (host) => withSessions(host, (seen) => ({ ...seen, timing: own.get(seen.session) ?? seen.timing })),
  });
  const registryOf = (pk: string): Registry => showing(ports.registry, inHost(pk.slice('C#'.length)));
  return {
    ...ports,
    heartbeats: {
      ...ports.heartbeats,
      scan: async () => (await ports.heartbeats.scan()).map(item),
      read: async (principal) => {
        const heartbeat = await ports.heartbeats.read(principal);
        return heartbeat === undefined ? undefined : item(heartbeat);
      },
    },
    registry: {
      get: (key) => registryOf(key.pk).get(key),
      query: (pk, options) => registryOf(pk).query(pk, options),
      put: (key, body, expected) => registryOf(key.pk).put(key, body, expected),
      remove: (key, expected) => ports.registry.remove(key, expected),
    },
  };
}

function timingOf(store: SimStore, cluster: string, rev: number): SessionTiming | undefined {
  const at = keys.definition(cluster, rev);
  const stored = store.record<DefinitionRecord>(at.pk, at.sk);
  if (stored === undefined) return undefined;
  const { timing } = unpack(stored.packed) as Definition; // Validated before it was stored.
  const { intervalMs, holderLeaseMs, takerWaitMs, killMs, writeLifeMs, freezeMs, clockRateError } = timing;
  return { intervalMs, holderLeaseMs, takerWaitMs, killMs, writeLifeMs, freezeMs, clockRateError };
}

function withSessions(host: HostRecord, change: (seen: SeenSession) => SeenSession): HostRecord {
  const { seen, replaced } = host;
  return {
    ...host,
    seen: seen === null ? null : change(seen),
    ...(replaced === undefined ? {} : { replaced: { ...replaced, seen: change(replaced.seen) } }),
  };
}

/** So long ago that every wait is over. */
const LONG_AGO = wallInstant(0);

/** Every moment that a wait of L_c + ε counts from lies long ago. */
export function startedBeforeEvidence(ports: ControlPorts): ControlPorts {
  // What was stored instead, by what it is about.
  const real = new Map<string, WallInstant>();
  const hide = (what: string, at: WallInstant): WallInstant => {
    if (at !== LONG_AGO) real.set(what, at);
    return LONG_AGO;
  };
  const reveal = (what: string, at: WallInstant): WallInstant => (at === LONG_AGO ? (real.get(what) ?? at) : at);
  const runs = (change: typeof hide): ((run: RunRecord) => RunRecord) => {
    return (run) =>
      run.observedAtMs === null ? run : { ...run, observedAtMs: change(`run ${run.run}`, run.observedAtMs) };
  };
  const hosts = (change: typeof hide): ((host: HostRecord) => HostRecord) => {
    return ({ tombstoneAtMs, replaced, ...host }) => ({
      ...host,
      tombstoneAtMs: tombstoneAtMs === null ? null : change(`stone ${host.principal}`, tombstoneAtMs),
      ...(replaced === undefined
        ? {}
        : { replaced: { ...replaced, atMs: change(`replaced ${replaced.seen.session}`, replaced.atMs) } }),
    });
  };
  const inRuns: Shown<RunRecord> = { isMeant: isRun, show: runs(hide), store: runs(reveal) };
  const inHosts: Shown<HostRecord> = { isMeant: isHost, show: hosts(hide), store: hosts(reveal) };
  return { ...ports, registry: showing(showing(ports.registry, inRuns), inHosts) };
}
