/** A fleet of thin hosts, in this process: power, network and state as those of the real local fleet, without processes. */
import { randomUUID } from 'node:crypto';
import { createDynamo, type Dynamo } from '../../adapters/aws/dynamodb-client.ts';
import { dynamoOwnHeartbeat } from '../../adapters/aws/dynamodb-own-heartbeat.ts';
import { dynamoRegistry } from '../../adapters/aws/dynamodb-registry.ts';
import { bootClock } from '../../adapters/node/boot-clock.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { MachineSource, MachineView } from '../fleet/ec2/machine-source.ts';
import { startEc2 } from '../fleet/ec2/server.ts';
import type { StateChangeEvent } from '../fleet/ec2/state-events.ts';
import { asConflict, type Fleet } from '../fleet/fleet.ts';
import type { InstanceView } from '../fleet/instance.ts';
import { ThinLife, type ThinIdentity } from './thin-host.ts';
import type { ThinNetwork } from './thin-network.ts';

const HOSTS_MAX = 1_000;
const CALL_MS = 2_000;
/** One client for all: a host of its own has four connections. */
const SOCKETS = 64;

export interface ThinMachine {
  readonly name: string;
  /** Instance id. */
  readonly machine: string;
  readonly principal: string;
}

export interface ThinFleetOptions {
  readonly cluster: string;
  readonly hosts: readonly ThinMachine[];
  readonly region: string;
  readonly emulatorUrl: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly tables: { readonly heartbeats: string; readonly registry: string };
  readonly account: string;
  readonly onStateChange?: ((event: StateChangeEvent) => void) | undefined;
  readonly log: (text: string) => void;
}

export interface ThinFleet extends Fleet {
  /** A machine more, powered off. */
  add(host: ThinMachine): void;
}

class ThinInstance implements ThinNetwork {
  readonly identity: ThinIdentity;
  readonly #options: ThinFleetOptions;
  readonly #dynamo: Dynamo;
  readonly #released = new Map<string, number>();
  #life: ThinLife | undefined;
  #launchTime = new Date(0).toISOString();
  #bootId = '';
  isCut = false;

  constructor(identity: ThinIdentity, options: ThinFleetOptions, dynamo: Dynamo) {
    this.identity = identity;
    this.#options = options;
    this.#dynamo = dynamo;
  }

  view(): InstanceView {
    return {
      id: this.identity.machine,
      host: this.identity.host,
      principal: this.identity.principal,
      launchTime: this.#launchTime,
      bootId: this.#bootId,
      state: this.#life === undefined ? 'stopped' : 'running',
      isCut: this.isCut,
    };
  }

  powerOn(): void {
    if (this.#life !== undefined) return;
    this.#launchTime = new Date(Math.max(Date.now(), Date.parse(this.#launchTime) + 1)).toISOString();
    this.#boot();
  }

  powerOff(): void {
    this.#life?.end();
    this.#life = undefined;
  }

  reboot(): void {
    if (this.#life === undefined)
      throw new HaError('conflict', `${this.identity.host} is stopped; only a running instance reboots`);
    this.powerOff();
    this.#boot();
  }

  #boot(): void {
    this.#bootId = randomUUID();
    const { tables, log } = this.#options;
    const { principal } = this.identity;
    const dynamo = this.#dynamo;
    this.#life = new ThinLife(
      this.identity,
      { bootId: this.#bootId, launchTime: this.#launchTime },
      {
        clock: bootClock(),
        store: {
          own: dynamoOwnHeartbeat({ dynamo, table: tables.heartbeats, principal }),
          registry: dynamoRegistry({ dynamo, table: tables.registry }),
        },
        network: this,
        released: this.#released,
        log,
      },
    );
  }
}

export async function startThinFleet(options: ThinFleetOptions): Promise<ThinFleet> {
  const { region, credentials } = options;
  const limits = { attempts: 1, connectMs: CALL_MS, requestMs: CALL_MS, budgetMs: CALL_MS, sockets: SOCKETS };
  const dynamo = createDynamo({ region, endpoint: options.emulatorUrl, credentials }, limits);
  const instances = new Map<string, ThinInstance>();
  const add = ({ name, machine, principal }: ThinMachine): void => {
    if (instances.size >= HOSTS_MAX) {
      throw new HaError('limit_exceeded', `a thin fleet has room for ${String(HOSTS_MAX)} hosts`);
    }
    const identity = { cluster: options.cluster, host: name, machine, principal };
    instances.set(name, new ThinInstance(identity, options, dynamo));
  };
  for (const host of options.hosts) add(host);
  const find = (host: string): ThinInstance => {
    const found = instances.get(host) ?? [...instances.values()].find(({ identity }) => identity.machine === host);
    if (found === undefined) throw new HaError('not_found', `no host "${host}" in the thin fleet`);
    return found;
  };
  const lost = { tell: (_id: string, _power: 'on' | 'off'): void => undefined };
  const ec2 = await startEc2({
    source: machinesOf(instances, find, (listener) => (lost.tell = listener)),
    region,
    account: options.account,
    accessKeyId: credentials.accessKeyId,
    onStateChange: options.onStateChange,
    log: options.log,
  });
  return {
    add,
    instances: () => [...instances.values()].map((instance) => instance.view()),
    awsUrl: ec2.url,
    ec2: ec2.cloud,
    idOf: (host) => find(host).identity.machine,
    powerOn: (host) => asConflict(() => ec2.cloud.powerOn(find(host).identity.machine)),
    async powerOff(host) {
      find(host).powerOff();
      lost.tell(find(host).identity.machine, 'off');
    },
    async reboot(host) {
      find(host).reboot();
    },
    cut(host) {
      find(host).isCut = true;
    },
    heal(host) {
      find(host).isCut = false;
    },
    signalRole() {
      const known = 'power-off, power-on, reboot, cut, heal, and what EC2 can do';
      throw new HaError('config_invalid', `thin hosts have no processes; these break them: ${known}`);
    },
    async close() {
      await ec2.close();
      for (const instance of instances.values()) instance.powerOff();
      dynamo.close();
    },
  };
}

function machinesOf(
  instances: ReadonlyMap<string, ThinInstance>,
  find: (id: string) => ThinInstance,
  onPower: MachineSource['onPower'],
): MachineSource {
  const view = (instance: ThinInstance): MachineView => {
    const { id, host, launchTime, state, isCut } = instance.view();
    return { id, name: host, isOn: state === 'running', launchTime, isConnected: state === 'running' && !isCut };
  };
  return {
    list: () => [...instances.values()].map(view),
    view(id) {
      const found = [...instances.values()].find(({ identity }) => identity.machine === id);
      return found === undefined ? undefined : view(found);
    },
    async stop(id) {
      find(id).powerOff();
    },
    async start(id) {
      find(id).powerOn();
    },
    async reboot(id) {
      find(id).reboot();
    },
    onPower,
  };
}
