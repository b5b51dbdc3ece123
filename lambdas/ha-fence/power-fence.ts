/** The one place that stops machines. Everything that could speak against it is read again right before (S16, S17). */
import { failureCode, messageOf } from '../../core/failures/failures.ts';
import { type FenceMove, fenceMove, forceAfterMs } from '../../core/recovery/fencing.ts';
import type { PowerReading } from '../../core/ports.ts';
import type { FenceOrder, PowerFence } from '../../core/protocol/power-records.ts';
import { type Heartbeat, type HostRecord, keys, REVOKED_PREFIX } from '../../core/protocol/records.ts';
import type { PoweredSession } from '../../core/recovery/power-off.ts';
import { elapsed } from '../../core/time/time.ts';
import { brake } from '../shared/brake.ts';
import { changeRecord } from '../shared/change.ts';
import { loadClusterRecord } from '../shared/cluster.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { recordEvent } from '../shared/run-log.ts';
import type { Watching } from './watching.ts';

export interface Aim {
  readonly host: HostRecord;
  readonly about: PoweredSession;
  readonly reading: PowerReading;
  readonly order: FenceOrder | null;
}

/** After a refusal, before EC2 or the brake are asked again. */
const PAUSE_MS = 2_000;
/** What was read speaks for an order that is sent so soon; the process may be suspended in between, with its order half sent. */
const ORDER_WITHIN_MS = 2_000;

/** Orders a stop if it is called for and nothing speaks against it. Tried again by the watch; each refusal is said once. */
export async function tryPowerFence(ports: ControlPorts, watching: Watching, aim: Aim): Promise<void> {
  const { facts, session, run, say } = watching;
  const why = await whyNot(ports, watching, aim);
  if (why !== null) return say('Power fence', `nothing is ordered: ${why}`);
  const move = moveOf(ports, watching, aim, aim.reading);
  if (move.do === 'wait') return say('Power fence', move.says);

  if (aim.order === null) {
    const answer = await brake(ports, facts, { host: aim.host.host, run, session });
    if (!answer.go) {
      await say(
        'Power fence',
        `nothing is ordered (${answer.reason}): ${answer.says}. The count of its lease goes on.`,
      );
      return ports.sleeper.sleep(PAUSE_MS);
    }
    await say('Brake', answer.says);
  }
  // The brake took its time: whatever has changed meanwhile counts, also before the machine is taken out of service.
  if (!move.force && !watching.isOver() && (await whyNot(ports, watching, aim)) === null)
    await watching.spare(aim.about.machine);
  // The store is asked last: a host is back sooner than a machine.
  const now = await ports.power.read(aim.about.machine);
  const askedAt = ports.boot.now();
  const against = await whyNot(ports, watching, aim);
  const still = moveOf(ports, watching, aim, now);
  if (against !== null || still.do === 'wait')
    return say('Power fence', `nothing is ordered: ${against ?? still.says}`);
  const isStillWanted = (): boolean => !watching.isOver() && elapsed(askedAt, ports.boot.now()) < ORDER_WITHIN_MS;
  if (!isStillWanted()) return;
  try {
    await ports.power.stop(aim.about.machine, { skipOsShutdown: true, force: still.force }, isStillWanted);
  } catch (error) {
    const isLater = failureCode(error) === 'power_throttled';
    await say('Power fence', `${isLater ? 'tried again' : 'refused'}: ${messageOf(error)}`);
    return ports.sleeper.sleep(PAUSE_MS);
  }
  await ordered(ports, watching, aim, still);
}

function moveOf(ports: ControlPorts, watching: Watching, { host, about }: Aim, reading: PowerReading): FenceMove {
  const fence = host.powerFence?.session === about.session ? host.powerFence : null;
  const { timing } = watching.facts.definition;
  return fenceMove(reading, about, fence, { now: ports.wall.now(), forceAfterMs: forceAfterMs(timing) });
}

/** What speaks against a destructive call by this run, from what stands in the store now; null: nothing. */
async function whyNot(ports: ControlPorts, { facts, work, run, session }: Watching, aim: Aim): Promise<string | null> {
  const { order } = aim;
  const [cluster, stored, item] = await Promise.all([
    loadClusterRecord(ports, work.cluster),
    ports.registry.get<HostRecord>(keys.host(work.cluster, aim.host.host)),
    ports.heartbeats.read(aim.host.principal),
  ]);
  if (!cluster.haEnabled) return 'HA is switched off for this cluster';
  if (cluster.rev !== facts.record.rev) return 'the definition was changed: its policy is read first';
  if (order === null && work.powerFence !== true) return 'its guard answered that this session stands';
  const claim = stored?.body.claim ?? null;
  if (claim?.run !== run) return `${claim?.run ?? 'no run'} has the claim on ${aim.host.host}`;
  const isNewest = stored?.body.seen?.session === session;
  return whyNotStill(item, { isNewest, session, seq: order === null ? work.seq : null });
}

/**
 * The item must show what this run was opened about, or that its session was revoked: by this run, or by an attempt before
 * it, since no other run has the claim. `seq` null: any version (an order).
 */
function whyNotStill(
  item: Heartbeat | undefined,
  { isNewest, session, seq }: { readonly isNewest: boolean; readonly session: string; readonly seq: number | null },
): string | null {
  if (item === undefined) return 'its heartbeat item is gone: an outage, or a deletion';
  if (isNewest && item.session.startsWith(REVOKED_PREFIX)) return null;
  if (item.session !== session) return `its item shows ${item.session}`;
  return seq === null || item.seq === seq ? null : `it has renewed: version ${item.seq} after ${seq}`;
}

async function ordered(
  ports: ControlPorts,
  { run, work, session, say }: Watching,
  { host, order }: Aim,
  move: Extract<FenceMove, { do: 'stop' }>,
): Promise<void> {
  const atMs = ports.wall.now();
  await changeRecord<HostRecord>(ports.registry, keys.host(work.cluster, host.host), (old) => {
    if (old === undefined) return null;
    const before = old.powerFence?.session === session ? old.powerFence : null;
    const powerFence: PowerFence =
      before === null
        ? { session, run, atMs, forcedAtMs: move.force ? atMs : null }
        : { ...before, forcedAtMs: before.forcedAtMs ?? (move.force ? atMs : null) };
    return { ...old, powerFence };
  });
  await say('Power fence', move.says);
  const by = order?.by ?? run;
  await recordEvent(ports, work.cluster, { kind: 'host.fence', subject: host.host, says: move.says, run, by });
}
