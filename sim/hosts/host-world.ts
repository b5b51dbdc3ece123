/** What all machines of one simulated world share. */
import type { Scene } from '../contract/scene.ts';
import type { SimStore } from '../contract/parts.ts';
import type { Stage } from '../contract/stage.ts';
import type { Bounds } from './bounds.ts';

export interface HostWorld {
  readonly stage: Stage;
  readonly scene: Scene;
  readonly store: SimStore;
  readonly bounds: Bounds;
  /** Part of all writes to disks that take long. */
  slowDisk: number;
}

export type Trouble = 'stop_hangs' | 'lies' | 'start_fails' | 'slow_host';
