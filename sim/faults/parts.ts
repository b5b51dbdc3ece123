import type { SimControl, SimEc2, SimHosts, SimStore } from '../contract/parts.ts';
import type { HostScene, Scene } from '../contract/scene.ts';
import type { Stage } from '../contract/stage.ts';
import type { Random } from '../kernel/random.ts';
import type { Causes } from './causes.ts';
import type { Machines } from './machines.ts';

/** The world that faults are done to. */
export interface FaultParts {
  readonly store: SimStore;
  readonly hosts: SimHosts;
  readonly ec2: SimEc2;
  readonly control: SimControl;
}

export interface FaultWorld extends FaultParts {
  readonly stage: Stage;
  readonly scene: Scene;
  /** For what a schedule leaves open: when somebody starts a machine again. */
  readonly random: Random;
  readonly causes: Causes;
  readonly machines: Machines;
  /** Names of the hosts of a zone. */
  readonly zone: (zone: string) => readonly string[];
  /** True from the end of the fault phase on. */
  readonly isOver: () => boolean;
}

export function hostScene(scene: Scene, host: string): HostScene | undefined {
  return scene.hosts.find(({ name }) => name === host);
}
