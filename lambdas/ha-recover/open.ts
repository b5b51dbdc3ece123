/** Step `open`: claims the host or the slot for this run; whoever comes second closes as `Duplicate`. */
import { type ClusterFacts, loadCluster } from '../shared/cluster.ts';
import { changeRecord } from '../shared/change.ts';
import { hurryTakers } from '../shared/hurry.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { openRun, recordEvent, recordStep } from '../shared/run-log.ts';
import type { HostFailure, PlannedWork, Work } from '../shared/work.ts';
import { recoveryBoundMs } from '../../core/config/timing.ts';
import { startInWavesMs } from '../../core/placement/aggregates.ts';
import { standingOrder } from '../../core/recovery/fencing.ts';
import { slotOf, withSlot } from '../../core/recovery/ownership.ts';
import type { LateRecord } from '../../core/protocol/observer-records.ts';
import {
  type GroupRecord,
  type HostRecord,
  keys,
  type RunRecord,
  type SlotRecord,
  type WorkType,
} from '../../core/protocol/records.ts';
import type { WallInstant } from '../../core/time/time.ts';
import type * as z from 'zod';

const WORK_TYPES: Record<z.infer<typeof PlannedWork>['verb'], WorkType> = {
  place: 'Place',
  move: 'Move',
  restart: 'Restart',
  stop: 'Stop',
};

const EMPTY: Omit<Work, 'cluster' | 'verb' | 'next' | 'says'> = {
  host: null,
  session: null,
  seq: 0,
  epoch: 0,
  to: null,
  slots: [],
  waves: [],
  round: 0,
};

function newRun(run: string, cluster: string, work: WorkType, openedAtMs: WallInstant): RunRecord {
  const nothing = { host: null, session: null, seq: null, group: null, slot: null, outcome: null } as const;
  return {
    run,
    cluster,
    work,
    ...nothing,
    phase: 'Scheduled',
    summary: '',
    openedAtMs,
    closedAtMs: null,
    observedAtMs: null,
  };
}

/** A claim is live while its run is: one whose run has ended was left behind by a crash (S17). */
async function isLive(ports: ControlPorts, run: string): Promise<boolean> {
  return (await ports.workflow.status(run)) === 'RUNNING';
}

export async function openFailure(ports: ControlPorts, run: string, input: z.infer<typeof HostFailure>): Promise<Work> {
  const facts = await loadCluster(ports, input.cluster);
  const base: Work = { ...EMPTY, ...input, verb: 'ha', next: '', says: '' };
  const known = facts.hosts.find((host) => host.host === input.host);
  if (known === undefined) return { ...base, next: 'Gone', says: `${input.host} is not defined in ${input.cluster}` };
  const claimed = await claimHost(ports, facts, run, input);
  if (claimed !== null) return { ...base, next: 'Duplicate', says: `run ${claimed} works on ${input.host} already` };

  const slots = ownedSlots(facts, input);
  const late = await lateOf(ports, input);
  const observedAtMs = late?.observedAtMs ?? (await heldFromNow(ports, known));
  const opened = await openRun(ports, {
    ...newRun(run, input.cluster, 'HA', ports.wall.now()),
    host: input.host,
    session: input.session,
    seq: input.seq,
    phase: 'Investigating',
    observedAtMs,
    boundMs: boundOf(facts, slots),
  });
  await hurryTakers(ports, facts, { host: input.host, groups: slots.map(({ group }) => group) });
  const owned = slots.map(({ group, slot }) => `${group}/${slot}`).join(', ') || 'no slot';
  const { why, by } = whyOpened(facts, known, input, { late, nowMs: ports.wall.now() });
  const says = `${why}; it owns ${owned}`;
  await recordStep(ports, run, 'Open', says, { slots, observedAtMs: opened.observedAtMs });
  await recordEvent(ports, input.cluster, { kind: 'run.opened', subject: input.host, says, run, by });
  return { ...base, slots, next: 'Investigate', says };
}

/** V10 for what the session owns; the status shows the same for a host that owns something of every group. */
function boundOf({ definition }: ClusterFacts, slots: Work['slots']): number {
  const groups = definition.groups.filter(({ name }) => slots.some(({ group }) => group === name));
  return recoveryBoundMs(definition.timing, { startMs: startInWavesMs(groups) });
}

async function claimHost(
  ports: ControlPorts,
  facts: ClusterFacts,
  run: string,
  input: z.infer<typeof HostFailure>,
): Promise<string | null> {
  let other: string | null = null;
  await changeRecord<HostRecord>(ports.registry, keys.host(facts.record.cluster, input.host), async (old) => {
    other = null;
    if (old === undefined || old.claim?.run === run) return null;
    if (old.claim !== null && (await isLive(ports, old.claim.run))) {
      other = old.claim.run;
      return null;
    }
    return { ...old, claim: { run, session: input.session, atMs: ports.wall.now() } };
  });
  return other;
}

