/** Definitions that faults run on: the samples of `npm start`, with the timing or the fences that a fault is about. */
import { readFile } from 'node:fs/promises';
import { pathOf } from './children.ts';

const POWER = pathOf('../../local/samples/cluster.yaml');
const LEASE = pathOf('../../local/samples/lease.yaml');

/** A lease that leaves time between being behind and a clean stop, also on a machine that is busy. */
const LONG_LEASE = 'timing: { profile: demo, holderLease: 5s, takerWait: 6s }';

const SAMPLES = {
  lease: () => readFile(LEASE, 'utf8'),
  power: () => readFile(POWER, 'utf8'),
  storm: async () => (await readFile(POWER, 'utf8')).replace('timing: { profile: demo }', LONG_LEASE),
} as const;

export type SampleName = keyof typeof SAMPLES;

export function sampleText(name: SampleName): Promise<string> {
  return SAMPLES[name]();
}
