/**
 * The event log replays to what is on record (I9), though whoever changes a slot may be killed before it could say so.
 *
 * What the log was seen to say of each slot is kept in one record. Where a slot shows something else, reconcile looks for
 * the event of whoever changed it, and writes one itself if there is none: the event first, so that a pass that dies in
 * between says it twice rather than never. Which of two events of one epoch is the newer is told by `sinceMs`, the slot's
 * own; so a pass that was late and writes what it read long ago changes nothing for those who fold the log.
 */
import type { EventRecord, GroupRecord, Key, SlotRecord } from '../../core/protocol/records.ts';
import { keys } from '../../core/protocol/records.ts';
import type { WallInstant } from '../../core/time/time.ts';
import { changeRecord } from '../shared/change.ts';
import type { ClusterFacts } from '../shared/cluster.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { dayOf, recordEvent } from '../shared/run-log.ts';

/** Of one slot, as an event tells it. */
interface Said {
  readonly epoch: number;
  readonly host: string;
  readonly session: string;
  readonly isHeld: boolean;
}

interface LoggedRecord {
  /** By `group/slot`. */
  readonly slots: Readonly<Record<string, Said>>;
}

/** The newest events that are searched for what others have said. What they do not hold is said again, and harms nobody. */
const EVENTS_MAX = 1_000;

const loggedKey = (cluster: string): Key => ({ pk: keys.late(cluster, '').pk, sk: 'LOGGED' });

export async function logSlots(
  ports: Pick<ControlPorts, 'registry' | 'wall' | 'ids'>,
  { record, groups }: Pick<ClusterFacts, 'record' | 'groups'>,
): Promise<void> {
  const { cluster } = record;
  const key = loggedKey(cluster);
  const logged = (await ports.registry.get<LoggedRecord>(key))?.body.slots ?? {};
  const news = groups.flatMap((group) => newsOf(group, logged));
  if (news.length === 0) return;
  const owners = await ownersSaid(ports, cluster);
  for (const { where, said, slot } of news) {
    const isSaid = !said.isHeld && owners.has(nameOf(where, said)) && logged[where]?.epoch !== said.epoch;
    if (!isSaid) await say(ports, cluster, where, said, slot);
  }
  await changeRecord<LoggedRecord>(ports.registry, key, (old) => ({
    slots: { ...old?.slots, ...Object.fromEntries(news.map(({ where, said }) => [where, said])) },
  }));
}

interface News {
  readonly where: string;
  readonly said: Said;
  readonly slot: SlotRecord;
}

/** Slots that were placed, and show something else than the log is known to say. */
function newsOf({ group, slots }: GroupRecord, logged: LoggedRecord['slots']): readonly News[] {
  return slots.flatMap((slot) => {
    const { owner, epoch, phase } = slot;
    if (owner === null || epoch === 0) return [];
    const where = `${group}/${slot.slot}`;
    const said: Said = { epoch, host: owner.host, session: owner.session, isHeld: phase === 'Held' };
    const known = logged[where];
    const isKnown = known !== undefined && nameOf(where, known) === nameOf(where, said) && known.isHeld === said.isHeld;
    return isKnown ? [] : [{ where, said, slot }];
  });
}

function nameOf(where: string, { epoch, host, session }: Omit<Said, 'isHeld'>): string {
  return `${where} e${epoch} ${host} ${session}`;
}

/** What the events of the last two days say of owners, and nothing later of the same epoch: a pass may have died right after it. */
async function ownersSaid(
  ports: Pick<ControlPorts, 'registry' | 'wall'>,
  cluster: string,
): Promise<ReadonlySet<string>> {
  const now = ports.wall.now();
  const said = new Set<string>();
  const saidMore = new Set<string>();
  for (const day of new Set([dayOf(now), dayOf(now - DAY_MS)])) {
    const { pk } = keys.event(cluster, day, '');
    const events = await ports.registry.query<EventRecord>(pk, { limit: EVENTS_MAX, newestFirst: true });
    for (const { body } of events) {
      const { epoch, owner } = body.facts;
      if (typeof epoch !== 'number' || !isOwner(owner)) continue;
      const name = nameOf(body.subject, { epoch, host: owner.host, session: owner.session });
      if (body.kind === 'slot.owner') said.add(name);
      if (body.kind === 'slot.state') saidMore.add(name);
    }
  }
  for (const name of saidMore) said.delete(name);
  return said;
}

const DAY_MS = 24 * 3_600_000;

function isOwner(value: unknown): value is { readonly host: string; readonly session: string } {
  if (typeof value !== 'object' || value === null || !('host' in value) || !('session' in value)) return false;
  return typeof value.host === 'string' && typeof value.session === 'string';
}

async function say(
  ports: Pick<ControlPorts, 'registry' | 'wall' | 'ids'>,
  cluster: string,
  where: string,
  { epoch, host, session, isHeld }: Said,
  { phase, why, sinceMs }: { readonly phase: string; readonly why: string; readonly sinceMs: WallInstant },
): Promise<void> {
  const says = isHeld ? `${where} is held: ${why}` : `${where} is ${phase} on ${host} (epoch ${epoch})`;
  const facts = { owner: { host, session }, epoch, isHeld, sinceMs };
  await recordEvent(ports, cluster, { kind: 'slot.state', subject: where, says, run: null, by: 'reconcile', facts });
}
