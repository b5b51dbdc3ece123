/**
 * Definitions against the deployment that shall carry them: leases and long waits against the time-outs of Lambdas and
 * workflow (V7), the period of sweeps against the schedule (V10), renewals against the units of the table.
 */
import {
  EVIDENCE_ROUNDS_MAX,
  SCHEDULE_MS,
  START_ATTEMPTS_MAX,
  STEP_CALL_MS,
  SWEEP_LOOP_MS,
  SWEEP_STORE_MS,
  WORKFLOW_MS,
} from '../core/config/control-limits.ts';
import { formatDuration } from '../core/config/durations.ts';
import type { Definition, GroupDefinition } from '../core/config/model.ts';
import type { Finding, Path } from '../core/config/problem.ts';
import { revocationWaitMs, stopTimeMs } from '../core/config/timing.ts';
import { SWEEP_TIMEOUT_MS } from './time-outs.ts';
import type { DeploymentSettings } from './settings.ts';

/** Step Functions ends an execution at 25,000 events of history; the rest of a run has few. */
const HISTORY_EVENTS_MAX = 20_000;
/** A task (entered, scheduled, started, succeeded, left) and the choice after it (entered, left). */
const EVENTS_PER_ROUND = 7;
/** So many rounds of one slot can be waited for, all attempts together. */
const ROUNDS_MAX = Math.floor(HISTORY_EVENTS_MAX / EVENTS_PER_ROUND);

/** A definition that is valid by itself, and where the settings name it. */
export interface NamedDefinition {
  /** `definitions[0]`. */
  readonly at: Finding['at'];
  readonly definition: Definition;
}

type Check = (settings: DeploymentSettings, named: NamedDefinition) => readonly Finding[];

const under = (at: Path, cluster: string, rest: Omit<Finding, 'at'>): Finding => ({
  at,
  ...rest,
  got: `cluster ${cluster}, ${rest.got}`,
});

/**
 * A loop of sweeps must end inside its Lambda's time-out. Where sweeps come once a minute, a definition that asks for more
 * gets no more: silent hosts are found all the same, and the bound on recovery that is shown would not be kept.
 */
const sweepsFit: Check = ({ findBehind }, { at, definition: { cluster, timing } }) => {
  const periodMs = timing.sweepPeriodMs;
  const got = `timing.sweepPeriod ${formatDuration(periodMs)}`;
  if (findBehind.every === 'loop') {
    const mostMs = SWEEP_TIMEOUT_MS - SWEEP_LOOP_MS - SWEEP_STORE_MS;
    if (periodMs <= mostMs) return [];
    const change =
      `must be at most ${formatDuration(mostMs)} while findBehind.every is loop: find-behind sweeps for` +
      ` ${formatDuration(SWEEP_LOOP_MS)} and its Lambda ends at ${formatDuration(SWEEP_TIMEOUT_MS)};` +
      ` or set findBehind.every to minute`;
    return [under(at, cluster, { got, change, rule: 'V10' })];
  }
  if (periodMs >= SCHEDULE_MS) return [];
  const change =
    `must be at least ${formatDuration(SCHEDULE_MS)} while findBehind.every is minute: sweeps come once a minute whatever it` +
    ` says, and the recovery bound that is shown and holdfast doctor count with it; or set findBehind.every to loop`;
  return [under(at, cluster, { got, change, rule: 'V10' })];
};

/** Who waits out a lease does so in rounds, and only so many. */
const leasesAreWaitedOut: Check = (_, { at, definition: { cluster, timing } }) => {
  const waitMs = revocationWaitMs(timing);
  // The last round may end early, and one is spent before the count begins.
  const mostMs = (EVIDENCE_ROUNDS_MAX - 2) * STEP_CALL_MS;
  if (waitMs <= mostMs) return [];
  const got = `timing.takerWait ${formatDuration(timing.takerWaitMs)} and wallGap ${formatDuration(timing.wallGapMs)}`;
  const change =
    `must be at most ${formatDuration(mostMs)} together: the workflow waits for evidence in` +
    ` ${String(EVIDENCE_ROUNDS_MAX)} calls of ${formatDuration(STEP_CALL_MS)}, then the run is held`;
  return [under(at, cluster, { got, change, rule: 'V7' })];
};

