/**
 * I7: stops of machines on mere suspicion stay within the budget (S14, V12), and there is none in a storm.
 *
 * Braked is every stop of a machine that is on, but for one that an operator ordered of a session of this machine. Each
 * must have been paid for (the record `BRAKE`, written before the call); what is paid within one window, by the moments
 * that payments carry, is at most what the profile allows in the cluster and in the zone, and leaves `minHealthy` hosts
 * of either (V12). Counted are hosts with their session: the same one pays once.
 *
 * A storm is held against a call only where it is beyond doubt. Of three hosts or more, more than half of all that may
 * have been up when the window began must have fallen silent within it, by the beats that the store took, and for longer
 * than a look and the order behind it may take. Not judged are calls within a minute after a function was frozen or
 * deceived by a stale scan: they act on a look of before.
 */
import { BRAKE_LIMITS, type BrakeLimits, STORM_HOSTS_MIN } from '../../core/config/brake-limits.ts';
import type { Definition, Timing } from '../../core/config/model.ts';
import { settleMs } from '../../core/detection/storm.ts';
import type { BrakeRecord, Spent } from '../../core/protocol/brake-records.ts';
import { type HostRecord, keys } from '../../core/protocol/records.ts';
import type { Told } from '../contract/truth.ts';
import { INVOCATION_MAX_MS } from './definitions.ts';
import { seconds, Watching } from './watching.ts';

interface Paid {
  readonly host: string;
  readonly zone: string | null;
  /** As the control plane's clocks showed it. */
  readonly stamps: number[];
  /** True time at which it was last written down. */
  lastMs: number;
}

const DECEIVED_MS = 60_000;
/** From the answers of the look to the call: one more read of each, and the order itself (`ha-fence/power-fence.ts`). */
const CALL_AFTER_LOOK_MS = 2_000;
const READ_TOLERATED_MS = 1_000;
const OUT_OF_COUNT: readonly HostRecord['status'][] = ['Down', 'Fenced', 'Removed', 'Connecting'];

export class Budget extends Watching {
  readonly invariant = 'I7';
  /** By host and session. */
  readonly #paid = new Map<string, Paid>();
  readonly #beatAt = new Map<string, number>();
  #deceivedAt = -Infinity;

  protected judge(fact: Told): void {
    switch (fact.type) {
      case 'beat':
        this.#beatAt.set(fact.host, fact.at);
        break;
      case 'fault':
        if (fact.kind === 'lambda_frozen' || fact.kind === 'stale_scan') this.#deceivedAt = fact.at;
        break;
      case 'record_written': {
        const { pk, sk } = keys.budget(this.seen.scene.cluster);
        if (fact.pk === pk && fact.sk === sk) this.#onBrake(fact.at);
        break;
      }
      case 'power_call':
        if (fact.call === 'stop') this.#onStop(fact);
        break;
      default:
    }
  }

  /** What was spent is forgotten with the record of it. */
  protected override onRestored(): void {
    this.#paid.clear();
  }

