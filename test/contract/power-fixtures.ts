import { setTimeout as delay } from 'node:timers/promises';
import { ec2Power } from '../../adapters/aws/ec2-power.ts';
import { MemoryPower } from '../../adapters/memory/memory-power.ts';
import type { BatchStart } from '../../core/cloud-ports.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { Power, PowerReading } from '../../core/ports.ts';
import type { MachineSource, MachineView } from '../../local/fleet/ec2/machine-source.ts';
import { startEc2 } from '../../local/fleet/ec2/server.ts';
import type { Ec2Server, Ec2ServerOptions } from '../../local/fleet/ec2/server.ts';

export const MACHINE = 'i-0123456789abcdef0';
export const NOBODY = 'i-00000000000000009';
export const PRINCIPAL = `arn:aws:ec2:local:000000000000:instance/${MACHINE}`;
export const LAUNCHED = '2026-11-21T10:00:00.000Z';

/** One running machine, launched at LAUNCHED. */
export interface PowerStage {
  readonly power: Power & BatchStart;
  /** Resolves when what is under way (stopping, pending) has come to its end. */
  arrive(state: PowerReading['state']): Promise<void>;
  /** Makes every call be refused as one too many, or not any more. */
  throttle(isOn: boolean): void;
  terminate(): Promise<void>;
  close(): Promise<void>;
}

export interface PowerFamily {
  readonly name: string;
  open(): Promise<PowerStage>;
}

export const memoryPowerFamily: PowerFamily = {
  name: 'memory',
  open: async () => {
    let isThrottled = false;
    const launchTime = '2026-11-21T11:00:00.000Z';
    const power: MemoryPower = new MemoryPower({
      faults: (_op, phase) => {
        if (isThrottled && phase === 'before') throw new HaError('power_throttled', 'RequestLimitExceeded: slow down');
      },
      onStart: (machine) => power.set(machine, { launchTime }),
    });
    power.set(MACHINE, { state: 'running', principal: PRINCIPAL, launchTime: LAUNCHED, checks: 'ok' });
    return {
      power,
      arrive: async (state) => power.set(MACHINE, { state }),
      throttle: (isOn) => void (isThrottled = isOn),
      terminate: async () => power.set(MACHINE, { state: 'terminated' }),
      close: async () => undefined,
    };
  },
};

/** Machines without processes. */
export class Machines implements MachineSource {
  readonly #views = new Map<string, MachineView>();
  #listener: (id: string, power: 'on' | 'off') => void = () => undefined;
  /** Every stop that reached a machine. */
  readonly stops: { readonly id: string; readonly orderly: boolean }[] = [];

  add(id: string, more: Partial<MachineView> = {}): this {
    const name = `h${String(this.#views.size + 1)}`;
    this.#views.set(id, { id, name, isOn: true, launchTime: LAUNCHED, isConnected: true, ...more });
    return this;
  }
  list(): readonly MachineView[] {
    return [...this.#views.values()];
  }
  view(id: string): MachineView | undefined {
    return this.#views.get(id);
  }
  async stop(id: string, { orderly }: { readonly orderly: boolean }): Promise<void> {
    this.stops.push({ id, orderly });
    this.#change(id, { isOn: false });
  }
  async start(id: string): Promise<void> {
    const before = Date.parse(this.view(id)?.launchTime ?? LAUNCHED);
    this.#change(id, { isOn: true, launchTime: new Date(before + 60_000).toISOString() });
  }
  async reboot(id: string, hasCrashed: () => boolean): Promise<void> {
    if (hasCrashed()) this.#change(id, { isOn: true });
  }
  onPower(listener: (id: string, power: 'on' | 'off') => void): void {
    this.#listener = listener;
  }
  /** As when its plug is pulled. */
  losePower(id: string): void {
    this.#change(id, { isOn: false });
    this.#listener(id, 'off');
  }
  #change(id: string, change: Partial<MachineView>): void {
    const view = this.view(id);
    if (view === undefined) throw new Error(`no machine ${id}`);
    this.#views.set(id, { ...view, ...change });
  }
}

export const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' } as const;

export function openEc2(source: MachineSource, more: Partial<Ec2ServerOptions> = {}): Promise<Ec2Server> {
  return startEc2({
    ...{ source, region: 'local', account: '000000000000', accessKeyId: CREDENTIALS.accessKeyId, log: () => undefined },
    ...more,
  });
}

export async function untilState(power: Power, machine: string, state: PowerReading['state']): Promise<void> {
  for (let round = 0; round < 500; round += 1) {
    if ((await power.read(machine)).state === state) return;
    await delay(20);
  }
  throw new Error(`${machine} did not become ${state}`);
}

/** The SDK's client over the local EC2. */
export const ec2PowerFamily: PowerFamily = {
  name: 'SDK over the local EC2',
  open: async () => {
    const server = await openEc2(new Machines().add(MACHINE));
    const power = ec2Power({ region: 'local', endpoint: server.url, credentials: CREDENTIALS });
    const arrive = (state: PowerReading['state']): Promise<void> => untilState(power, MACHINE, state);
    return {
      power,
      arrive,
      throttle: (isOn) => (isOn ? server.cloud.setMode('throttled') : server.cloud.clearModes()),
      async terminate() {
        server.cloud.terminate(MACHINE, { skipOsShutdown: true, force: false });
        await arrive('terminated');
      },
      async close() {
        power.close();
        await server.close();
      },
    };
  },
};
