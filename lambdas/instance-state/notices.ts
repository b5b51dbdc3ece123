/**
 * Notices of what will be done to machines. None is evidence (S7, S8): what they lead to is harmless if nothing follows, and
 * none takes a session's right away.
 */
import { messageOf } from '../../core/failures/failures.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { recordEvent } from '../shared/run-log.ts';
import { type Health, machinesOf, type Rebalance, type SpotInterruption } from './events.ts';
import { becomeLeaving, leave } from './leave.ts';
import { once } from './once.ts';
import { type Affected, forEachOf, nameOf } from './whose.ts';

/** From notice to interruption, as EC2 has it. */
const SPOT_NOTICE_MS = 120_000;
/** A notice that is older speaks of what has happened by now, or never will; with some room for two clocks. */
const SPOT_OLD_MS = 2 * SPOT_NOTICE_MS;

export interface Noticed {
  /** `cluster/host`. */
  readonly name: string;
  /** Moves that this notice started. */
  readonly runs: readonly string[];
}

interface Notice {
  readonly says: string;
  readonly by: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

async function note(ports: ControlPorts, at: Affected, notice: Notice): Promise<void> {
  await recordEvent(ports, at.cluster, { kind: 'host.notice', subject: at.host.host, run: null, ...notice });
}

export async function spotInterrupted(ports: ControlPorts, event: SpotInterruption): Promise<readonly Noticed[]> {
  return forEachOf(ports, new Set([event.detail['instance-id']]), (at) => interrupt(ports, at, event));
}

async function interrupt(ports: ControlPorts, at: Affected, event: SpotInterruption): Promise<Noticed> {
  const { machine, cluster, haEnabled } = at;
  const { host } = at.host;
  const { 'instance-action': action } = event.detail;
  const name = nameOf(at);
  const old = whyOld(ports, at, event.time);
  // One that is defined as another machine now gives up its slots anyway, and its name outlives this machine.
  const isLeaving = old === null && haEnabled && at.isDefined;
  const what = `EC2 takes the spot instance ${machine} of ${host} away (${action}), announced at ${event.time}`;
  const isNew = await once(ports, { cluster, host, id: event.id }, async () => {
    const reason = `EC2 spot interruption (${action}) announced at ${event.time}`;
    // Before anybody is called: it takes effect though nobody can be.
    const then = isLeaving
      ? await becomeLeaving(ports, { cluster, host }, reason)
      : `nothing is moved: ${whyNot(at, old)}`;
    const facts = { machine, action, announcedAt: event.time };
    await note(ports, at, { says: `${what}; ${then}`, by: 'ec2', facts });
    if (old !== null) return;
    const title = `EC2 takes ${host} away within two minutes`;
    await ports.alerts.page(title, `${what}; ${then}. ${advice(at, isLeaving)}`);
  });
  if (!isNew || !isLeaving) return { name, runs: [] };
  try {
    return { name, runs: await leave(ports, { cluster, host }) };
  } catch (error) {
    // The record says what shall be, and reconcile goes on with it: nothing would be won by the same event again.
    ports.log('warn', `moves from ${name} were left to reconcile: ${messageOf(error)}`);
    return { name, runs: [] };
  }
}

/** Why a notice is of no use any more; null: it is of use. An instance that was stopped may be back under the same id. */
function whyOld(ports: ControlPorts, { item }: Affected, announcedAt: string): string | null {
  const announcedMs = Date.parse(announcedAt);
  if (ports.wall.now() - announcedMs > SPOT_OLD_MS) return 'the notice came too late';
  const launchedMs = Date.parse(item?.launchTime ?? '');
  return launchedMs > announcedMs ? 'the notice is about an earlier life of the machine' : null;
}

function whyNot({ haEnabled, host }: Affected, old: string | null): string {
  if (old !== null) return old;
  return haEnabled ? `${host.host} is defined as another machine by now` : 'HA is switched off for this cluster';
}

function advice({ cluster, host: { host } }: Affected, isLeaving: boolean): string {
  return isLeaving
    ? `${host} is in maintenance; once it has a machine that stays: holdfast enable ${host} --cluster ${cluster}`
    : `To move what it runs: holdfast drain ${host} --cluster ${cluster}`;
}

/** Often nothing follows: it is written down for whoever wonders later. */
export async function rebalanceAdvised(ports: ControlPorts, event: Rebalance): Promise<readonly Noticed[]> {
  return forEachOf(ports, new Set([event.detail['instance-id']]), async (at) => {
    const { machine, cluster } = at;
    const says = `EC2 says that the spot instance ${machine} is more likely than before to be interrupted`;
    const facts = { machine, announcedAt: event.time };
    await once(ports, { cluster, host: at.host.host, id: event.id }, () => note(ports, at, { says, by: 'ec2', facts }));
    return { name: nameOf(at), runs: [] };
  });
}

/** A scheduled change calls a person, once for each host; anything else that names a host is written down. */
export async function healthChanged(ports: ControlPorts, event: Health): Promise<readonly Noticed[]> {
  const { detail } = event;
  if (detail.service !== 'EC2') return [];
  return forEachOf(ports, machinesOf(event), async (at) => {
    await tellHealth(ports, at, detail);
    return { name: nameOf(at), runs: [] };
  });
}

async function tellHealth(ports: ControlPorts, at: Affected, detail: Health['detail']): Promise<void> {
  const { machine, cluster } = at;
  const { host } = at.host;
  const { eventArn, eventTypeCode, startTime, statusCode } = detail;
  const when = startTime === undefined ? 'at a time that it does not say' : `on ${startTime}`;
  const status = statusCode === undefined ? '' : `, ${statusCode}`;
  const what = `AWS Health: ${eventTypeCode} for ${machine} of ${host} ${when}${status}`;
  const facts = { machine, eventArn, eventTypeCode, startTime: startTime ?? null, statusCode: statusCode ?? null };
  // The same event is sent again when its time or its status changes: that is news to the log, and no call.
  const state = `${eventArn} ${statusCode ?? ''} ${startTime ?? ''}`;
  await once(ports, { cluster, host, id: state }, () => note(ports, at, { says: what, by: 'aws-health', facts }));
  if (detail.eventTypeCategory !== 'scheduledChange' || statusCode === 'closed') return;
  await once(ports, { cluster, host, id: eventArn }, () =>
    ports.alerts.page(
      `AWS will act on ${host}: ${eventTypeCode}`,
      `${what}. Nothing is done about it by itself. To move what it runs before that: ` +
        `holdfast drain ${host} --cluster ${cluster}; afterwards: holdfast enable ${host} --cluster ${cluster}`,
    ),
  );
}