  #brake(): BrakeRecord | undefined {
    const { pk, sk } = keys.budget(this.seen.scene.cluster);
    return this.seen.truth.record<BrakeRecord>(pk, sk);
  }

  #onBrake(at: number): void {
    for (const spent of this.#brake()?.spent ?? []) {
      const key = `${spent.host} ${spent.session}`;
      const paid: Paid = this.#paid.get(key) ?? { host: spent.host, zone: spent.zone, stamps: [], lastMs: at };
      if (paid.stamps.includes(spent.atMs)) continue;
      paid.stamps.push(spent.atMs);
      paid.lastMs = at;
      this.#paid.set(key, paid);
      this.#askBudget(spent, at);
    }
  }

  #askBudget(spent: Spent, at: number): void {
    const whys = this.seen.definitions.recent().map((definition) => this.#whyOver(definition, spent));
    const why = whys.every((one) => one !== null) ? whys[0] : null;
    if (why) this.violate(at, `at ${seconds(at)} a stop of ${spent.host} was paid for by ${spent.run}: ${why}`);
  }

  #whyOver({ timing, hosts }: Definition, spent: Spent): string | null {
    const limits = BRAKE_LIMITS[timing.profile];
    const paid = this.#paidWithin(limits, spent.atMs);
    const most = Math.min(limits.perCluster, hosts.length - limits.minHealthy);
    if (paid.length > most)
      return `${paid.length} hosts within ${limits.windowMs} ms (${named(paid)}), at most ${most}`;
    if (spent.zone === null) return null;
    const there = hosts.filter(({ zone }) => zone === spent.zone).length;
    const zoneMost = there < 2 ? limits.perZone : Math.min(limits.perZone, there - limits.minHealthy);
    const inZone = paid.filter(({ zone }) => zone === spent.zone);
    if (inZone.length <= zoneMost) return null;
    return `${inZone.length} hosts of zone ${spent.zone} within ${limits.windowMs} ms (${named(inZone)}), at most ${zoneMost}`;
  }

  #paidWithin(limits: BrakeLimits, stamp: number): readonly Paid[] {
    return [...this.#paid.values()].filter(({ stamps }) =>
      stamps.some((one) => one <= stamp && stamp - one < limits.windowMs),
    );
  }

  #onStop({ machine, host, by, at }: Extract<Told, { type: 'power_call' }>): void {
    const isOn = this.seen.truth.machines().some((one) => one.machine === machine && one.power === 'on');
    const wasOn = isOn || this.seen.offAt(machine) === at;
    if (!wasOn || this.#isOrdered(host, machine)) return;
    const is = `at ${seconds(at)} ${by} stopped ${host} (${machine})`;
    const definition = this.seen.definitions.now();
    if (definition === undefined) return;
    const { windowMs } = BRAKE_LIMITS[definition.timing.profile];
    const paid = [...this.#paid.values()].some(
      (one) => one.host === host && at - one.lastMs <= windowMs + INVOCATION_MAX_MS,
    );
    if (!paid && this.seen.restores === 0)
      this.violate(at, `${is} without having paid for it (S14): no entry of the brake names it`);
    const storm = at - this.#deceivedAt < DECEIVED_MS ? null : this.#whyStorm(definition, at);
    if (storm !== null) this.violate(at, `${is} on mere suspicion in a storm: ${storm}`);
  }

  #hostRecord(host: string): HostRecord | undefined {
    const { pk, sk } = keys.host(this.seen.scene.cluster, host);
    return this.seen.truth.record<HostRecord>(pk, sk);
  }

  #isOrdered(host: string, machine: string): boolean {
    const order = this.#hostRecord(host)?.fenceOrder;
    return order !== undefined && this.seen.session(order.session)?.machine === machine;
  }

  #whyStorm({ timing, hosts }: Definition, at: number): string | null {
    if (hosts.length < STORM_HOSTS_MIN) return null;
    const { windowMs } = BRAKE_LIMITS[timing.profile];
    const lookMs = lookAndCallMs(timing);
    const storm = this.#brake()?.storm ?? null;
    const isOldStorm = storm !== null && storm.hosts.length > 0;
    const counted = hosts.filter(({ name }) => (this.#beatAt.get(name) ?? -Infinity) > at - windowMs - lookMs);
    const silent = counted.filter(({ name }) => {
      const beatAt = this.#beatAt.get(name) ?? -Infinity;
      const isSilent = beatAt <= at - lookMs && beatAt > at - windowMs;
      // What its record says of a storm of before counts as silent since then, however often it came back (harm.md).
      const isOfOld = isOldStorm && storm.hosts.includes(name) && storm.turns.length > 0;
      return isSilent && !isOfOld && !OUT_OF_COUNT.includes(this.#hostRecord(name)?.status ?? 'Connecting');
    });
    if (silent.length * 2 <= counted.length) return null;
    return `${silent.length} of ${counted.length} hosts have fallen silent within ${windowMs} ms (${silent.map(({ name }) => name).join(', ')})`;
  }
}

function lookAndCallMs(timing: Timing): number {
  const readMs = Math.max(READ_TOLERATED_MS, timing.renewCapMs);
  return settleMs(timing, []) + 2 * readMs + CALL_AFTER_LOOK_MS;
}

const named = (paid: readonly Paid[]): string => paid.map(({ host }) => host).join(', ');
