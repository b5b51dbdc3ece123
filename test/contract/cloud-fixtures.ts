import { autoScaling } from '../../adapters/aws/auto-scaling.ts';
import { ec2Resources } from '../../adapters/aws/ec2-resources.ts';
import { ec2Settings } from '../../adapters/aws/ec2-settings.ts';
import { ssmGuardPath } from '../../adapters/aws/ssm-guard-path.ts';
import { MemoryAutoScaling } from '../../adapters/memory/memory-auto-scaling.ts';
import { MemoryMachineSettings } from '../../adapters/memory/memory-machine-settings.ts';
import { MemoryResources } from '../../adapters/memory/memory-resources.ts';
import type {
  AutoScaling,
  CloudResources,
  FenceRehearsal,
  GuardPath,
  MachineSeen,
  MachineSettings,
  PrivateAddress,
  RouteAt,
} from '../../core/cloud-ports.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { RunResult } from '../../local/fleet/ec2/machine-source.ts';
import type { Ec2Server } from '../../local/fleet/ec2/server.ts';
import { ROUTE_TABLE, SUBNET } from '../../local/fleet/ec2/network.ts';
import { volumeOf } from '../../local/fleet/ec2/volumes.ts';
import { CREDENTIALS, Machines, openEc2 } from './power-fixtures.ts';

export const A = 'i-0000000000000000a';
export const B = 'i-0000000000000000b';

/** Two running machines; things of each kind that A holds, or nobody. */
export interface CloudStage {
  readonly resources: CloudResources;
  /** Held by A. */
  readonly volume: string;
  /** Held by nobody. */
  readonly interface: string;
  readonly elastic: string;
  readonly address: PrivateAddress;
  /** Leads to the first of `nics`. */
  readonly route: RouteAt;
  /** Two interfaces that addresses may be given to. */
  readonly nics: readonly [string, string];
  /** The guest does not let go of it, unless by force. */
  stuck(thing: string): void;
  /** What the platform does in the background is done. */
  settle(thing: string): Promise<void>;
  throttle(isOn: boolean): void;
  close(): Promise<void>;
}

export interface CloudFamily {
  readonly name: string;
  open(): Promise<CloudStage>;
}

const DESTINATION = '192.0.2.10/32';
const ADDRESS = { subnet: SUBNET, address: '10.0.9.9' };

export const memoryCloudFamily: CloudFamily = {
  name: 'memory',
  open: async () => {
    let isThrottled = false;
    const resources = new MemoryResources({
      faults: () => {
        if (isThrottled) throw new HaError('power_throttled', 'RequestLimitExceeded: slow down');
      },
    });
    resources.create('vol-1', A);
    for (const thing of ['eni-1', 'eipalloc-1', ADDRESS.address]) resources.create(thing);
    resources.create(`${ROUTE_TABLE} ${DESTINATION}`, 'eni-a');
    const stuck = new Set<string>();
    return {
      resources,
      ...{ volume: 'vol-1', interface: 'eni-1', elastic: 'eipalloc-1', address: ADDRESS, nics: ['eni-a', 'eni-b'] },
      route: { table: ROUTE_TABLE, destination: DESTINATION },
      stuck: (thing) => void stuck.add(thing),
      settle: async (thing) => {
        // The twin does not tell force: a test that settles after it means it.
        if (!stuck.delete(thing)) resources.done(thing);
      },
      throttle: (isOn) => void (isThrottled = isOn),
      close: async () => undefined,
    };
  },
};

/** Longer than the local EC2 takes over a volume or an interface. */
const ROUNDS_MAX = 400;

