/**
 * Watches a machine's power while the count of the lease runs: catches `stopped`, reads again 2 s or m later and records both;
 * orders the stop where the policy says so. It runs beside the wait and holds nothing up: whatever EC2 does or does not
 * answer, the lease decides when its time has come. Nothing destructive is begun once the wait is over.
 */
import { messageOf } from '../../core/failures/failures.ts';
import { isAccepted } from '../../core/recovery/evidence.ts';
import { isPowerFenceDue, powerPollMs, standingOrder } from '../../core/recovery/fencing.ts';
import { type HostRecord, keys } from '../../core/protocol/records.ts';
import {
  confirmAfterMs,
  poweredSession,
  type PoweredSession,
  whyNoPowerOff,
  whyNotOff,
} from '../../core/recovery/power-off.ts';
import { elapsed } from '../../core/time/time.ts';
import type { ClusterFacts } from '../shared/cluster.ts';
import { acceptedBy, waitingSlots } from '../shared/findings.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { confirmOff, isOnRecord, itemOf, readingFacts, readPower, recordOff } from '../shared/power-reads.ts';
import { recordStep } from '../shared/run-log.ts';
import type { Work } from '../shared/work.ts';
import { tryPowerFence } from './power-fence.ts';
import { spare } from './spare.ts';
import type { Watched, Watching } from './watching.ts';

/** As long as the call that waits. */
const WATCH_MS = 20_000;
/** Pauses grow up to this while EC2 does not say anything. */
const PAUSE_MAX_MS = 5_000;

export interface PowerWatch {
  /** Two reads that show it off are on record. Never settles otherwise. */
  readonly recorded: Promise<void>;
  /** Nothing is ordered from now on. */
  end(): void;
}

export function watchPower(ports: ControlPorts, run: string, work: Work, watched: Watched): PowerWatch {
  let isOver = false;
  const said = new Map<string, string>();
  const say: Watching['say'] = async (step, says, facts = {}) => {
    if (said.get(step) === says || isOver) return;
    said.set(step, says);
    await recordStep(ports, run, step, says, { ...facts });
  };
  let spared: Promise<void> | undefined;
  const spareOnce = (machine: string): Promise<void> => {
    const { scaling } = watched;
    if (scaling === undefined) return Promise.resolve();
    spared ??= spare(ports, scaling, machine, (says) => say('Auto Scaling', says));
    return spared;
  };
  const watching: Watching = { ...watched, run, work, say, isOver: () => isOver, spare: spareOnce };
  const recorded = new Promise<void>((resolve) => {
    if (!isWatched(ports, watched)) return;
    watch(ports, watching).then(
      (hasRecorded) => (hasRecorded ? resolve() : undefined),
      (error: unknown) =>
        ports.log('warn', `the power of ${watched.host.host} is no longer watched: ${messageOf(error)}`),
    );
  });
  return {
    recorded,
    end: () => {
      isOver = true;
    },
  };
}

/** Where nobody accepts `power-off` and no policy or operator names it, EC2 is left alone. */
function isWatched(ports: ControlPorts, { facts, host, session }: Watched): boolean {
  if (isOnRecord(host, session)) return false;
  if (levelsOf(facts, host).flat().includes('ec2')) return true;
  if (standingOrder(host, session, ports.wall.now()) !== null) return true;
  return waitingSlots(facts, { host, session }).some(({ group }) => isAccepted('power-off', acceptedBy(facts, group)));
}

export function levelsOf(facts: ClusterFacts, { host }: Pick<HostRecord, 'host'>) {
  return facts.definition.hosts.find(({ name }) => name === host)?.fencing ?? [['lease' as const]];
}

/** True once the reads are on record, by whomever. */
async function watch(ports: ControlPorts, watching: Watching): Promise<boolean> {
  const { facts, session, work } = watching;
  const begun = ports.boot.now();
  const pollMs = powerPollMs(facts.definition.timing);
  let pauseMs = pollMs;
  while (!watching.isOver() && elapsed(begun, ports.boot.now()) < WATCH_MS) {
    try {
      const [stored, item] = await Promise.all([
        ports.registry.get<HostRecord>(keys.host(work.cluster, watching.host.host)),
        ports.heartbeats.read(watching.host.principal),
      ]);
      const host = stored?.body ?? watching.host;
      if (isOnRecord(host, session)) return true;
      const about = poweredSession(host, session, itemOf(item, session));
      const why = whyNoPowerOff(about);
      if (about === undefined || why !== null) {
        await watching.say('Watch power', `EC2 is not asked: ${why ?? ''}`);
        return false;
      }
      const looked = await lookOnce(ports, watching, host, about);
      if (looked === 'recorded') return true;
      pauseMs = looked === 'unknown' ? Math.min(PAUSE_MAX_MS, pauseMs * 2) : pollMs;
    } catch (error) {
      pauseMs = Math.min(PAUSE_MAX_MS, pauseMs * 2);
      ports.log('warn', `a look at the power of ${watching.host.host} failed: ${messageOf(error)}`);
    }
    await ports.sleeper.sleep(pauseMs);
  }
  return false;
}

async function lookOnce(
  ports: ControlPorts,
  watching: Watching,
  host: HostRecord,
  about: PoweredSession,
): Promise<'recorded' | 'clear' | 'unknown'> {
  const first = await readPower(ports, about.machine);
  const { state } = first.reading;
  const not = whyNotOff(first.reading, about);
  const again = `asked again in ${confirmAfterMs(about) / 1_000} s`;
  await watching.say('Watch power', not ?? `EC2 says ${state}: ${again}`, readingFacts(first));
  if (not === null) {
    const pair = await confirmOff(ports, about, first);
    if (pair.off === null) {
      await watching.say('Watch power', pair.why);
      return 'clear';
    }
    await recordOff(ports, { cluster: watching.work.cluster, host: host.host }, pair.off);
    return 'recorded';
  }
  const order = standingOrder(host, about.session, ports.wall.now());
  const isDue = isPowerFenceDue(levelsOf(watching.facts, host), { isOfNoUse: watching.isLeaseOfNoUse() });
  if (order !== null || isDue) await tryPowerFence(ports, watching, { host, about, reading: first.reading, order });
  return state === 'unknown' ? 'unknown' : 'clear';
}
