/**
 * What a reconcile pass should do: a function of the facts, so that a pass that runs twice or late does nothing new.
 * It brings every group to its redundancy model and asks again about everything that is held.
 */
import { type Definition, type GroupDefinition, type ServiceDefinition, slotCount } from '../config/model.ts';
import { candidateHosts, candidateList } from '../placement/candidates.ts';
import type { HostFacts, SlotExplanation } from '../placement/facts.ts';
import { plan, planSlots } from '../placement/plan.ts';
import { standbysNow } from '../placement/standbys.ts';
import type { GroupRecord, Heartbeat, HostRecord, SlotRecord } from '../protocol/records.ts';
import { wallElapsed, type WallInstant } from '../time/time.ts';
import { drainMoves } from './admin-drain.ts';
import { damped } from './damping.ts';
import { asIfReleased, forgiven, isOwned } from './ownership.ts';
import { reasonOf } from './told.ts';
import { isShortOfHosts, mayWait, WAITS } from './waiting.ts';

export interface ReconcileFacts {
  readonly cluster: string;
  readonly definition: Definition;
  readonly haEnabled: boolean;
  readonly hosts: readonly HostRecord[];
  readonly hostFacts: readonly HostFacts[];
  readonly groups: readonly GroupRecord[];
  readonly heartbeatOf: (host: string) => Heartbeat | undefined;
  /** Hosts for which the definition names another machine than the one that owns slots in their name. */
  readonly otherMachines?: ReadonlySet<string> | undefined;
  /** Hosts that have not yet shown that nothing of a never-placed slot runs there (S20). */
  readonly unprobed: (group: string, slot: number, candidates: readonly string[]) => readonly string[];
  readonly nowMs: WallInstant;
}

export type PlannedVerb = 'place' | 'move' | 'restart' | 'stop';

export type ReconcileAction =
  | {
      readonly do: 'start_planned';
      readonly verb: PlannedVerb;
      readonly group: string;
      readonly slot: number;
      readonly epoch: number;
      readonly attempt: number;
      readonly why: string;
    }
  | { readonly do: 'start_ha'; readonly host: string; readonly session: string; readonly why: string }
  | {
      readonly do: 'active' | 'starting';
      readonly group: string;
      readonly slot: number;
      readonly epoch: number;
      readonly session: string;
      readonly why: string;
    }
  | {
      readonly do: 'failed';
      readonly group: string;
      readonly slot: number;
      readonly epoch: number;
      readonly session: string;
      readonly why: string;
    }
  | {
      readonly do: 'candidates';
      readonly group: string;
      readonly slot: number;
      readonly hosts: readonly string[];
      readonly acknowledged: number;
    }
  | { readonly do: 'standbys'; readonly group: string; readonly standbys: GroupRecord['standbys'] }
  | {
      /** Nobody runs it and no host can take it: its reason as it is now, told if it is a new one (I11). */
      readonly do: 'hold';
      readonly group: string;
      readonly slot: number;
      readonly why: string;
      /** Only hosts are lacking. */
      readonly isShort: boolean;
    };

/** Name of a planned run: the same work has the same name, whoever starts it. The clusters of a deployment share one workflow. */
export function plannedRunName(work: {
  cluster: string;
  verb: PlannedVerb;
  group: string;
  slot: number;
  epoch: number;
  attempt: number;
}): string {
  return `${work.verb}.${work.cluster}.${work.group}.${work.slot}.e${work.epoch}.${work.attempt}`;
}

/** Beats, reads and process starts on top of the services' own time-outs. */
const ORDER_MARGIN_MS = 5_000;

/** Longest that an owner may take from its order to start to its report. */
export function startLimitMs(services: readonly ServiceDefinition[]): number {
  return services.reduce((sum, { actions }) => sum + actions.start.timeoutMs * actions.start.attempts, ORDER_MARGIN_MS);
}

/** The same for a release. */
export function stopLimitMs(services: readonly ServiceDefinition[]): number {
  return services.reduce((sum, { actions }) => sum + actions.stop.timeoutMs * actions.stop.attempts, ORDER_MARGIN_MS);
}

