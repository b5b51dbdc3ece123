/** Reads of a machine's power with their moments, and the record that two of them leave (S7). */
import { messageOf } from '../../core/failures/failures.ts';
import type { PowerReading } from '../../core/ports.ts';
import type { PoweredOff } from '../../core/protocol/power-records.ts';
import { type Heartbeat, type HostRecord, keys } from '../../core/protocol/records.ts';
import {
  confirmationDueInMs,
  type Pair,
  pairOfReads,
  type PoweredSession,
  type TimedReading,
  whyNoRecord,
} from '../../core/recovery/power-off.ts';
import { changeRecord } from './change.ts';
import type { ControlPorts } from './ports.ts';

type ReadPorts = Pick<ControlPorts, 'power' | 'boot' | 'wall' | 'sleeper'>;

function failedRead(error: unknown): PowerReading {
  return {
    state: 'unknown',
    principal: null,
    launchTime: null,
    canHibernate: null,
    checks: 'unknown',
    impairedSince: null,
    says: messageOf(error),
  };
}

export async function readPower(ports: ReadPorts, machine: string): Promise<TimedReading> {
  const askedAt = ports.boot.now();
  const askedAtMs = ports.wall.now();
  const reading = await ports.power.read(machine).catch(failedRead);
  return { reading, askedAt, answeredAt: ports.boot.now(), askedAtMs };
}

/** Waits until the second read may be asked, and asks it. */
export async function confirmOff(ports: ReadPorts, about: PoweredSession, first: TimedReading): Promise<Pair> {
  const due = (): number => Math.ceil(confirmationDueInMs(about, first, ports.boot.now()));
  for (let dueInMs = due(); dueInMs > 0; dueInMs = due()) await ports.sleeper.sleep(dueInMs);
  return pairOfReads(about, first, await readPower(ports, about.machine));
}

/** Two reads that show the session's machine off are on record, and are evidence as they stand. */
export function isOnRecord(host: Pick<HostRecord, 'off' | 'principal'>, session: string): boolean {
  return whyNoRecord(host.off, host.principal, session) === null;
}

/**
 * The first pair about a session stays, if it is evidence; one about a session that is known to be older does not displace the newest's. What
 * the observer has not met yet is newer than what it has.
 */
export async function recordOff(
  ports: Pick<ControlPorts, 'registry'>,
  at: { readonly cluster: string; readonly host: string },
  off: PoweredOff,
): Promise<void> {
  await changeRecord<HostRecord>(ports.registry, keys.host(at.cluster, at.host), (old) => {
    if (old === undefined || isOnRecord(old, off.session)) return null;
    const isOlder = old.replaced?.seen.session === off.session || old.followed?.includes(off.session) === true;
    const isNewestKept = old.off !== undefined && old.off.session === old.seen?.session;
    return isOlder && isNewestKept ? null : { ...old, off };
  });
}

/** What a read says, for the record of a step. */
export function readingFacts({ reading }: TimedReading): Readonly<Record<string, unknown>> {
  const { state, launchTime, principal, checks, impairedSince, says } = reading;
  return { state, launchTime, principal, checks, impairedSince, says };
}

/** The session's item, where it still is the item: it knows how it was registered before the observer does. */
export function itemOf(item: Heartbeat | undefined, session: string): Heartbeat | undefined {
  return item?.session === session ? item : undefined;
}
