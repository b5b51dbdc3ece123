/** The fleet's instances as the machines of the local EC2. */
import { HaError } from '../../core/failures/failures.ts';
import type { MachineSource, MachineView } from './ec2/machine-source.ts';
import type { Instance } from './instance.ts';

export interface MachinesOptions {
  readonly instances: readonly Instance[];
  /** Launch times on disk, so that later ones are later over all lives of the runtime. */
  readonly keepLaunches: () => Promise<void>;
  /** Takes the one who is told that an instance went off by itself. */
  readonly onLost: (listener: (id: string) => void) => void;
}

export function machinesOf({ instances, keepLaunches, onLost }: MachinesOptions): MachineSource {
  const byId = new Map(instances.map((instance) => [instance.identity.machine, instance]));
  const find = (id: string): Instance => {
    const instance = byId.get(id);
    if (instance === undefined) throw new HaError('not_found', `no instance ${id} in the local fleet`);
    return instance;
  };
  return {
    list: () => instances.map(viewOf),
    view(id) {
      const instance = byId.get(id);
      return instance === undefined ? undefined : viewOf(instance);
    },
    stop: (id, { orderly }) => (orderly ? find(id).shutDown() : find(id).powerOff()),
    async start(id) {
      await find(id).powerOn();
      await keepLaunches();
    },
    reboot: (id, hasCrashed) => find(id).reboot(hasCrashed),
    check: (id, timeoutMs) => find(id).check(timeoutMs),
    onPower: (listener) => onLost((id) => listener(id, 'off')),
  };
}

function viewOf(instance: Instance): MachineView {
  const { id, host, launchTime, state, isCut } = instance.view();
  return { id, name: host, launchTime, isOn: state !== 'stopped', isConnected: !isCut };
}
