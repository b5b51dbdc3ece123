/**
 * What EC2 says of the machine. Two reads that show it off, with the session's own LaunchTime, are recorded here and are
 * evidence from then on (S7). The second pair of eyes, the Lambda that took EC2's event, may have recorded it first.
 */
import { askLimitMs } from '../../core/investigation/limits.ts';
import { isAccepted } from '../../core/recovery/evidence.ts';
import { type HostRecord, keys } from '../../core/protocol/records.ts';
import {
  pairOfReads,
  type Pair,
  poweredSession,
  type PoweredSession,
  type TimedReading,
  whyNoPowerOff,
  whyNotOff,
  confirmationDueInMs,
} from '../../core/recovery/power-off.ts';
import { type ClusterFacts, loadCluster } from '../shared/cluster.ts';
import { acceptedBy, waitingSlots } from '../shared/findings.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { isOnRecord, itemOf, readingFacts, readPower, recordOff } from '../shared/power-reads.ts';
import { type Found, type Investigate, unknown, within } from './found.ts';

/** EC2 answers in tens of milliseconds, or it is in trouble: then the run does not wait for it here. */
const READ_MIN_MS = 1_000;
/** How often it is looked whether another process has recorded the reads already. */
const LOOK_MS = 50;

export const askEc2: Investigate = async (ports, { host, session, work }) => {
  const reading = (about: PoweredSession, limitMs: number): Promise<TimedReading | null> =>
    within(ports, limitMs, readPower(ports, about.machine));
  const seen = poweredSession(host, session);
  // Asked before anything else is looked up: what follows waits for this read.
  const first = seen === undefined ? null : reading(seen, READ_MIN_MS);
  const [facts, item] = await Promise.all([loadCluster(ports, work.cluster), ports.heartbeats.read(host.principal)]);
  const why = whyNotAsked(facts, host);
  if (why !== null) return unknown(why);
  const about = seen ?? poweredSession(host, session, itemOf(item, session));
  if (about === undefined) return unknown(`EC2 was not asked: ${whyNoPowerOff(about) ?? ''}`);
  const limitMs = Math.max(READ_MIN_MS, askLimitMs(facts.definition.timing));
  const one = await (first ?? reading(about, limitMs));
  if (one === null) return unknown(`EC2 did not answer within ${limitMs} ms`);
  const told = readingFacts(one);
  const not = whyNotOff(one.reading, about);
  if (not !== null) return unknown(inWords(not, one), told);
  if (!isWanted(facts, host, session)) return unknown(`it is off, but no slot of it accepts power-off`, told);
  return confirm(ports, { cluster: work.cluster, host: host.host, about, first: one, limitMs });
};

function whyNotAsked(facts: ClusterFacts, host: HostRecord): string | null {
  const defined = facts.definition.hosts.find(({ name }) => name === host.host);
  return defined !== undefined && defined.instanceId === undefined ? 'it is no EC2 instance' : null;
}

function isWanted(facts: ClusterFacts, host: HostRecord, session: string): boolean {
  const waiting = waitingSlots(facts, { host, session });
  return waiting.length === 0 || waiting.some(({ group }) => isAccepted('power-off', acceptedBy(facts, group)));
}

interface Confirming {
  readonly cluster: string;
  readonly host: string;
  readonly about: PoweredSession;
  readonly first: TimedReading;
  readonly limitMs: number;
}

async function confirm(ports: ControlPorts, at: Confirming): Promise<Found> {
  const { cluster, host, about, first, limitMs } = at;
  const told = { first: readingFacts(first) };
  for (;;) {
    const stored = (await ports.registry.get<HostRecord>(keys.host(cluster, host)))?.body;
    if (stored !== undefined && isOnRecord(stored, about.session)) return dead({ ...told, reads: stored.off?.reads });
    const dueInMs = Math.ceil(confirmationDueInMs(about, first, ports.boot.now()));
    if (dueInMs <= 0) break;
    await ports.sleeper.sleep(Math.min(LOOK_MS, dueInMs));
  }
  const second = await within(ports, limitMs, readPower(ports, about.machine));
  if (second === null) return unknown(`it was off, and EC2 did not answer again within ${limitMs} ms`, told);
  const pair: Pair = pairOfReads(about, first, second);
  if (pair.off === null) return unknown(inWords(pair.why, second), { ...told, second: readingFacts(second) });
  await recordOff(ports, { cluster, host }, pair.off);
  return dead({ ...told, reads: pair.off.reads });
}

const dead = (facts: Found['facts']): Found => ({
  answer: 'dead',
  evidence: 'power-off',
  facts,
  says: 'two reads of EC2 show the machine off, and it was not started again since this session began',
});

function inWords(why: string, { reading: { checks, impairedSince } }: TimedReading): string {
  if (checks === 'unknown') return why;
  return `${why}; status checks: ${checks}${impairedSince === null ? '' : `, impaired since ${impairedSince}`}`;
}
