/** A host's record begins: when the host is first defined, and when the definition names another machine for it. */
import type { HostRecord, Owner } from '../../core/protocol/records.ts';
import { keys } from '../../core/protocol/records.ts';
import type { WallInstant } from '../../core/time/time.ts';
import { changeRecord } from '../shared/change.ts';
import { type ClusterFacts, definedPrincipal, isAnotherMachine } from '../shared/cluster.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { recordEvent } from '../shared/run-log.ts';

export function newHost(about: {
  readonly host: string;
  readonly principal: string;
  readonly nowMs: WallInstant;
}): HostRecord {
  return {
    host: about.host,
    principal: about.principal,
    status: 'Connecting',
    statusSinceMs: about.nowMs,
    why: 'defined, not yet heard of',
    admin: 'enabled',
    adminReason: '',
    claim: null,
    seen: null,
    tombstoneAtMs: null,
  };
}

/** Hosts that the definition names another machine for become it, where nothing stands in the way. True if one did. */
export async function becomeMachines(ports: ControlPorts, facts: ClusterFacts): Promise<boolean> {
  let isMended = false;
  for (const host of readyForAnother(facts)) {
    const isChanged = await becomeMachine(ports, facts.record.cluster, host, definedPrincipal(facts, host));
    isMended ||= isChanged;
  }
  return isMended;
}

/**
 * The old machine may still run what its host owns, and the records of both are about one or the other (S7). No run may be
 * at work, and every group must stand at this definition: a run that knows the one before could still give the host a
 * slot, as the machine that it was, and nothing could ever be proven about that owner. Two hosts never share a machine:
 * one that is another host's still is waited for, unless both change at once.
 */
function readyForAnother(facts: ClusterFacts): readonly HostRecord[] {
  const { definition, groups, hosts, record } = facts;
  const all = hosts.filter((host) => isAnotherMachine(facts, host));
  const revs = new Map(groups.map(({ group, rev }) => [group, rev]));
  const isSettled = definition.groups.every(({ name }) => revs.get(name) === record.rev);
  const isAtWork = groups.some(({ slots }) => slots.some(({ claim }) => claim !== null));
  if (all.length === 0 || !isSettled || isAtWork) return [];
  let ready = all.filter((host) => host.claim === null && !ownsAnything(facts, host, definedPrincipal(facts, host)));
  for (;;) {
    const going = new Set(ready.map(({ host }) => host));
    const staying = hosts.filter(({ host, status }) => status !== 'Removed' && !going.has(host));
    const taken = new Set(staying.map(({ principal }) => principal));
    const free = ready.filter((host) => !taken.has(definedPrincipal(facts, host) ?? ''));
    if (free.length === ready.length) return ready;
    ready = free;
  }
}

/** It owns a slot that nothing is proven about. What the machine of `principal` owns in its name does not count. */
export function ownsAnything(
  facts: Pick<ClusterFacts, 'groups'>,
  { host }: Pick<HostRecord, 'host'>,
  principal?: string,
): boolean {
  const isOwner = (owner: Owner | null): boolean => owner?.host === host && owner.principal !== principal;
  return facts.groups.some(({ slots }) => slots.some(({ owner, evidence }) => isOwner(owner) && evidence === null));
}

/**
 * The host is the machine of `principal` from now on. Only for a host that owns nothing without evidence: what is on record
 * of the machine before (its sessions, whether its power was seen off) says nothing about this one, and goes (S7). An
 * operator's word about the host stays. False: it has changed meanwhile.
 */
async function becomeMachine(
  ports: ControlPorts,
  cluster: string,
  before: HostRecord,
  principal: string | undefined,
): Promise<boolean> {
  if (principal === undefined) return false;
  const { host, admin, adminReason, adminSinceMs } = before;
  const nowMs = ports.wall.now();
  const changed = await changeRecord<HostRecord>(ports.registry, keys.host(cluster, host), (old) => {
    if (old === undefined || old.principal !== before.principal || old.claim !== null) return null;
    return { ...newHost({ host, principal, nowMs }), admin, adminReason, adminSinceMs };
  });
  if (!changed.isChanged) return false;
  const says = `${host} is another machine from now on: ${principal} (was ${before.principal})`;
  await recordEvent(ports, cluster, { kind: 'host.machine', subject: host, says, run: null, by: 'reconcile' });
  return true;
}
