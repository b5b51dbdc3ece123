/**
 * V1–V12 for a saved configuration. Each issue names the knob as it is written in a definition, the value, and what
 * it must be.
 *
 * Checked elsewhere, because their facts do not exist yet when a definition is saved: V5 (real time-outs) is read back
 * when a guard arms its watchdog; V7 (fence time-outs) at synth, against the workflow; V9's warning in
 * `definition.ts`, per group; V10 and V11 are figures to show (`recoveryBoundMs`, `outageSurvivedMs`), here only what
 * would falsify them; V12 (budget) by the storm brake, against the hosts healthy at that moment.
 */
import { formatDuration } from './durations.ts';
import type { Timing } from './model.ts';
import { requiredHolderLeaseMs, requiredTakerWaitMs } from './timing.ts';
import { NETWORK_ATTEMPT_MS, SCHEDULING_PAUSE_MS, TIMING_PROFILES } from './timing-profiles.ts';

/** The knobs that are durations, by the name a definition uses. */
export const TIMING_DURATIONS = {
  interval: 'intervalMs',
  renewCap: 'renewCapMs',
  guardPeriod: 'guardPeriodMs',
  watchdog: 'watchdogMs',
  cleanStop: 'cleanStopMs',
  kill: 'killMs',
  writeLife: 'writeLifeMs',
  freeze: 'freezeMs',
  wallGap: 'wallGapMs',
  holderLease: 'holderLeaseMs',
  takerWait: 'takerWaitMs',
  sweepPeriod: 'sweepPeriodMs',
} as const satisfies Record<string, keyof Timing>;

type DurationKnob = keyof typeof TIMING_DURATIONS;
type NumberKnob = 'jitter' | 'lostRenewals' | 'clockRateError' | 'behindAfter';
export type TimingKnob = DurationKnob | NumberKnob;

export interface TimingIssue {
  readonly rule: 'V1' | 'V2' | 'V3' | 'V4' | 'V6' | 'V8' | 'V9' | 'V10' | 'I6';
  /** The knob to change, under `timing`. */
  readonly path: TimingKnob;
  /** The knob and its value: `takerWait 12s`. */
  readonly got: string;
  readonly must: string;
  /** The inequality in words, with its arithmetic. */
  readonly why: string;
}

type Rule = (timing: Timing) => TimingIssue[];

function isDuration(knob: string): knob is DurationKnob {
  return knob in TIMING_DURATIONS;
}

const valueOf = (timing: Timing, knob: TimingKnob): number => timing[isDuration(knob) ? TIMING_DURATIONS[knob] : knob];

const show = (timing: Timing, knob: TimingKnob): string =>
  isDuration(knob) ? formatDuration(valueOf(timing, knob)) : String(valueOf(timing, knob));

/** True if the definition changed this knob from what its profile says. */
const isSet = (timing: Timing, knob: TimingKnob): boolean =>
  valueOf(timing, knob) !== valueOf(TIMING_PROFILES[timing.profile], knob);

/** V8: timers count whole milliseconds, so a knob that does not would be rounded silently. */
const wholeMilliseconds: Rule = (timing) =>
  Object.keys(TIMING_DURATIONS)
    .filter(isDuration)
    .flatMap((path): TimingIssue[] => {
      const value = valueOf(timing, path);
      // A gap, a write or a freeze of nothing is for other rules; a period, lease or time-out of nothing has no meaning.
      const least = path === 'wallGap' || path === 'writeLife' || path === 'freeze' ? 0 : 1;
      if (Number.isSafeInteger(value) && value >= least && value <= 86_400_000) return [];
      const must = `a whole number of milliseconds from ${least}ms to 24h`;
      return [{ rule: 'V8', path, got: `${path} ${value}ms`, must, why: 'timers have a grain' }];
    });

