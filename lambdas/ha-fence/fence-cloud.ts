import type { AutoScaling, FenceRehearsal, GuardPath, MachineSettings } from '../../core/cloud-ports.ts';

/** What the fence uses of the cloud beside power: who else would destroy a machine, and whether it may stop it at all. */
export interface FenceCloud {
  readonly scaling: AutoScaling;
  readonly settings: MachineSettings;
  readonly rehearsal: FenceRehearsal;
  readonly path: GuardPath;
}