/** Name of an HA run; attempts after the first, when the one before ended without an end to the trouble, carry their number. */
export function haRunName(failure: { host: string; session: string; seq: number }, attempt: number): string {
  const base = `ha.${failure.host}.${failure.session}.${failure.seq}`;
  return attempt === 1 ? base : `${base}.${attempt}`;
}

/** Pause before attempt n + 1 at the same work: 1, 2, 4 … seconds, at most a minute. */
export function retryPauseMs(attempts: number): number {
  return Math.min(60_000, 1_000 * 2 ** Math.min(attempts, 10));
}

function withForgiven(facts: ReconcileFacts, group: GroupRecord): GroupRecord {
  const limits = facts.definition.groups.find((spec) => spec.name === group.group)?.limits;
  if (limits === undefined) return group;
  return { ...group, slots: group.slots.map((slot) => forgiven(slot, limits, facts.nowMs)) };
}

export function reconcile(facts: ReconcileFacts): readonly ReconcileAction[] {
  const lost = new Set(
    facts.groups.flatMap(({ group, slots }) => slots.filter(isLost).map(({ slot }) => `${group}/${slot}`)),
  );
  const planned = plan(
    { definition: facts.definition, hosts: facts.hostFacts, groups: facts.groups, nowMs: facts.nowMs },
    { explain: (group, slot) => lost.has(`${group}/${slot}`) },
  );
  const hopeful = planSlots(
    {
      definition: facts.definition,
      hosts: facts.hostFacts,
      groups: facts.groups.map((group) => withForgiven(facts, group)),
      nowMs: facts.nowMs,
    },
    { explain: () => false },
  );
  const hasPlace = (group: string, slot: number): boolean =>
    [...planned.actions, ...hopeful.actions].some(
      (action) => action.group === group && action.slot === slot && action.host !== null,
    );

  const actions: ReconcileAction[] = [];
  for (const group of facts.groups) {
    const spec = facts.definition.groups.find((candidate) => candidate.name === group.group);
    for (const slot of group.slots) {
      const nowhere = planned.explanations.find((one) => one.group === group.group && one.slot === slot.slot);
      const about = { spec, hasPlace: hasPlace(group.group, slot.slot), nowhere };
      actions.push(...reconcileSlot(facts, group, slot, about));
    }
    // Before the first placement nothing is warm: a standby recorded now would outrank the preferred host at the next pass.
    const isPlaced = group.slots.some((slot) => slot.epoch > 0);
    const standbys = isPlaced ? standbysNow(group, planned, facts.hostFacts) : [];
    if (JSON.stringify(standbys) !== JSON.stringify(group.standbys))
      actions.push({ do: 'standbys', group: group.group, standbys });
  }
  const isBusy = (group: string, slot: number): boolean =>
    actions.some((action) => action.do === 'start_planned' && action.group === group && action.slot === slot);
  for (const { group, slot, why } of drainMoves({ ...facts, isDue: (own) => isDue(own, facts.nowMs) })) {
    if (isBusy(group, slot.slot)) continue;
    actions.push(start('move', { group, slot: slot.slot, epoch: slot.epoch }, slot, why));
  }
  return actions;
}

/** It ran once, and nobody runs it now. */
function isLost(slot: SlotRecord): boolean {
  return !isOwned(slot) && slot.epoch > 0;
}

interface SlotAbout {
  readonly spec: GroupDefinition | undefined;
  readonly hasPlace: boolean;
  /** Of a slot that is lost: what the plan says of it. */
  readonly nowhere: SlotExplanation | undefined;
}

