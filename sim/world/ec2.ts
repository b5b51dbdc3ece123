/**
 * EC2, SSM and the way to applications as functions reach them: orders and reads on their way to `instances.ts`, readings
 * that lag behind, events that come late and again. Limits are those of `adapters/aws/ec2-power.ts` and `ssm-guard-ask.ts`.
 */
import { HaError } from '../../core/failures/failures.ts';
import type { GuardCheck, Power, PowerReading, PowerState, StopOrder } from '../../core/ports.ts';
import type { Millis } from '../../core/time/time.ts';
import { isoTime } from '../../core/workflow/iso-time.ts';
import type { BackgroundFault, Noise } from '../contract/faults.ts';
import type { MachinePower, SimEc2 } from '../contract/parts.ts';
import type { Scene } from '../contract/scene.ts';
import type { Stage } from '../contract/stage.ts';
import { BEGINNING_MS } from '../kernel/local-clock.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';
import { type RetryLimits, withRetries } from './attempts.ts';
import { Instances } from './instances.ts';

const LIMITS: RetryLimits = {
  attempts: 3,
  budgetMs: 9_000,
  pauseMs: 100,
  again: ['power_throttled'],
  spent: 'power_throttled',
};
const REQUEST_MS = 4_000;
/** One leg of a call to EC2's API. */
const LEG_MS = { least: 20, most: 150 } as const;
const GUARD_ASK_MS = 5_000;
/** How long a Run Command takes on a healthy host, to the guard and back. */
const RUN_COMMAND_MS = { least: 300, most: 1_500 } as const;
const EVENT_MS = { least: 50, most: 2_000, late: 90_000 } as const;
/** Parts of questions that meet nobody, in runs whose EC2 is not sound either. */
const GUARD_SILENT = 0.15;
const PROBE_LIES = 0.15;
const PROBE_MS = 200;
/** A demo stands for the local EC2, which is some ten times faster. */
const DEMO_SCALE = 0.1;

const NOTHING: Omit<PowerReading, 'says'> = {
  ...{ state: 'unknown', principal: null, launchTime: null, canHibernate: null },
  ...{ checks: 'unknown', impairedSince: null },
};

export function createEc2(stage: Stage, scene: Scene, machines: MachinePower): SimEc2 {
  return new Ec2InTheWorld(stage, scene, machines);
}

class Ec2InTheWorld implements SimEc2 {
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #scale: number;
  readonly #machines: MachinePower;
  readonly #instances: Instances;
  readonly #listeners: ((event: unknown) => void)[] = [];
  #noise: Noise = {};

  constructor(stage: Stage, scene: Scene, machines: MachinePower) {
    this.#stage = stage;
    this.#random = stage.random.fork('ec2');
    this.#machines = machines;
    this.#scale = scene.profile === 'demo' ? DEMO_SCALE : 1;
    const onState = (machine: string, state: PowerState): void => this.#emit(machine, state);
    this.#instances = new Instances(stage, machines, { scale: this.#scale, onState });
    for (const { instanceId, isOnAtFirst } of scene.hosts) {
      if (instanceId !== null) this.#instances.add(instanceId, isOnAtFirst);
    }
  }

