/** Lets a hypothetical cluster come to rest, as the control plane would bring it there. */
import { unreachable } from '../failures/invariant.ts';
import type { Evidence, GroupRecord, SlotRecord } from '../protocol/records.ts';
import { leaseOver, whyNoLeaseOver } from '../recovery/evidence.ts';
import {
  asIfReleased,
  slotOf,
  withCandidates,
  withEvidence,
  withFailedHost,
  withPhase,
} from '../recovery/ownership.ts';
import { type ReconcileAction, reconcile } from '../recovery/reconcile.ts';
import { wallAfter } from '../time/time.ts';
import { chooseDestination, type Errand } from './destination.ts';
import type { Hypothetical } from './hypothetical.ts';
import { planSlots } from './plan.ts';

/** Passes of reconcile in which something may still change; far more than any story needs. */
const PASSES_MAX = 100;
/** Longer than any pause between two attempts. */
const PAUSE_MS = 61_000;

/** Passes until two in a row, with every pause between attempts behind them, change nothing. False: it was still busy. */
export function settle(state: Hypothetical): boolean {
  let isQuiet = false;
  for (let pass = 0; pass < PASSES_MAX; pass += 1) {
    let isChanged = false;
    // All start at once; what waits for a release (a stop, a move) ends last, so a start does not find its place free yet.
    const actions = reconcile(state.reconcileFacts).toSorted((a, b) => Number(isSlow(a)) - Number(isSlow(b)));
    for (const action of actions) isChanged = perform(state, action) || isChanged;
    isChanged = state.unprobed.size > 0 || isChanged;
    state.unprobed.clear();
    if (!isChanged && isQuiet) return true;
    isQuiet = !isChanged;
    if (isQuiet) state.nowMs = wallAfter(state.nowMs, PAUSE_MS);
  }
  return false;
}

function isSlow(action: ReconcileAction): boolean {
  return action.do === 'start_planned' && action.verb !== 'place';
}

const PHASES = { active: 'Active', starting: 'Starting', failed: 'Failed' } as const;

function perform(state: Hypothetical, action: ReconcileAction): boolean {
  const group = state.groups.get(action.do === 'start_ha' ? '' : action.group);
  switch (action.do) {
    case 'start_ha': {
      // Its item shows another session. Of the same machine: a successor; else the old one is waited out.
      return haRun(state, action);
    }
    case 'start_planned':
      return group === undefined ? false : planned(state, action, group);
    case 'hold': {
      const slot = group === undefined ? undefined : slotOf(group, action.slot);
      return slot === undefined ? false : hold(state, action.group, slot, action.why);
    }
    case 'standbys':
      if (group === undefined || JSON.stringify(group.standbys) === JSON.stringify(action.standbys)) return false;
      state.groups.set(action.group, { ...group, standbys: action.standbys });
      return true;
    case 'candidates': {
      if (group === undefined) return false;
      const next = withCandidates(group, action.slot, action.hosts, action.acknowledged);
      const slot = slotOf(next, action.slot);
      state.groups.set(action.group, next);
      if (slot?.owner) state.acknowledge(slot.owner.host, action.group, slot);
      return next !== group;
    }
    case 'active':
    case 'starting':
    case 'failed': {
      if (group === undefined) return false;
      const change = withPhase(group, action, PHASES[action.do], action.why, state.nowMs);
      if (!change.ok || change.group === group) return false;
      state.groups.set(action.group, change.group);
      return true;
    }
    default:
      return unreachable(action);
  }
}

function hold(state: Hypothetical, group: string, slot: SlotRecord, why: string): boolean {
  state.decide({ group, slot: slot.slot, to: null, why });
  const isSame = slot.phase === 'Held' && slot.why === why;
  return isSame ? false : state.setSlot(group, { ...slot, phase: 'Held', why });
}

/** Step `place` of a run; true if anything changed. */
function place(state: Hypothetical, group: string, slotNo: number, errand: Errand): boolean {
  const record = state.groups.get(group);
  const slot = record === undefined ? undefined : slotOf(record, slotNo);
  if (record === undefined || slot === undefined) return false;
  const { host, says } = chooseDestination(state.snapshot, record, slotNo, errand);
  if (host === null) return hold(state, group, slot, says);
  const refusal = state.take(group, slot, host);
  if (refusal !== null) return hold(state, group, slot, refusal);
  state.decide({ group, slot: slotNo, to: host, why: says });
  return true;
}

type PlannedStart = Extract<ReconcileAction, { readonly do: 'start_planned' }>;

