/**
 * The storm brake: asked by ha-fence right before each destructive call on mere suspicion (S13, S14). An operator's order
 * and certain deaths do not go through it.
 */
import { type BrakeLimits, brakeLimits } from '../../core/config/brake-limits.ts';
import { type Known, looksAt, type Scanned, settleMs, whyNoLook } from '../../core/detection/storm.ts';
import { messageOf } from '../../core/failures/failures.ts';
import { type Act, type Braked, brakeOn, heldWithoutLook, NO_BRAKE } from '../../core/recovery/budget.ts';
import type { BrakeRecord } from '../../core/protocol/brake-records.ts';
import type { LateRecord } from '../../core/protocol/observer-records.ts';
import { type Heartbeat, type HostRecord, keys, REVOKED_PREFIX } from '../../core/protocol/records.ts';
import { wallElapsed } from '../../core/time/time.ts';
import { changeRecord } from './change.ts';
import { type ClusterFacts, RECORDS_MAX } from './cluster.ts';
import type { ControlPorts } from './ports.ts';
import { recordEvent } from './run-log.ts';
import { STORM_SUBJECT, tellOnce } from './tell.ts';

export type BrakeAnswer =
  | { readonly go: true; readonly says: string }
  | { readonly go: false; readonly says: string; readonly reason: 'storm' | 'budget' };

export interface DestructiveAct {
  readonly host: string;
  readonly run: string;
  readonly session: string;
}

export type BrakePorts = Pick<
  ControlPorts,
  'heartbeats' | 'registry' | 'wall' | 'boot' | 'sleeper' | 'ids' | 'alerts' | 'metrics'
>;

/** Takes one renewal's time. What it lets through is paid for; the caller acts at once, and asks again for the next call. */
export async function brake(ports: BrakePorts, facts: ClusterFacts, act: DestructiveAct): Promise<BrakeAnswer> {
  const limits = brakeLimits(facts.definition.timing);
  const zone = zoneOf(facts, act.host);
  const early = await heldEarly(ports, facts, { act: { ...act, zone }, limits });
  if (early !== null) return early;
  const seen = await look(ports, facts);
  if (typeof seen === 'string') {
    const says = `${seen}: the look at the hosts says nothing, so ${act.host} is not fenced now`;
    return { go: false, reason: 'storm', says };
  }
  const principal = facts.hosts.find(({ host }) => host === act.host)?.principal;
  const own = seen.second.items.find((item) => item.principal === principal);
  if (own !== undefined && own.session !== act.session && !own.session.startsWith(REVOKED_PREFIX)) {
    const says = `${act.host} has registered another session since: nothing is done to it`;
    return { go: false, reason: 'storm', says };
  }
  const looked = looksAt(await knownHosts(ports, facts), ownItems(facts, seen.first), ownItems(facts, seen.second));
  let braked: Braked | undefined;
  let before: BrakeRecord = NO_BRAKE;
  await changeRecord<BrakeRecord>(ports.registry, keys.budget(facts.record.cluster), (old) => {
    before = old ?? NO_BRAKE;
    braked = brakeOn(before, { act: { ...act, zone }, looked, limits, nowMs: ports.wall.now() });
    return braked.record;
  });
  if (braked === undefined) return { go: false, reason: 'storm', says: 'the brake has no answer' };
  await say(ports, facts, { act, before, braked });
  const { says } = braked;
  return braked.go ? { go: true, says } : { go: false, reason: braked.reason, says };
}

/** An answer from the record alone; it is written down only if it is news, for many may be asking. */
async function heldEarly(
  ports: BrakePorts,
  facts: ClusterFacts,
  asked: { readonly act: Act; readonly limits: BrakeLimits },
): Promise<BrakeAnswer | null> {
  const { act, limits } = asked;
  let answer: BrakeAnswer | null = null;
  let before: BrakeRecord = NO_BRAKE;
  let braked: Braked | null = null;
  await changeRecord<BrakeRecord>(ports.registry, keys.budget(facts.record.cluster), (old) => {
    before = old ?? NO_BRAKE;
    braked = heldWithoutLook(before, { ...asked, nowMs: ports.wall.now() });
    answer = braked === null || braked.go ? null : { go: false, reason: braked.reason, says: braked.says };
    const known = before.held.find(({ host, session }) => host === act.host && session === act.session);
    const isNews =
      known === undefined ||
      known.reason !== answer?.reason ||
      wallElapsed(known.askedMs, ports.wall.now()) >= limits.windowMs;
    return braked !== null && isNews ? braked.record : null;
  });
  if (braked !== null) await say(ports, facts, { act, before, braked });
  return answer;
}

