/**
 * A host without processes: it registers, beats, obeys and reports like any other, by the agent's own loops and the
 * guard's own rules for its lease, but what it runs is only noted. For benches and trials of clusters of hundreds.
 */
import { randomUUID } from 'node:crypto';
import { nodeTimers, systemWallClock } from '../../adapters/node/clocks.ts';
import { startBeating, ttl, type BeatLoop } from '../../agent/beat.ts';
import { registerSession } from '../../agent/registering.ts';
import { createReports } from '../../agent/reports.ts';
import type { Timing } from '../../core/config/model.ts';
import { renewedDeadline } from '../../core/lease/lease.ts';
import type { BootClock } from '../../core/ports.ts';
import { type Assignment, type Beat, keys, type Registration, RULES_VERSION } from '../../core/protocol/records.ts';
import { elapsed, type Instant } from '../../core/time/time.ts';
import { throughNetwork, type ThinNetwork, type ThinStore } from './thin-network.ts';
import { ThinSlots } from './thin-slots.ts';

const RETRY_MS = 500;
/** As the agent: without a rise of the directive number the assignment is read this often. */
const REREAD_MS = 60_000;

export interface ThinIdentity {
  readonly cluster: string;
  readonly host: string;
  readonly machine: string;
  readonly principal: string;
}

export interface ThinHostPorts {
  readonly clock: BootClock;
  readonly store: ThinStore;
  readonly network: ThinNetwork;
  readonly log: (text: string) => void;
}

/** From power on to power off. */
export class ThinLife {
  readonly #identity: ThinIdentity;
  readonly #boot: { readonly bootId: string; readonly launchTime: string };
  readonly #ports: ThinHostPorts;
  readonly #store: ThinStore;
  readonly #slots: ThinSlots;
  readonly #reread: NodeJS.Timeout;
  #kill: NodeJS.Timeout | undefined;
  #hasPower = true;
  #session: string | null = null;
  #deadline: Instant | null = null;
  #isLost = false;
  #beating: BeatLoop | undefined;
  #newest: Assignment | null = null;
  #wanted = 0;
  #isReading = false;
  #isStale = false;

  constructor(
    identity: ThinIdentity,
    boot: { readonly bootId: string; readonly launchTime: string },
    ports: ThinHostPorts & { readonly released: Map<string, number> },
  ) {
    this.#identity = identity;
    this.#boot = boot;
    this.#ports = ports;
    this.#store = throughNetwork(ports.store, ports.network, () => this.#hasPower);
    const { principal, host } = identity;
    const log = (_level: string, text: string): void => ports.log(`${host}: ${text}`);
    const reports = createReports({ registry: this.#store.registry, timers: nodeTimers, principal, log });
    this.#slots = new ThinSlots({
      report: ({ id, session, group, slot, epoch }, outcome, detail) =>
        reports.put({ order: id, session, group, slot, epoch, outcome, detail }),
      mayStart: () => !this.#isLost && this.#deadline !== null && elapsed(this.#ports.clock.now(), this.#deadline) > 0,
      released: ports.released,
    });
    this.#reread = setInterval(() => this.#readAgain(), REREAD_MS);
    void this.#begin();
  }

