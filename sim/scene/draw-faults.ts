/**
 * Random faults. Each run enables a random part of all kinds, at random rates, so that runs go deep in different directions
 * instead of each meeting a little of everything. A second fault often follows a first one within L_c + ε: there the bugs are.
 */
import type { Timing } from '../../core/config/model.ts';
import { revocationWaitMs } from '../../core/config/timing.ts';
import type { Millis } from '../../core/time/time.ts';
import type { BackgroundFault, Noise, ScheduledFault, ScheduledFaultKind } from '../contract/faults.ts';
import type { HostScene } from '../contract/scene.ts';
import type { Random } from '../kernel/random.ts';
import { type KindDraw, KINDS } from './fault-kinds.ts';

/** Of each background fault the highest part of calls that meets it; more would leave nothing that works at all. */
const NOISE_MAX: Readonly<Record<BackgroundFault, number>> = {
  loss: 0.12,
  delay: 0.2,
  duplicate: 0.2,
  reorder: 0.2,
  answer_lost: 0.12,
  late_commit: 0.1,
  stale_scan: 0.4,
  throttled: 0.12,
  lambda_twice: 0.2,
  lambda_late: 0.2,
  lambda_killed: 0.04,
  lambda_frozen: 0.04,
  step_late: 0.2,
  ec2_throttled: 0.3,
  ec2_stale: 0.4,
  ec2_empty: 0.2,
  event_late: 0.5,
  event_repeated: 0.5,
  slow_disk: 0.15,
};
const NOISE_ENABLED = 0.35;
/** Few runs in which functions die so often that steps of the workflow fail with all their attempts. */
const DYING = 0.03;
const DYING_PART = 0.75;
const KIND_ENABLED = 0.3;
const FOLLOWED = 0.45;
const CHAIN_MAX = 4;
const FAULTS_MAX = 40;

export interface FaultDraw {
  readonly timing: Timing;
  readonly hosts: readonly HostScene[];
  readonly faultsForMs: Millis;
}

export function drawNoise(random: Random): Noise {
  const kinds = Object.entries(NOISE_MAX).filter(() => random.chance(NOISE_ENABLED));
  const noise: Noise = Object.fromEntries(kinds.map(([kind, most]) => [kind, most * random.pick([0.03, 0.1, 0.3, 1])]));
  return random.fork('functions').chance(DYING) ? { ...noise, lambda_killed: DYING_PART } : noise;
}

/** Renewals get lost now and then, and nothing worse happens. */
export function drawLosses(random: Random): Noise {
  return { loss: random.between(0.002, 0.03), answer_lost: random.between(0, 0.02), duplicate: random.between(0, 0.1) };
}

/** At most k renewals of a host are lost in a row, and nothing else happens: nothing may be done about it (I6). */
export function drawLostRenewals(random: Random, { timing, hosts, faultsForMs }: FaultDraw): readonly ScheduledFault[] {
  const { intervalMs, lostRenewals } = timing;
  const longestMs = lostRenewalsMs(timing);
  // Between two such cuts a renewal gets through, and then some.
  const apartMs = (lostRenewals + 4) * intervalMs;
  const faults: ScheduledFault[] = [];
  for (let at = 3 * intervalMs; at < faultsForMs - apartMs; at += apartMs + random.between(0, 12 * intervalMs)) {
    const kind = random.pick(['cut', 'cut_answers', 'cut_requests'] as const);
    const forMs = Math.floor(random.between(0.2, 1) * longestMs);
    faults.push({ at: Math.round(at), kind, subject: random.pick(hosts).name, forMs });
  }
  return faults;
}

/** The longest cut in which no more than k renewals fall, with those on their way when it begins. */
function lostRenewalsMs({ intervalMs, lostRenewals }: Timing): Millis {
  return (lostRenewals - 1) * intervalMs - 50;
}

export function drawFaults(random: Random, draw: FaultDraw): readonly ScheduledFault[] {
  const kinds = enabledKinds(random);
  const faults: ScheduledFault[] = [];
  const firstAt = random.chance(0.8) ? 3 * draw.timing.intervalMs : 0;
  for (let left = random.int(2, 12); left > 0 && faults.length < FAULTS_MAX; left -= 1) {
    let at = random.between(firstAt, draw.faultsForMs);
    let before: ScheduledFault | undefined;
    for (let link = 0; link < CHAIN_MAX && at < draw.faultsForMs; link += 1) {
      const fault = drawFault(random, draw, { kind: random.weighted(kinds), at, before });
      if (fault !== null) faults.push(fault);
      before = fault ?? before;
      if (!random.chance(FOLLOWED)) break;
      at += nextAfter(random, draw.timing, fault);
    }
  }
  return faults.sort((a, b) => a.at - b.at);
}

function enabledKinds(random: Random): readonly (readonly [ScheduledFaultKind, number])[] {
  const all = Object.entries(KINDS) as readonly (readonly [ScheduledFaultKind, KindDraw])[];
  const enabled = all.filter(([, { rare = 1 }]) => random.chance(KIND_ENABLED * rare));
  const chosen = enabled.length === 0 ? [random.pick(all)] : enabled;
  return chosen.map(([kind]) => [kind, random.between(0.3, 1)] as const);
}

/** Right after, near the moment at which a taker may go on, or near the end of the fault before. */
function nextAfter(random: Random, timing: Timing, before: ScheduledFault | null): Millis {
  const wait = revocationWaitMs(timing);
  return Math.max(
    0,
    random.weighted([
      [random.between(0, 2 * timing.intervalMs), 30],
      [random.between(0, wait), 40],
      [wait + random.between(-2, 2) * timing.intervalMs, 20],
      [(before?.forMs ?? 0) + random.between(-1, 1) * timing.intervalMs, 10],
    ]),
  );
}

function drawFault(
  random: Random,
  draw: FaultDraw,
  about: { readonly kind: ScheduledFaultKind; readonly at: Millis; readonly before: ScheduledFault | undefined },
): ScheduledFault | null {
  const { kind, at, before } = about;
  const { of, forMs, amount }: KindDraw = KINDS[kind];
  const subject = drawSubject(random, draw.hosts, of, before);
  if (subject === null) return null;
  const lengthMs = forMs?.(random, draw.timing) ?? 0;
  const drawn = amount === undefined ? undefined : Math.round(amount(random, draw.timing));
  return {
    at: Math.round(at),
    kind,
    subject,
    forMs: Math.max(0, Math.floor(lengthMs)),
    ...(drawn === undefined ? {} : { amount: drawn }),
  };
}

function drawSubject(
  random: Random,
  hosts: readonly HostScene[],
  of: KindDraw['of'],
  before: ScheduledFault | undefined,
): string | null {
  if (of === 'all') return '';
  const zoned = of === 'zone';
  const eligible = hosts.filter(({ instanceId }) => of !== 'instance' || instanceId !== null);
  const names = zoned ? [...new Set(hosts.map(({ zone }) => zone))].sort() : eligible.map(({ name }) => name);
  if (names.length === 0) return null;
  // The same one again, as often as another: its recovery under way, or the place it is recovered to.
  const isAgain = before !== undefined && names.includes(before.subject) && random.chance(0.4);
  return isAgain ? before.subject : random.pick(names);
}
