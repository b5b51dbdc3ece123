/** The definitions that the local runtime brings along, as stories use them. */
import { readFileSync } from 'node:fs';

/** Fenced by their leases alone. */
export const SAMPLE = readFileSync(new URL('../../local/samples/lease.yaml', import.meta.url), 'utf8');
/** The same hosts, fenced by their power and by their leases. */
const POWERED_SAMPLE = readFileSync(new URL('../../local/samples/cluster.yaml', import.meta.url), 'utf8');
/** The sample with a spare host for `web`, so that it is whole again after one host has died. */
const roomy = (yaml: string): string => yaml.replace('active: 3, exclusive: false', 'active: 2, exclusive: false');
export const ROOMY = roomy(SAMPLE);
export const POWERED = roomy(POWERED_SAMPLE);