  end(): void {
    this.#hasPower = false;
    this.#beating?.stop();
    this.#slots.end();
    clearInterval(this.#reread);
    clearTimeout(this.#kill);
  }

  // ---- the session -----------------------------------------------------------------------------------------------

  async #begin(): Promise<void> {
    const session = randomUUID();
    this.#session = session;
    this.#deadline = null;
    const assignment = await this.#firstAssignment();
    const isCurrent = (): boolean => this.#hasPower && this.#session === session;
    const registered = await registerSession({
      own: this.#store.own,
      clock: this.#ports.clock,
      timers: nodeTimers,
      registration: this.#registration(session, assignment),
      handover: [],
      beat: () => this.#beat(),
      ttl: () => ttl(systemWallClock),
      isCurrent,
      log: (_level, text) => this.#ports.log(`${this.#identity.host}: ${text}`),
    });
    if (!isCurrent() || registered.outcome === 'dropped') return;
    if (registered.outcome === 'spent') return this.#begin();
    this.#renewed(assignment.timing, registered);
    this.#beatOn(session, assignment.timing);
    this.#readAgain();
  }

  async #firstAssignment(): Promise<Assignment> {
    for (;;) {
      const found = await this.#readAssignment().catch(() => undefined);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  #registration(session: string, { timing, incarnation }: Assignment): Registration {
    const { intervalMs, holderLeaseMs, takerWaitMs, killMs, writeLifeMs, freezeMs, clockRateError } = timing;
    return {
      session,
      cluster: this.#identity.cluster,
      host: this.#identity.host,
      machine: this.#identity.machine,
      ...this.#boot,
      guardLevel: 'init',
      rules: RULES_VERSION,
      timing: { intervalMs, holderLeaseMs, takerWaitMs, killMs, writeLifeMs, freezeMs, clockRateError },
      agentVersion: 'thin',
      incarnation,
      mayHold: false,
    };
  }

  #beatOn(session: string, timing: Timing): void {
    this.#beating = startBeating(session, timing, {
      clock: this.#ports.clock,
      wall: systemWallClock,
      timers: nodeTimers,
      own: this.#store.own,
      random: Math.random,
      log: () => undefined, // Hundreds of hosts: what is wrong shows in the status.
      beat: () => this.#beat(),
      guardSilentMs: () => 0,
      onRenewed: (heartbeat, sentAt, answeredAt) => {
        this.#renewed(timing, { sentAt, answeredAt });
        this.#wanted = Math.max(this.#wanted, heartbeat.directive);
        if (this.#wanted > this.#obeyed()) void this.#read();
      },
      onRefused: () => {
        clearTimeout(this.#kill);
        this.#isLost = false;
        this.#slots.giveUpCovered(); // S3
        void this.#begin();
      },
    });
  }

  /** S2; what is covered ends at deadline − 2w, as a guard would kill it (S4). */
  #renewed(timing: Timing, ack: { readonly sentAt: Instant; readonly answeredAt: Instant }): void {
    this.#deadline = renewedDeadline(this.#deadline, ack, timing);
    if (this.#deadline === null) return;
    if (this.#isLost) {
      this.#isLost = false;
      this.#slots.resume();
    }
    const killInMs = elapsed(this.#ports.clock.now(), this.#deadline) - 2 * timing.watchdogMs;
    clearTimeout(this.#kill);
    this.#kill = setTimeout(
      () => {
        this.#isLost = true;
        this.#slots.stopCovered();
      },
      Math.max(0, killInMs),
    );
  }

  #beat(): Beat {
    const orders = this.#newest?.orders ?? [];
    return {
      obeyed: this.#obeyed(),
      slots: this.#slots.reports(),
      lists: Object.fromEntries(orders.map(({ group, slot, list }) => [`${group}/${String(slot)}`, list.no])),
      sentAtWallMs: Date.now(),
    };
  }

  // ---- orders ----------------------------------------------------------------------------------------------------

  #obeyed(): number {
    return this.#newest?.n ?? 0;
  }

  #readAgain(): void {
    this.#isStale = true;
    void this.#read();
  }

  async #read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#hasPower && (this.#isStale || this.#wanted > this.#obeyed())) {
      this.#isStale = false;
      const found = await this.#readAssignment().catch(() => undefined);
      if (found !== undefined && found.n >= this.#obeyed()) {
        this.#newest = found;
        this.#slots.obey(found.orders.filter(({ session }) => session === this.#session));
      }
      if (this.#wanted > this.#obeyed()) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    this.#isReading = false;
  }

  async #readAssignment(): Promise<Assignment | undefined> {
    return (await this.#store.registry.get<Assignment>(keys.assignment(this.#identity.principal)))?.body;
  }
}
