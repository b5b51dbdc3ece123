/** What the doctor is given. Plain facts of one moment; how fresh and how complete they are is said beside them. */
import type { Definition, HostDefinition } from '../config/model.ts';
import type { PowerReading } from '../ports.ts';
import type { FenceTestRecord } from '../protocol/fence-test-records.ts';
import type { TroubleRecord } from '../protocol/observer-records.ts';
import type { ClusterRecord, GroupRecord, Heartbeat, HostRecord } from '../protocol/records.ts';
import { REVOKED_PREFIX } from '../protocol/records.ts';
import type { DoctorCheck } from '../protocol/views.ts';
import type { WallInstant } from '../time/time.ts';

export interface DoctorFacts {
  readonly record: ClusterRecord;
  readonly definition: Definition;
  readonly hosts: readonly HostRecord[];
  readonly groups: readonly GroupRecord[];
  /** By principal. */
  readonly heartbeats: ReadonlyMap<string, Heartbeat>;
  /** Of the observer's last sweep; null: it never ran. */
  readonly lastSweepMs: WallInstant | null;
  readonly troubles: readonly TroubleRecord[];
  /** By host, for those whose power was asked for. */
  readonly power: ReadonlyMap<string, PowerReading>;
  /** Hosts with the fence `ec2` that were left out, to bound the calls. */
  readonly powerUnasked: readonly string[];
  /** By host, for those whose machine the fence's self-test has looked at. */
  readonly fenceTests: ReadonlyMap<string, FenceTestRecord>;
  /** Name of the Lambda that stops machines, for whoever has to look at it; null: this deployment has none. */
  readonly fenceFunction: string | null;
  readonly nowMs: WallInstant;
}

/** A host as the checks look at it: what is defined, what is believed, what it said last. */
export interface HostCase {
  readonly name: string;
  readonly defined: HostDefinition;
  readonly record: HostRecord | undefined;
  /** The item of its principal, whoever wrote it last. */
  readonly item: Heartbeat | undefined;
  /** Its session stands: it was neither revoked nor is the item a tombstone. */
  readonly isLive: boolean;
}

export function hostCases(facts: DoctorFacts): readonly HostCase[] {
  const records = new Map(facts.hosts.map((record) => [record.host, record]));
  return facts.definition.hosts.map((defined) => {
    const record = records.get(defined.name);
    const item = record === undefined ? undefined : facts.heartbeats.get(record.principal);
    const isLive = item !== undefined && !item.session.startsWith(REVOKED_PREFIX);
    return { name: defined.name, defined, record, item, isLive };
  });
}

/** It could be given a slot now, as far as the host alone decides (placement's filters `admin` and `status`). */
export function isEligible({ record, isLive }: HostCase): boolean {
  return isLive && record?.status === 'Up' && record.admin === 'enabled';
}

export function hasPowerFence({ fencing }: Pick<HostDefinition, 'fencing'>): boolean {
  return fencing.some((level) => level.includes('ec2'));
}

export interface Found {
  readonly subject: string;
  readonly says: string;
  readonly change: string;
}

export interface Judged extends Found {
  readonly verdict: 'warn' | 'fail';
}

/** One line of the answer per finding, or one `ok` that says what was looked at. */
export function verdicts(
  id: string,
  found: readonly Judged[],
  ok: { readonly subject: string; readonly says: string },
): readonly DoctorCheck[] {
  if (found.length === 0) return [{ id, verdict: 'ok', ...ok, change: null }];
  return found.map(({ verdict, subject, says, change }) => ({ id, verdict, subject, says, change }));
}

export const fail = (found: Found): Judged => ({ ...found, verdict: 'fail' });
export const warn = (found: Found): Judged => ({ ...found, verdict: 'warn' });

/** `1 host`, `3 hosts`. */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** Roughly, for people: `under 1 s`, `40 s`, `12 min`, `5 h`, `3 days`. */
export function roughly(ms: number): string {
  const length = Math.max(0, ms);
  if (length < 1000) return 'under 1 s';
  if (length < 120_000) return `${Math.round(length / 1000)} s`;
  if (length < 2 * 3_600_000) return `${Math.round(length / 60_000)} min`;
  if (length < 2 * 86_400_000) return `${Math.round(length / 3_600_000)} h`;
  return `${Math.round(length / 86_400_000)} days`;
}