const ratios: Rule = (timing) => {
  const { jitter, clockRateError: rho } = timing;
  const issues: TimingIssue[] = [];
  if (!(jitter >= 0 && jitter <= 0.5)) {
    const why = 'it is a fraction of interval';
    issues.push({ rule: 'V6', path: 'jitter', got: `jitter ${jitter}`, must: 'from 0 to 0.5', why });
  }
  if (!(rho > 0 && rho <= 0.05)) {
    const why = 'no two clocks run at the same rate';
    const must = 'above 0 and at most 0.05';
    issues.push({ rule: 'V3', path: 'clockRateError', got: `clockRateError ${rho}`, must, why });
  }
  return issues;
};

const oneAttempt: Rule = (timing) =>
  timing.renewCapMs >= NETWORK_ATTEMPT_MS
    ? []
    : [
        {
          rule: 'V1',
          path: 'renewCap',
          got: `renewCap ${show(timing, 'renewCap')}`,
          must: `at least ${NETWORK_ATTEMPT_MS}ms`,
          why: 'a renewal that is cut off before one network attempt can end never succeeds',
        },
      ];

interface Sum {
  readonly rule: 'V2' | 'V3';
  /** The knob that must be at least `needed`. */
  readonly whole: DurationKnob;
  readonly needed: number;
  /** How much `needed` grows with 1 ms of each knob. */
  readonly weights: readonly (readonly [DurationKnob, number])[];
  /** What else `needed` depends on. */
  readonly factors: readonly NumberKnob[];
  readonly why: string;
}

/** The knob that was changed is the one to name; others may be lowered instead, so their limits are said too. */
function sumIssue(timing: Timing, sum: Sum): TimingIssue[] {
  const value = valueOf(timing, sum.whole);
  if (value >= sum.needed) return [];
  const parts = sum.weights
    .filter(([knob]) => isSet(timing, knob))
    .map(([knob, weight]) => ({ knob, most: Math.floor(valueOf(timing, knob) - (sum.needed - value) / weight) }));
  const changed = [...parts.map(({ knob }) => knob), ...sum.factors.filter((knob) => isSet(timing, knob))];
  const path = isSet(timing, sum.whole) ? sum.whole : (changed[0] ?? sum.whole);
  const lower = parts.filter(({ most }) => most > 0).map(({ knob, most }) => `${knob} at most ${formatDuration(most)}`);
  return [
    {
      rule: sum.rule,
      path,
      got: [sum.whole, ...changed].map((knob) => `${knob} ${show(timing, knob)}`).join(', '),
      must: [`${sum.whole} at least ${formatDuration(sum.needed)}`, ...lower].join(', or '),
      why: sum.why,
    },
  ];
}

const leaseOutlastsLosses: Rule = (timing) => {
  const per = (timing.lostRenewals + 1) * (1 + timing.jitter);
  return sumIssue(timing, {
    rule: 'V2',
    whole: 'holderLease',
    needed: requiredHolderLeaseMs(timing),
    weights: [
      ['interval', per],
      ['renewCap', 1],
      ['cleanStop', 1],
      ['watchdog', 2],
      ['guardPeriod', 1],
    ],
    factors: ['lostRenewals', 'jitter'],
    why:
      `the lease must outlast ${timing.lostRenewals} lost renewals and a clean stop: (lostRenewals+1)·interval·(1+jitter)` +
      ` + renewCap + cleanStop + 2·watchdog + guardPeriod`,
  });
};

const takerWaitsLonger: Rule = (timing) => {
  const rho = timing.clockRateError;
  return sumIssue(timing, {
    rule: 'V3',
    whole: 'takerWait',
    needed: requiredTakerWaitMs(timing),
    weights: [
      ['holderLease', (1 + rho) / (1 - rho)],
      ['kill', 1 + rho],
      ['writeLife', 1 + rho],
      ['freeze', 1 + rho],
    ],
    factors: ['clockRateError'],
    why:
      'SAFETY: a taker must wait until the old owner is certainly quiet: holderLease·(1+ρ)/(1−ρ)' +
      ` + (1+ρ)·(kill + writeLife + freeze) with ρ = clockRateError ${rho}`,
  });
};