const startTimeMs = ({ services }: Pick<GroupDefinition, 'services'>): number =>
  services.reduce((sum, { actions }) => sum + actions.start.timeoutMs * actions.start.attempts, 0);

/** All that a run may wait for one slot ends before the workflow does, in time and in events. */
const startsFit: Check = (_, { at, definition }) =>
  definition.groups.flatMap((group) => {
    const slotMs = START_ATTEMPTS_MAX * (startTimeMs(group) + stopTimeMs(group));
    const mostMs = Math.min(ROUNDS_MAX * STEP_CALL_MS, WORKFLOW_MS - revocationWaitMs(definition.timing));
    if (slotMs <= mostMs) return [];
    const got = `group ${group.name} may take ${formatDuration(slotMs)} to start on ${String(START_ATTEMPTS_MAX)} hosts`;
    const change =
      `must be at most ${formatDuration(mostMs)}: lower the time-outs or attempts of its services' start and stop,` +
      ` or the workflow ends before the group has started`;
    return [under(at, definition.cluster, { got, change, rule: 'V7' })];
  });

/** Each renewal is one write unit: the item is below 1 KB. A throttled renewal is a lost one. */
function renewalsFit({ tables: { heartbeats } }: DeploymentSettings, definitions: readonly Definition[]): Finding[] {
  if (heartbeats.billing === 'on-demand') return [];
  const beats = definitions.reduce((sum, { hosts, timing }) => sum + (hosts.length * 1_000) / timing.intervalMs, 0);
  const least = Math.ceil((beats * 100) / heartbeats.utilisation);
  if (heartbeats.write.min >= least) return [];
  const change =
    `must be at least ${String(least)}: hosts of the definitions renew ${String(Math.ceil(beats))} times a second, and` +
    ` utilisation is ${String(heartbeats.utilisation)} %; a lease whose renewals are throttled ends`;
  return [{ at: ['tables', 'heartbeats', 'write', 'min'], got: String(heartbeats.write.min), change, rule: 'V6' }];
}

/** A cluster is defined once, or one deployment would be asked to carry two of the name. */
function namesAreOnce(definitions: readonly NamedDefinition[]): Finding[] {
  const seen = new Set<string>();
  return definitions.flatMap(({ at, definition: { cluster } }) => {
    const isFirst = !seen.has(cluster);
    seen.add(cluster);
    return isFirst ? [] : [{ at, got: `cluster ${cluster} a second time`, change: 'name every definition once' }];
  });
}

/** A machine is one host of one cluster: its lease, its heartbeat and its guard are one. */
function machinesAreOnce(definitions: readonly NamedDefinition[]): Finding[] {
  const owners = new Map<string, string>();
  return definitions.flatMap(({ at, definition: { cluster, hosts } }) =>
    hosts.flatMap(({ name, instanceId, certificateName }) => {
      const machine = instanceId ?? certificateName;
      const other = machine === undefined ? undefined : owners.get(machine);
      if (machine !== undefined && other === undefined) owners.set(machine, `host ${name} of cluster ${cluster}`);
      if (machine === undefined || other === undefined) return [];
      const change = `it is ${other} already: a machine is a host of one cluster; name another, or remove one of the two`;
      return [under(at, cluster, { got: `host ${name} is ${machine}`, change, rule: 'S1' })];
    }),
  );
}

const EACH: readonly Check[] = [sweepsFit, leasesAreWaitedOut, startsFit];

export function deploymentFindings(
  settings: DeploymentSettings,
  definitions: readonly NamedDefinition[],
): readonly Finding[] {
  return [
    ...namesAreOnce(definitions),
    ...machinesAreOnce(definitions),
    ...definitions.flatMap((named) => EACH.flatMap((check) => check(settings, named))),
    ...renewalsFit(
      settings,
      definitions.map(({ definition }) => definition),
    ),
  ];
}
