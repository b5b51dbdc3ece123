/** Draws everything about a run from its seed: the cluster, its machines, the faults and what its operators do. */
import { startInWavesMs } from '../../core/placement/aggregates.ts';
import type { Timing } from '../../core/config/model.ts';
import { recoveryBoundMs } from '../../core/config/timing.ts';
import { TIMING_PROFILES } from '../../core/config/timing-profiles.ts';
import type { Millis } from '../../core/time/time.ts';
import type { Noise, ScheduledFault } from '../contract/faults.ts';
import type { HostScene, Scene } from '../contract/scene.ts';
import { reconcileMs } from '../contract/schedule.ts';
import { Random } from '../kernel/random.ts';
import { type ActDraw, backInService, drawApplies, drawOrders } from './draw-acts.ts';
import { retimed } from './draw-changes.ts';
import { CLUSTER, drawCluster, movesWindowMs } from './draw-definition.ts';
import { type FaultDraw, drawFaults, drawLostRenewals, drawLosses, drawNoise } from './draw-faults.ts';
import { drawPlot, withNoise } from './draw-plots.ts';
import { type Draft, definitionOf, yamlOf } from './draft.ts';

/** Beats of each host under faults: 200, the longer pauses of jitter, and the time in which hosts are down. */
const BEATS = { least: 210, most: 235 } as const;
const MOODS = [
  ['stormy', 86],
  ['calm', 7],
  ['lossy', 7],
] as const;
const OPERATED = 0.4;
const LOST = 0.4;
/** Runs that begin with another lease than their profile's, so that a change may also make it shorter. */
const RETIMED = 0.5;

/** How long machines take to be back, whatever the timing. */
const MACHINE_MS = { demo: 10_000, others: 90_000 } as const;
/** An agent that failed to release a slot tries again when it reads its assignment again (`agent/assignments.ts`). */
const REREAD_MS = 60_000;

export function drawScene(seed: number): Scene {
  const random = new Random(seed).fork('scene');
  const { profile, draft: plain, hosts } = drawCluster(random.fork('cluster'));
  const timed = random.fork('timing');
  const draft = timed.chance(RETIMED) ? retimed(timed, plain) : plain;
  const timing = TIMING_PROFILES[profile];
  const mood = random.weighted(MOODS);
  const faultsForMs = Math.round(random.between(BEATS.least, BEATS.most) * timing.intervalMs);
  const isCalm = mood !== 'stormy';
  const { faults, noise } = drawTrouble(random, mood, { timing, hosts, faultsForMs });
  const plan: ActDraw = { first: draft, timing, faultsForMs, faults };
  const applies = drawApplies(random.fork('applies'), plan);
  const orders = !isCalm && random.chance(OPERATED) ? drawOrders(random.fork('orders'), plan) : [];
  const meanwhile = [...applies.acts, ...orders].sort((a, b) => a.at - b.at);
  const last = applies.drafts.at(-1) ?? draft;
  return {
    ...{ seed, profile, cluster: CLUSTER, yaml: yamlOf(draft), faultsForMs, isFull: true, noise, faults },
    // A calm run begins with everything there: a host that nobody turns on is a fault as well.
    hosts: isCalm ? hosts.map((host) => ({ ...host, isOnAtFirst: true })) : withLost(random.fork('lost'), hosts),
    quietForMs: quietMs(applies.drafts, timing, profile),
    acts: [...meanwhile, ...backInService(plan, meanwhile, last)],
  };
}

/** Calm runs, and those that lose some renewals, are there to show that nothing is done without a reason (I6). */
function drawTrouble(random: Random, mood: (typeof MOODS)[number][0], draw: FaultDraw): Trouble {
  if (mood === 'calm') return { faults: [], noise: {} };
  if (mood === 'stormy') {
    const plot = drawPlot(random.fork('plot'), draw);
    const faults = [...drawFaults(random.fork('faults'), draw), ...plot.faults].sort((a, b) => a.at - b.at);
    return { faults: numbered(faults), noise: withNoise(drawNoise(random.fork('noise')), plot.noise) };
  }
  const isDrawnPerCall = random.chance(0.6);
  return isDrawnPerCall
    ? { faults: [], noise: drawLosses(random.fork('noise')) }
    : { faults: drawLostRenewals(random.fork('faults'), draw), noise: {} };
}

/** In some runs a host stays away for good: what it owned must be running elsewhere within the bound, though all else is well. */
function withLost(random: Random, hosts: readonly HostScene[]): readonly HostScene[] {
  const lost = random.int(0, hosts.length - 1);
  const ends = random.chance(0.5) ? 'stopped' : 'crashed';
  if (hosts.length < 2 || !random.chance(LOST)) return hosts;
  return hosts.map((host, index) => (index === lost ? { ...host, ends } : host));
}

interface Trouble {
  readonly faults: readonly ScheduledFault[];
  readonly noise: Noise;
}

/** Machines of one host are numbered, so that each replacement has an id of its own. */
function numbered(faults: readonly ScheduledFault[]): readonly ScheduledFault[] {
  const generations = new Map<string, number>();
  return faults.map((fault) => {
    if (fault.kind !== 'replaced') return fault;
    const amount = (generations.get(fault.subject) ?? 0) + 1;
    generations.set(fault.subject, amount);
    return { ...fault, amount };
  });
}

/** Until machines are back, what is damped goes on, and the slowest recovery has ended (V10). */
function quietMs(drafts: readonly Draft[], timing: Timing, profile: Scene['profile']): Millis {
  const machineMs = profile === 'demo' ? MACHINE_MS.demo : MACHINE_MS.others;
  const bounds = drafts.map((draft) => {
    const definition = definitionOf(draft);
    if (definition === null) return 0;
    return recoveryBoundMs(definition.timing, { startMs: startInWavesMs(definition.groups) });
  });
  const quiet = 2 * Math.max(...bounds) + 2.5 * reconcileMs(profile) + machineMs + movesWindowMs(timing);
  return Math.ceil(Math.max(quiet, REREAD_MS + Math.max(...bounds) + machineMs));
}