interface Look {
  readonly first: Scanned;
  readonly second: Scanned;
}

/** Two scans with one renewal's time between them, or why they say nothing (S13). */
async function look(ports: BrakePorts, facts: ClusterFacts): Promise<Look | string> {
  const { timing } = facts.definition;
  try {
    const first = await scan(ports);
    const waitMs = settleMs(timing, ownItems(facts, first));
    await ports.sleeper.sleep(waitMs);
    const second = await scan(ports);
    return whyNoLook(first, second, waitMs, timing.renewCapMs) ?? { first, second };
  } catch (error) {
    return `the heartbeats could not be read (${messageOf(error)})`;
  }
}

async function scan(ports: BrakePorts): Promise<Scanned> {
  const askedAt = ports.boot.now();
  const items = await ports.heartbeats.scan();
  return { items, askedAt, answeredAt: ports.boot.now() };
}

const ownItems = (facts: ClusterFacts, { items }: Scanned): readonly Heartbeat[] =>
  items.filter(({ cluster }) => cluster === facts.record.cluster);

const zoneOf = (facts: ClusterFacts, host: string): string | null =>
  facts.definition.hosts.find(({ name }) => name === host)?.zone ?? null;

/** Read again: the caller's facts may be as old as its step. */
async function knownHosts(ports: BrakePorts, facts: ClusterFacts): Promise<readonly Known[]> {
  const { cluster } = facts.record;
  const late = keys.late(cluster, '');
  const [hosts, lates] = await Promise.all([
    ports.registry.query<HostRecord>(keys.cluster(cluster).pk, { prefix: 'HOST#', limit: RECORDS_MAX }),
    ports.registry.query<LateRecord>(late.pk, { prefix: late.sk, limit: RECORDS_MAX }),
  ]);
  return hosts.map(({ body }) => ({
    record: body,
    zone: zoneOf(facts, body.host),
    late: lates.find((stored) => stored.body.host === body.host)?.body,
  }));
}

interface Said {
  readonly act: DestructiveAct;
  readonly before: BrakeRecord;
  readonly braked: Braked;
}

/** What is held is an event when it begins, and a storm calls a person once (I11); reconcile says when it is over. */
async function say(ports: BrakePorts, facts: ClusterFacts, { act, before, braked }: Said): Promise<void> {
  const { cluster } = facts.record;
  const { storm } = braked.record;
  if (storm !== null && before.storm === null) {
    const says = `storm: ${storm.says}. Nothing suspected is fenced until it has passed, then one host per window`;
    await recordEvent(ports, cluster, { kind: 'brake.storm', subject: cluster, says, run: act.run, by: act.run });
  }
  if (storm !== null) {
    const text = `${storm.says}. Nothing suspected is fenced until it has passed. A common cause is likely: look at the network and at the store first.`;
    await tellOnce(ports, cluster, STORM_SUBJECT, `${storm.sinceMs}`, { title: `storm in ${cluster}`, text });
  }
  if (braked.go) return;
  const known = before.held.find(({ host, session }) => host === act.host && session === act.session);
  if (known?.reason === braked.reason) return;
  const isHeld = braked.record.held.some(({ host }) => host === act.host);
  if (!isHeld) return;
  // Once, however often it is asked for again meanwhile.
  ports.metrics.record('BudgetSpent', 1, cluster);
  const event = { kind: `brake.${braked.reason}`, subject: act.host, says: braked.says, run: act.run, by: act.run };
  await recordEvent(ports, cluster, event);
  if (storm === null) {
    const title = `${act.host} is not fenced`;
    await tellOnce(ports, cluster, act.host, `${act.session}: ${braked.reason}`, { title, text: braked.says });
  }
}
