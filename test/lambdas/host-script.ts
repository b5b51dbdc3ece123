/** What a scripted host does, and how long it takes. */
import { type GuardLevel, type Order, RULES_VERSION } from '../../core/protocol/records.ts';

export interface HostScript {
  bootMs: number;
  /** From the rise of the directive to obeying. */
  readMs: number;
  probeMs: number;
  startMs: number;
  stopMs: number;
  onStart: (order: Order) => 'started' | 'failed' | 'silent';
  /** `stuck`: begins to stop and never ends. */
  onRelease: (order: Order) => 'released' | 'stuck';
  guardLevel: GuardLevel;
  rules: number;
}

export const DEFAULT_SCRIPT: HostScript = {
  bootMs: 500,
  readMs: 20,
  probeMs: 30,
  startMs: 200,
  stopMs: 100,
  onStart: () => 'started',
  onRelease: () => 'released',
  guardLevel: 'init',
  rules: RULES_VERSION,
};