  forControl: SimEc2['forControl'] = (process) => ({
    power: {
      read: (machine) => this.#read(process, machine),
      stop: (machine, order, isStillWanted) => this.#stop(process, machine, order, isStillWanted),
      start: (machine) =>
        this.#order(process, { machine, call: 'start', perform: () => this.#instances.power.start(machine) }),
    },
    guardAsk: { check: (machine) => process.call(() => this.#askGuard(process, machine)) },
    probe: { ask: () => process.call(() => this.#probe()) },
  });

  setNoise(noise: Noise): void {
    this.#noise = noise;
  }

  setStuck(isStuck: boolean): void {
    this.#instances.setStuck(isStuck);
  }

  stopByHand(machine: string): void {
    void this.#instances.stopByHand(machine);
  }

  startByHand(machine: string): void {
    void this.#instances.startByHand(machine);
  }

  isRunning(machine: string): boolean {
    return this.#instances.stateOf(machine) === 'running';
  }

  onEvent(listener: (event: unknown) => void): void {
    this.#listeners.push(listener);
  }

  async #read(process: SimProcess, machine: string): Promise<PowerReading> {
    const says = `read ${machine}`;
    try {
      return await withRetries({ process, random: this.#random, says }, LIMITS, () =>
        process.call(() => this.#onTheWay(process, says, () => this.#reading(machine))),
      );
    } catch (error) {
      return { ...NOTHING, says: error instanceof Error ? error.message : String(error) };
    }
  }

  async #reading(machine: string): Promise<PowerReading> {
    if (this.#meets('ec2_empty', machine)) {
      return { ...NOTHING, says: `EC2 answered without an instance ${machine}` };
    }
    const earlier = this.#instances.before(machine, this.#random.int(1, 3));
    if (earlier !== undefined && this.#meets('ec2_stale', machine)) return earlier;
    return this.#instances.power.read(machine);
  }

  async #stop(
    process: SimProcess,
    machine: string,
    order: StopOrder,
    isStillWanted: Parameters<Power['stop']>[2],
  ): Promise<void> {
    const perform = (): Promise<void> => this.#instances.power.stop(machine, order);
    await this.#order(process, { machine, call: 'stop', perform, isStillWanted });
  }

  async #order(process: SimProcess, order: Order): Promise<void> {
    const { machine, call, perform, isStillWanted } = order;
    const says = `${call} ${machine}`;
    const send = async (): Promise<'done' | 'called off'> => {
      // Asked in the step that sends it: the process may have stood still since the attempt before.
      if (isStillWanted?.() === false) return 'called off';
      await this.#onTheWay(process, says, async () => {
        await perform();
        const host = this.#machines.view(machine)?.host ?? '';
        this.#stage.tell({ type: 'power_call', machine, host, call, by: process.name });
      });
      return 'done';
    };
    const outcome = await withRetries({ process, random: this.#random, says }, LIMITS, () => process.call(send));
    if (outcome === 'called off') throw new HaError('power_throttled', `${says} was called off before it was sent`);
  }

  /** One attempt: throttled, lost on either leg, or answered; the sender gives up on the clock of its process. */
  #onTheWay<T>(process: SimProcess, says: string, perform: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const giveUp = process.timers.after(REQUEST_MS, () =>
        reject(new HaError('power_throttled', `${says}: no answer within ${REQUEST_MS} ms`)),
      );
      const isThrottled = this.#meets('ec2_throttled', says);
      const isLost = this.#meets('loss', says);
      const isAnswerLost = this.#meets('answer_lost', says);
      const answerMs = this.#leg() + (this.#meets('delay', says) ? this.#random.between(0, 3_000) : 0);
      const learn = (settle: () => void): void => {
        if (isAnswerLost) return;
        this.#later(answerMs, () => {
          giveUp();
          settle();
        });
      };
      if (isLost) return;
      this.#later(this.#leg(), () => {
        const fails = (error: unknown): void =>
          learn(() => reject(error instanceof Error ? error : new HaError('power_throttled', String(error))));
        if (isThrottled) fails(new HaError('power_throttled', `${says}: RequestLimitExceeded`));
        else perform().then((answer) => learn(() => resolve(answer)), fails);
      });
    });
  }

  /** A machine that nobody answers on, or an agent of SSM that is not connected, says nothing (S8). */
  #askGuard(process: SimProcess, machine: string): Promise<GuardCheck> {
    const unknown = (says: string): GuardCheck => ({ outcome: 'unknown', says });
    return new Promise((resolve) => {
      const giveUp = process.timers.after(GUARD_ASK_MS, () => resolve(unknown('the command had not ended in time')));
      if (this.#hasFaults() && this.#random.chance(GUARD_SILENT)) {
        if (this.#random.chance(0.5))
          this.#later(this.#leg(), () => resolve(unknown('its SSM agent is not connected')));
        return;
      }
      this.#later(this.#between(RUN_COMMAND_MS), () => {
        const answer = this.#machines.checkGuard(machine);
        if (answer === null) return;
        this.#later(this.#between(RUN_COMMAND_MS), () => {
          giveUp();
          resolve(answer);
        });
      });
    });
  }

  /** What answers at an address is never evidence, so that lies are drawn here. */
  #probe(): Promise<'answered' | 'silent'> {
    const answer = this.#hasFaults() && this.#random.chance(PROBE_LIES) ? 'answered' : 'silent';
    return new Promise((resolve) => this.#later(PROBE_MS, () => resolve(answer)));
  }

  #emit(machine: string, state: PowerState): void {
    const account = this.#machines.view(machine)?.principal.split(':')[4] ?? '';
    const region = this.#machines.view(machine)?.principal.split(':')[3] ?? '';
    const event = {
      version: '0',
      id: this.#random.uuid(),
      'detail-type': 'EC2 Instance State-change Notification',
      source: 'aws.ec2',
      account,
      time: isoTime(BEGINNING_MS + this.#stage.timeline.now()).replace(/\.\d+Z$/, 'Z'),
      region,
      resources: [`arn:aws:ec2:${region}:${account}:instance/${machine}`],
      detail: { 'instance-id': machine, state },
    };
    const says = `${machine} ${state}`;
    const deliver = (): void => this.#listeners.forEach((listener) => listener(event));
    const lateMs = this.#meets('event_late', says) ? EVENT_MS.late * this.#random.fraction() : 0;
    const afterMs = (this.#random.between(EVENT_MS.least, EVENT_MS.most) + lateMs) * this.#scale;
    this.#later(afterMs, deliver);
    if (!this.#meets('event_repeated', says)) return;
    this.#later(afterMs + EVENT_MS.late * this.#random.fraction() * this.#scale, deliver);
  }

  #hasFaults(): boolean {
    const { ec2_throttled: throttled = 0, ec2_stale: stale = 0, ec2_empty: empty = 0 } = this.#noise;
    return throttled + stale + empty > 0;
  }

  #meets(kind: BackgroundFault, says: string): boolean {
    const part = this.#noise[kind] ?? 0;
    if (part === 0 || !this.#random.chance(part)) return false;
    this.#stage.tell({ type: 'fault', kind, subject: 'ec2', now: 'begins', says });
    return true;
  }

  #leg(): Millis {
    return this.#between(LEG_MS);
  }

  #between({ least, most }: { readonly least: Millis; readonly most: Millis }): Millis {
    return this.#random.between(least, most) * this.#scale;
  }

  #later(ms: Millis, fire: () => void): void {
    this.#stage.timeline.after(ms, fire);
  }
}

interface Order {
  readonly machine: string;
  readonly call: 'stop' | 'start';
  readonly perform: () => Promise<void>;
  readonly isStillWanted?: Parameters<Power['stop']>[2];
}
