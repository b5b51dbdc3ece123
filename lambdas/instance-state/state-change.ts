/**
 * State changes. An event is never evidence: it may be late, repeated, or about a life that is long over. It only leads to
 * reads (S7), and they begin here at once: while the second read is waited for, the run is opened.
 */
import { poweredSession, type TimedReading, whyNotOff } from '../../core/recovery/power-off.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { confirmOff, itemOf, readPower, recordOff } from '../shared/power-reads.ts';
import { recordEvent } from '../shared/run-log.ts';
import { startHaRun } from '../shared/start-run.ts';
import type { StateChange } from './events.ts';
import { type Affected, forEachOf, liveSessionOf, nameOf } from './whose.ts';

/** States after which a host cannot be what it was. */
const DOWNWARDS: readonly string[] = ['stopping', 'stopped', 'shutting-down', 'terminated'];

export interface Followed {
  /** `cluster/host`. */
  readonly name: string;
  /** The run that works on it because of this event. */
  readonly run: string | null;
  /** Two reads have shown its session to be over. */
  readonly isOff: boolean;
}

export async function stateChanged(ports: ControlPorts, { detail }: StateChange): Promise<readonly Followed[]> {
  const { 'instance-id': machine, state } = detail;
  // Asked before it is known whose the machine is: every millisecond from here on is downtime.
  const first = DOWNWARDS.includes(state) ? readPower(ports, machine) : null;
  return forEachOf(ports, new Set([machine]), async (at) => {
    const says = `EC2 says that ${machine} is ${state}`;
    const facts = { machine, state };
    const event = { kind: 'host.power', subject: at.host.host, says, run: null, by: 'ec2', facts };
    const [run, isOff] = await Promise.all([
      first === null ? null : follow(ports, at),
      first === null ? false : confirm(ports, at, first),
      recordEvent(ports, at.cluster, event),
    ]);
    return { name: nameOf(at), run, isOff };
  });
}

/** The HA run of the session that stands, under the name that find-behind gives it: whoever comes second starts nothing. */
async function follow(ports: ControlPorts, at: Affected): Promise<string | null> {
  const session = liveSessionOf(at);
  if (session === null || at.item === undefined || !at.haEnabled) return null;
  return startHaRun(ports, { cluster: at.cluster, host: at.host.host, session, seq: at.item.seq });
}

/** The second read, if the first shows the session's machine off. The run may be quicker with a pair of its own. */
async function confirm(ports: ControlPorts, at: Affected, first: Promise<TimedReading>): Promise<boolean> {
  const session = liveSessionOf(at) ?? at.host.seen?.session;
  const about = session === undefined ? undefined : poweredSession(at.host, session, itemOf(at.item, session));
  if (about === undefined) return false;
  const reading = await first;
  if (whyNotOff(reading.reading, about) !== null) return false;
  const { off } = await confirmOff(ports, about, reading);
  if (off === null) return false;
  await recordOff(ports, { cluster: at.cluster, host: at.host.host }, off);
  return true;
}