/** What the observer recorded when it first held exactly this version; undefined: it has not called it late. */
async function lateOf(ports: ControlPorts, input: z.infer<typeof HostFailure>): Promise<LateRecord | undefined> {
  const late = (await ports.registry.get<LateRecord>(keys.late(input.cluster, input.host)))?.body;
  return late?.session === input.session && late.seq === input.seq ? late : undefined;
}

/** Without the observer's record the count starts now, after reading it again. */
async function heldFromNow(ports: ControlPorts, host: HostRecord): Promise<WallInstant> {
  await ports.heartbeats.read(host.principal);
  return ports.wall.now();
}

/** What the run is about, to somebody who knows nothing yet, and who saw it. */
function whyOpened(
  facts: ClusterFacts,
  known: HostRecord,
  { host, session, seq }: z.infer<typeof HostFailure>,
  { late, nowMs }: { readonly late: LateRecord | undefined; readonly nowMs: WallInstant },
): { readonly why: string; readonly by: string } {
  const order = standingOrder(known, session, nowMs);
  if (order !== null) return { why: `${order.by} ordered ${host} to be powered off`, by: order.by };
  const standing = facts.heartbeats.get(known.principal)?.session;
  // Nobody's observation: what an earlier run left.
  if (standing !== session || seq === 0) {
    const gone = standing === undefined ? 'its heartbeat item is gone' : 'no run has done so yet';
    return { why: `what session ${short(session)} of ${host} ran is to be settled: ${gone}`, by: 'control-plane' };
  }
  if (late !== undefined) {
    const last = `the last renewal was version ${seq} of its session ${short(session)}`;
    return { why: `${host} no longer renews its lease: ${last}`, by: 'find-behind' };
  }
  return { why: `EC2 reports that the machine of ${host} is going down or is off`, by: 'instance-state' };
}

export function ownedSlots(
  facts: ClusterFacts,
  owner: { readonly host: string; readonly session: string },
): Work['slots'] {
  const isTheirs = (slot: SlotRecord): boolean =>
    slot.owner?.host === owner.host && slot.owner.session === owner.session;
  return facts.groups.flatMap((group) =>
    group.slots.filter(isTheirs).map((slot) => ({ group: group.group, slot: slot.slot })),
  );
}

export async function openPlanned(ports: ControlPorts, run: string, input: z.infer<typeof PlannedWork>): Promise<Work> {
  const { cluster, group, slot, epoch, verb, to } = input;
  const base: Work = { ...EMPTY, cluster, verb, epoch, to, slots: [{ group, slot }], next: '', says: '' };
  const { refusal, claimed } = await claimSlot(ports, run, input);
  if (refusal !== null) return { ...base, ...refusal };
  await openRun(ports, {
    ...newRun(run, cluster, WORK_TYPES[verb], ports.wall.now()),
    group,
    slot,
    phase: 'Restarting',
  });
  const says = plannedInWords(input, claimed);
  await recordStep(ports, run, 'Open', says, { epoch, owner: claimed?.owner ?? null });
  return { ...base, next: 'Plan', says };
}

interface SlotClaim {
  readonly refusal: Pick<Work, 'next' | 'says'> | null;
  readonly claimed: SlotRecord | undefined;
}

async function claimSlot(ports: ControlPorts, run: string, input: z.infer<typeof PlannedWork>): Promise<SlotClaim> {
  const { cluster, group, slot, epoch } = input;
  const where = `${group}/${slot}`;
  let claim: SlotClaim = { refusal: null, claimed: undefined };
  await changeRecord<GroupRecord>(ports.registry, keys.group(cluster, group), async (old) => {
    const record = old === undefined ? undefined : slotOf(old, slot);
    const refuse = (next: string, says: string): null => {
      claim = { refusal: { next, says }, claimed: record };
      return null;
    };
    if (old === undefined || record === undefined) return refuse('Gone', `${where} does not exist`);
    claim = { refusal: null, claimed: record };
    if (record.claim === run) return null;
    if (record.epoch !== epoch)
      return refuse('Gone', `${where} is at epoch ${record.epoch}, the work was for ${epoch}`);
    if (record.claim !== null && (await isLive(ports, record.claim))) {
      return refuse('Duplicate', `run ${record.claim} works on ${where} already`);
    }
    return withSlot(old, { ...record, claim: run, attempt: record.attempt + 1 });
  });
  return claim;
}

function plannedInWords(input: z.infer<typeof PlannedWork>, slot: SlotRecord | undefined): string {
  const where = `${input.group}/${input.slot}`;
  const from = slot?.owner?.host ?? 'nowhere';
  switch (input.verb) {
    case 'place':
      return `${where} has no owner and needs one`;
    case 'move':
      return `${where} is to move from ${from} to ${input.to ?? 'the best other host'}`;
    case 'restart':
      return `${where} failed on ${from} beyond its local restarts and is to run elsewhere`;
    case 'stop':
      return `${where} is no longer defined and is to stop on ${from}`;
  }
}

export function short(session: string): string {
  return session.slice(0, 8);
}