function planned(state: Hypothetical, action: PlannedStart, group: GroupRecord): boolean {
  const { verb, slot: slotNo } = action;
  const slot = slotOf(group, slotNo);
  if (slot === undefined || slot.epoch !== action.epoch) return false;
  if (verb === 'place') return place(state, group.group, slotNo, { verb, attempt: 0, to: null });
  const released = asIfReleased(group, slot, state.nowMs);
  if (verb === 'stop') {
    state.groups.set(group.group, released);
    state.decide({ group: group.group, slot: slotNo, to: null, why: `${action.why}, so it would be stopped` });
    return true;
  }
  const owner = slot.owner?.host ?? '';
  const freed = verb === 'restart' ? withFailedHost(released, slotNo, owner, state.nowMs) : released;
  const { host, says } = chooseDestination(state.snapshot, freed, slotNo, { verb, attempt: 0, to: null });
  if (host === null) {
    // Nothing is stopped; it is tried again ever more rarely, with the same outcome.
    state.decide({ group: group.group, slot: slotNo, to: owner, why: `it stays where it is: ${says}` });
    return false;
  }
  state.groups.set(group.group, freed);
  const freedSlot = slotOf(freed, slotNo);
  const refusal =
    freedSlot === undefined ? 'the slot is gone' : state.take(group.group, freedSlot, host, verb === 'move');
  state.decide({ group: group.group, slot: slotNo, to: refusal === null ? host : null, why: refusal ?? says });
  return true;
}

/** A run about a session that is over: evidence on its slots, then wave after wave. True if anything changed. */
export function haRun(state: Hypothetical, over: { readonly host: string; readonly session: string }): boolean {
  const ours = state.owned(over);
  const refused: string[] = [];
  for (const { group, slot } of ours) {
    const record = state.groups.get(group);
    const accepts = state.specOf(group)?.accepts ?? [];
    const evidence = evidenceAbout(state, over, group, slot);
    const change =
      record === undefined || typeof evidence === 'string' ? null : withEvidence(record, slot.slot, evidence, accepts);
    if (change?.ok === true) state.groups.set(group, change.group);
    else refused.push(`${group}/${slot.slot}`);
    if (change?.ok === true) continue;
    const why = typeof evidence === 'string' ? evidence : (change?.why ?? 'it has no record');
    state.decide({
      group,
      slot: slot.slot,
      to: null,
      why: `nothing would prove that ${over.host} no longer runs it: ${why}`,
    });
  }
  const freed = ours.filter(({ group, slot }) => !refused.includes(`${group}/${slot.slot}`));
  if (!state.haEnabled) {
    for (const { group, slot } of freed)
      state.decide({ group, slot: slot.slot, to: null, why: 'HA is switched off for this cluster' });
    return freed.length > 0;
  }
  const isOurs = (group: string, slot: number): boolean =>
    freed.some((one) => one.group === group && one.slot.slot === slot);
  const { actions } = planSlots(state.snapshot, { explain: () => false });
  // Waves, one after the other: what has no host in the plan is held first, then reconcile asks about it again.
  for (const action of actions.filter((one) => isOurs(one.group, one.slot)))
    place(state, action.group, action.slot, { verb: 'ha', attempt: 0, to: null });
  return freed.length > 0;
}

/** The evidence that would be had about a host that falls silent, by what its slots accept; or why there is none. */
export function evidenceAbout(
  state: Hypothetical,
  over: { readonly host: string; readonly session: string },
  group: string,
  slot: SlotRecord,
): Evidence | string {
  const heartbeat = state.heartbeats.get(over.host);
  const accepts = state.specOf(group)?.accepts ?? [];
  const finding = state.finding();
  const session = state.liveSession(over.host);
  const about = { ...over, ...finding, takers: null };
  if (session !== null && session !== over.session)
    return { ...about, kind: 'successor', because: 'another session stands in its place' };
  if (heartbeat === undefined) return `${over.host} has never registered`;
  const noLease = whyNoLeaseOver(heartbeat);
  if (accepts.includes('lease-over') && noLease === null) {
    const evidence = leaseOver({ ...heartbeat, host: over.host, session: over.session }, slot, group, finding);
    if (evidence !== null) return evidence;
  }
  const canPowerOff = state.definition.hosts
    .find(({ name }) => name === over.host)
    ?.fencing.some((level) => level.includes('ec2'));
  if (accepts.includes('power-off') && canPowerOff === true)
    return { ...about, kind: 'power-off', because: 'its machine would be powered off' };
  const can = accepts.length === 0 ? 'no evidence about a silent owner' : accepts.join(', ');
  return `${group} accepts ${can}${noLease === null ? '' : `, and ${noLease}`}`;
}
