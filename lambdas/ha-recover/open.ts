/** Step `open`: claims the host or the slot for this run; whoever comes second closes as `Duplicate`. */
import { type ClusterFacts, loadCluster } from '../shared/cluster.ts';
import { changeRecord } from '../shared/change.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { openRun, recordEvent, recordStep } from '../shared/run-log.ts';
import type { HostFailure, PlannedWork, Work } from '../shared/work.ts';
import { slotOf, withSlot } from '../../core/recovery/ownership.ts';
import {
  type GroupRecord,
  type HostRecord,
  keys,
  type LateRecord,
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

  const observedAtMs = await firstHeld(ports, known, input);
  const opened = await openRun(ports, {
    ...newRun(run, input.cluster, 'HA', ports.wall.now()),
    host: input.host,
    session: input.session,
    seq: input.seq,
    phase: 'Investigating',
    observedAtMs,
  });
  const slots = ownedSlots(facts, input);
  const owned = slots.map(({ group, slot }) => `${group}/${slot}`).join(', ') || 'no slot';
  const says = `${input.host} is behind on its heartbeats (version ${input.seq} of session ${short(input.session)} stands still); it owns ${owned}`;
  await recordStep(ports, run, 'Open', says, { slots, observedAtMs: opened.observedAtMs });
  await recordEvent(ports, input.cluster, { kind: 'run.opened', subject: input.host, says, run, by: 'find-behind' });
  return { ...base, slots, next: 'Investigate', says };
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

/** When the observer first held exactly this version; without its record the count starts now, after reading it again. */
async function firstHeld(
  ports: ControlPorts,
  host: HostRecord,
  input: z.infer<typeof HostFailure>,
): Promise<WallInstant> {
  const late = await ports.registry.get<LateRecord>(keys.late(input.cluster, input.host));
  if (late?.body.session === input.session && late.body.seq === input.seq) return late.body.observedAtMs;
  await ports.heartbeats.read(host.principal);
  return ports.wall.now();
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
