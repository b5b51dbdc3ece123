/**
 * What MiniStack does otherwise than AWS, each found out by trying. `found` is what the pinned version does: a probe that
 * finds something else fails, so that the list in docs/internals/emulation.md is true.
 */
import { RESOURCE_PROBES } from './probe-resources.ts';
import { STEP_PROBES } from './probe-steps.ts';
import type { Probe } from './probe.ts';

export const PROBES: readonly Probe[] = [...STEP_PROBES, ...RESOURCE_PROBES];