function reconcileSlot(
  facts: ReconcileFacts,
  group: GroupRecord,
  slot: SlotRecord,
  about: SlotAbout,
): readonly ReconcileAction[] {
  const at = { group: group.group, slot: slot.slot, epoch: slot.epoch };
  const isDefined = about.spec !== undefined && slot.slot < slotCount(about.spec);
  if (!isOwned(slot)) {
    if (!isDefined || !facts.haEnabled || isWorkedOn(facts, slot)) return [];
    if (!mayPlace(facts, slot, about)) return asHeld(facts, group, slot, about);
    return isDue(slot, facts.nowMs) ? [start('place', at, slot, 'it has no owner')] : [];
  }
  const { owner } = slot;
  if (owner === null) return [];
  const heartbeat = facts.heartbeatOf(owner.host);
  if (heartbeat === undefined) return [];
  if (heartbeat.session !== owner.session) {
    const why = `session ${owner.session} of ${owner.host} is no longer the current one`;
    return [{ do: 'start_ha', host: owner.host, session: owner.session, why }];
  }
  if (slot.claim !== null) return [];
  if (!isDefined) {
    return facts.haEnabled && isDue(slot, facts.nowMs) ? [start('stop', at, slot, 'it is no longer defined')] : [];
  }
  const owned = { ...at, session: owner.session };
  const leaving = leaveRemovedHost(facts, group, slot, { ...owned, host: owner.host });
  if (leaving?.do === 'start_planned') return [leaving];
  const rest = reconcileOwned(facts, slot, owned, { spec: about.spec, heartbeat });
  return leaving === null ? rest : [leaving, ...rest];
}

/** Held for a reason that still holds: what is held for another now, or not yet, is held anew (I11). */
function asHeld(
  facts: ReconcileFacts,
  group: GroupRecord,
  slot: SlotRecord,
  { spec, nowhere }: SlotAbout,
): readonly ReconcileAction[] {
  if (!isLost(slot) || spec === undefined) return [];
  const often = damped(slot, spec.limits, facts.nowMs);
  const where = `${group.group}/${slot.slot}`;
  const why = often === null ? nowhere?.says : `${where} is not started: ${often.says}`;
  if (why === undefined) return [];
  const isShort = often === null && nowhere !== undefined && isShortOfHosts(nowhere.hosts);
  const words = isShort && mayWait(spec, group, slot.slot) ? `${WAITS}: ${why}` : why;
  const isSame = slot.phase === 'Held' && reasonOf(slot.why) === reasonOf(words);
  return isSame ? [] : [{ do: 'hold', group: group.group, slot: slot.slot, why, isShort }];
}

/** Why a host's machine shall run nothing any more, or null. */
function whyLeave(facts: ReconcileFacts, host: string): string | null {
  if (!facts.definition.hosts.some(({ name }) => name === host)) return `${host} is no longer defined`;
  return facts.otherMachines?.has(host) === true ? `${host} is defined as another machine now` : null;
}

/** A machine that is no longer defined gives up what it runs as soon as there is another place for it; until then it runs on and says so. */
function leaveRemovedHost(
  facts: ReconcileFacts,
  group: GroupRecord,
  slot: SlotRecord,
  at: { readonly group: string; readonly slot: number; readonly epoch: number; readonly session: string; host: string },
): ReconcileAction | null {
  const { host, ...owned } = at;
  const leaves = whyLeave(facts, host);
  if (slot.phase !== 'Active' || leaves === null) return null;
  const freed = asIfReleased(group, slot, facts.nowMs);
  const groups = facts.groups.map((other) => (other.group === group.group ? freed : other));
  const isThis = (name: string, no: number): boolean => name === at.group && no === at.slot;
  const { definition, hostFacts: hosts, nowMs } = facts;
  const [explanation] = planSlots({ definition, hosts, groups, nowMs }, { explain: isThis }).explanations;
  if (explanation !== undefined && explanation.host !== null) {
    return facts.haEnabled && isDue(slot, nowMs) ? start('move', owned, slot, leaves) : null;
  }
  const why = `${leaves}, but nobody else can take it: ${explanation?.says ?? 'there is no other host'}`;
  return slot.why === why ? null : { do: 'active', ...owned, why };
}