async function settled(server: Ec2Server, thing: string): Promise<void> {
  const isStuck = server.cloud.modes.has('stuck-detaching', thing);
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const { cloud } = server;
    const states = [
      ...cloud.volumes.list([A, B], []).flatMap(({ id, attachment }) => (id === thing ? [attachment?.state] : [])),
      ...cloud.network.nics().flatMap(({ id, attachment }) => (id === thing ? [attachment?.state] : [])),
    ];
    if (states.every((state) => state === undefined || state === 'attached')) return;
    if (isStuck && round > 50) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${thing} did not settle`);
}

/** The SDK's clients over the local EC2. */
export const ec2CloudFamily: CloudFamily = {
  name: 'SDK over the local EC2',
  open: async () => {
    const server = await openEc2(new Machines().add(A).add(B));
    const { network } = server.cloud;
    const resources = ec2Resources({ region: 'local', endpoint: server.url, credentials: CREDENTIALS });
    const nics = [network.createNic().id, network.createNic().id] as const;
    network.createRoute(DESTINATION, nics[0]);
    return {
      resources,
      ...{ volume: volumeOf(A), interface: network.createNic().id, elastic: network.allocate().id },
      ...{ address: ADDRESS, nics, route: { table: ROUTE_TABLE, destination: DESTINATION } },
      stuck: (thing) => server.cloud.setMode('stuck-detaching', thing),
      settle: (thing) => settled(server, thing),
      throttle: (isOn) => (isOn ? server.cloud.setMode('throttled') : server.cloud.clearModes()),
      async close() {
        resources.close();
        await server.close();
      },
    };
  },
};

/** Two machines, enrolled well. A is a member of the group `web` that must have one. */
export interface HealersStage {
  readonly scaling: AutoScaling;
  readonly settings: MachineSettings;
  readonly rehearsal: FenceRehearsal;
  readonly path: GuardPath;
  change(machine: string, change: Partial<MachineSeen>): void;
  refuse(machine: string): void;
  throttle(isOn: boolean): void;
  /** `Standby` is reached. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export interface HealersFamily {
  readonly name: string;
  open(): Promise<HealersStage>;
}

export const memoryHealersFamily: HealersFamily = {
  name: 'memory',
  open: async () => {
    const scaling = new MemoryAutoScaling();
    const settings = new MemoryMachineSettings();
    for (const id of [A, B]) settings.set(id);
    scaling.add('web', A);
    scaling.change('web', { least: 1, tags: { holdfast: 'host' }, suspended: ['AZRebalance'] });
    settings.setReach(A, 'online');
    let isThrottled = false;
    scaling.faults = () => {
      if (isThrottled) throw new HaError('power_throttled', 'RequestLimitExceeded: slow down');
    };
    return {
      scaling,
      settings,
      rehearsal: settings.rehearsal,
      path: settings.path,
      change: (machine, change) => settings.set(machine, change),
      refuse: (machine) => settings.answer(machine, { outcome: 'refused', says: 'UnauthorizedOperation: not you' }),
      throttle: (isOn) => {
        isThrottled = isOn;
        const later = { outcome: 'unknown', says: 'RequestLimitExceeded: slow down' } as const;
        settings.answer(A, isOn ? later : { outcome: 'allowed' });
      },
      settle: async () => undefined,
      close: async () => undefined,
    };
  },
};

/** Guards that have nothing to say. */
class KnownToSsm extends Machines {
  async check(): Promise<RunResult> {
    return { status: 0, stdout: '', stderr: '' };
  }
}

export const awsHealersFamily: HealersFamily = {
  name: 'SDK over the local EC2',
  open: async () => {
    const machines = new KnownToSsm().add(A).add(B, { isConnected: false });
    const server = await openEc2(machines);
    const { cloud } = server;
    cloud.scaling.create('web', [A], { min: 1, tags: { holdfast: 'host' }, suspended: ['AZRebalance'] });
    const place = { region: 'local', endpoint: server.url, credentials: CREDENTIALS };
    const [scaling, settings, path] = [autoScaling(place), ec2Settings(place), ssmGuardPath(place)];
    return {
      scaling,
      settings,
      rehearsal: settings.rehearsal,
      path,
      change: (machine, change) => {
        const { autoRecovery, isStopProtected, tags } = change;
        cloud.settings.set(machine, {
          ...(autoRecovery === 'default' || autoRecovery === 'disabled' ? { autoRecovery } : {}),
          ...(isStopProtected === true ? { isStopProtected } : {}),
          ...(tags === undefined ? {} : { tags }),
        });
      },
      refuse: (machine) => cloud.setMode('unauthorized', machine),
      throttle: (isOn) => (isOn ? cloud.setMode('throttled') : cloud.clearModes()),
      async settle() {
        for (let n = 0; n < ROUNDS_MAX && cloud.scaling.groupOf(A)?.lifecycle === 'EnteringStandby'; n += 1)
          await new Promise((resolve) => setTimeout(resolve, 10));
      },
      async close() {
        for (const client of [scaling, settings, path]) client.close();
        await server.close();
      },
    };
  },
};
