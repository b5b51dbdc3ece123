import type { Heartbeats, OwnHeartbeat, Registry } from '../../core/ports.ts';
import type { Beat, Registration } from '../../core/protocol/records.ts';

/** What a contract suite is run on: empty tables and every port to them. */
export interface StoreUnderTest {
  own(principal: string): OwnHeartbeat;
  heartbeats(onMalformed?: (principal: string, why: string) => void): Heartbeats;
  registry(): Registry;
  /** Writes any heartbeat item, as a hand in the console could. */
  plant(principal: string, fields: object): Promise<void>;
}

export interface StoreFamily {
  readonly name: string;
  /** Fresh tables. */
  open(): Promise<StoreUnderTest>;
  /** Frees what `open` took. */
  close(): Promise<void>;
}

export const TTL = 1_800_000_000;
/** Far longer than any renewal here takes. */
export const CAP_MS = 20_000;

export function registration(session: string, changes: Partial<Registration> = {}): Registration {
  return {
    session,
    cluster: 'payments',
    host: 'db-1',
    machine: 'i-0abc',
    bootId: 'boot-1',
    launchTime: '2026-11-21T08:00:00.000Z',
    guardLevel: 'watchdog',
    rules: 1,
    timing: {
      intervalMs: 1_000,
      holderLeaseMs: 10_000,
      takerWaitMs: 12_000,
      killMs: 500,
      writeLifeMs: 500,
      freezeMs: 500,
      clockRateError: 0.001,
    },
    agentVersion: '0.1.0',
    incarnation: 'first',
    mayHold: true,
    ...changes,
  };
}

export function beat(changes: Partial<Beat> = {}): Beat {
  return {
    obeyed: 0,
    slots: [{ group: 'postgres', slot: 0, epoch: 3, phase: 'Active', health: 'ok' }],
    lists: { 'postgres/0': 2 },
    sentAtWallMs: 1_764_000_000_123,
    ...changes,
  };
}

/** A registered host, for tests of what comes afterwards. */
export async function registered(store: StoreUnderTest, principal: string, session: string): Promise<OwnHeartbeat> {
  const own = store.own(principal);
  const answer = await own.register(registration(session), null, beat(), TTL);
  if (answer.outcome !== 'registered') throw new Error(`${principal} is not registered`);
  return own;
}