const watchdogToleratesPauses: Rule = (timing) => {
  const pause = SCHEDULING_PAUSE_MS[timing.profile];
  const needed = 2 * timing.guardPeriodMs + pause;
  if (timing.watchdogMs >= needed) return [];
  return [
    {
      rule: 'V4',
      path: isSet(timing, 'watchdog') || !isSet(timing, 'guardPeriod') ? 'watchdog' : 'guardPeriod',
      got: `watchdog ${show(timing, 'watchdog')}, guardPeriod ${show(timing, 'guardPeriod')}`,
      must: `watchdog at least ${formatDuration(needed)}`,
      why: `2·guardPeriod + a scheduling pause of ${formatDuration(pause)}, or a busy healthy host is reset`,
    },
  ];
};

const renewalsDoNotOverlap: Rule = (timing) => {
  const longest = Math.round(timing.intervalMs * (1 + timing.jitter) * 1e6) / 1e6;
  const lost: TimingIssue[] =
    Number.isSafeInteger(timing.lostRenewals) && timing.lostRenewals >= 1 && timing.lostRenewals <= 100
      ? []
      : [
          {
            rule: 'V6',
            path: 'lostRenewals',
            got: `lostRenewals ${timing.lostRenewals}`,
            must: 'a whole number from 1 to 100',
            why: 'one lost packet must not stop a healthy service',
          },
        ];
  if (longest > timing.renewCapMs) return lost;
  return [
    ...lost,
    {
      rule: 'V6',
      path: isSet(timing, 'interval') && !isSet(timing, 'renewCap') ? 'interval' : 'renewCap',
      got: `renewCap ${show(timing, 'renewCap')}, interval ${show(timing, 'interval')}`,
      must: `renewCap below ${formatDuration(Math.ceil(longest))}`,
      why: 'interval·(1+jitter) must exceed renewCap, or renewals pile up',
    },
  ];
};

const freezeIsAdmitted: Rule = (timing) =>
  timing.freezeMs > 0
    ? []
    : [
        {
          rule: 'V9',
          path: 'freeze',
          got: `freeze ${timing.freezeMs}ms`,
          must: 'above 0ms',
          why: 'every machine can freeze between its last check and a write',
        },
      ];

/** Called behind too early it investigates healthy hosts (I6); too late, and the bound shown (V10) is not kept. */
const behindInTime: Rule = (timing) => {
  const after = timing.behindAfter * timing.intervalMs;
  const early = timing.intervalMs * (1 + timing.jitter) + timing.renewCapMs;
  const got = `behindAfter ${timing.behindAfter} (${formatDuration(after)})`;
  const at = (ms: number, round: (n: number) => number): number => round((ms / timing.intervalMs) * 100) / 100;
  if (!(after >= early)) {
    const must = `at least ${at(early, Math.ceil)}`;
    const why = 'behindAfter·interval must cover interval·(1+jitter) + renewCap, or healthy hosts are investigated';
    return [{ rule: 'I6', path: 'behindAfter', got, must, why }];
  }
  if (after <= timing.takerWaitMs) return [];
  const must = `at most ${at(timing.takerWaitMs, Math.floor)}`;
  const why = 'a host must be found behind before takerWait is over, or the recovery bound shown is not kept';
  return [{ rule: 'V10', path: 'behindAfter', got, must, why }];
};

const SUMS: readonly Rule[] = [
  oneAttempt,
  leaseOutlastsLosses,
  takerWaitsLonger,
  watchdogToleratesPauses,
  renewalsDoNotOverlap,
  freezeIsAdmitted,
  behindInTime,
];

/** All rules that a saved timing breaks; empty means it is safe to save. Sums over nonsense values would mislead, so those come first. */
export function checkTiming(timing: Timing): TimingIssue[] {
  const nonsense = [...wholeMilliseconds(timing), ...ratios(timing)];
  if (nonsense.length > 0) return nonsense;
  return SUMS.flatMap((rule) => rule(timing));
}