function reconcileOwned(
  facts: ReconcileFacts,
  slot: SlotRecord,
  at: { readonly group: string; readonly slot: number; readonly epoch: number; readonly session: string },
  about: { readonly spec: GroupDefinition; readonly heartbeat: Heartbeat },
): readonly ReconcileAction[] {
  const { spec, heartbeat } = about;
  const report = heartbeat.slots.find(
    (own) => own.group === at.group && own.slot === at.slot && own.epoch === at.epoch,
  );
  const actions: ReconcileAction[] = [];
  if (
    report?.phase === 'Active' &&
    (slot.phase === 'Starting' || slot.phase === 'Unknown' || slot.phase === 'Failed')
  ) {
    actions.push({ do: 'active', ...at, why: `the owner reports it active` });
  }
  // Stopped in the epoch that it owns, and nobody ordered it. It may start again by itself, for as long as a start may take.
  if (report?.phase === 'Stopped' && slot.phase === 'Active') {
    actions.push({ do: 'starting', ...at, why: 'the owner reports it stopped' });
  }
  const isOverdue = slot.phase === 'Starting' && wallElapsed(slot.sinceMs, facts.nowMs) > startLimitMs(spec.services);
  // Left alone for a while (`Failed`), whatever its owner shows since: the window slides, and then it is looked at again (S15).
  const isLeft = slot.phase === 'Failed' && report?.phase !== 'Active';
  const isStuck =
    slot.phase === 'Held' || slot.phase === 'Stopping' || isLeft || (isOverdue && report?.phase !== 'Active');
  if (report?.phase === 'Failed' || isStuck)
    actions.push(...afterFailure(facts, slot, at, spec, report?.detail ?? slot.why));
  const wanted = candidateList(facts.definition, spec, facts.hostFacts);
  const acknowledged = heartbeat.lists[`${at.group}/${at.slot}`] ?? 0;
  const isListStale = slot.lists.some((list) => list.no < acknowledged);
  if (isListStale || JSON.stringify(slot.lists.at(-1)?.hosts) !== JSON.stringify(wanted)) {
    actions.push({ do: 'candidates', group: at.group, slot: at.slot, hosts: wanted, acknowledged });
  }
  return actions;
}

/** A slot that failed on its host beyond local restarts runs elsewhere, at most so often per window (S15); then it stays and says so. */
function afterFailure(
  facts: ReconcileFacts,
  slot: SlotRecord,
  at: { readonly group: string; readonly slot: number; readonly epoch: number; readonly session: string },
  spec: GroupDefinition,
  detail: string,
): readonly ReconcileAction[] {
  if (!facts.haEnabled || !isDue(slot, facts.nowMs)) return [];
  const often = damped(slot, spec.limits, facts.nowMs);
  if (often === null) return [start('restart', at, slot, detail)];
  // A reason that was written by this very rule is not said twice.
  const why = detail.endsWith(often.says) ? detail : `${detail}; ${often.says}`;
  return slot.phase === 'Failed' && slot.why === why ? [] : [{ do: 'failed', ...at, why }];
}

function start(
  verb: PlannedVerb,
  at: { group: string; slot: number; epoch: number },
  slot: SlotRecord,
  why: string,
): ReconcileAction {
  const { group, slot: no, epoch } = at;
  return { do: 'start_planned', verb, group, slot: no, epoch, attempt: slot.attempt + 1, why };
}

/** The pause after the last attempt at this slot is over (S15). */
export function isDue(slot: SlotRecord, nowMs: WallInstant): boolean {
  return slot.attempt === 0 || wallElapsed(slot.triedAtMs ?? slot.sinceMs, nowMs) >= retryPauseMs(slot.attempt);
}

/** A run claims the slot, or one claims the host that owned it: they place it themselves. */
function isWorkedOn(facts: ReconcileFacts, slot: SlotRecord): boolean {
  const host = facts.hosts.find((candidate) => candidate.host === slot.owner?.host);
  return (
    slot.claim !== null || (host !== undefined && host.claim !== null && host.claim.session === slot.owner?.session)
  );
}

function mayPlace(facts: ReconcileFacts, slot: SlotRecord, about: SlotAbout): boolean {
  if (!about.hasPlace || about.spec === undefined) return false;
  if (slot.epoch > 0) return damped(slot, about.spec.limits, facts.nowMs) === null;
  return facts.unprobed(about.spec.name, slot.slot, candidateHosts(facts.definition, about.spec)).length === 0;
}
