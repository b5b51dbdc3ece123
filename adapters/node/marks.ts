/**
 * Environment marks by which the processes of a host are found in `/proc/PID/environ`.
 *
 * A mark is inherited by everything a marked process starts, so it finds double forks that left the process tree.
 */
export const MARKS = {
  /** One life-long value per machine; init ends whatever carries it. */
  instance: 'HOLDFAST_INSTANCE',
  /** `guard`, `agent` or `service`. */
  role: 'HOLDFAST_ROLE',
  /** `<cluster>/<group>/<slot>` of a service. */
  slot: 'HOLDFAST_SLOT',
  service: 'HOLDFAST_SERVICE',
  epoch: 'HOLDFAST_EPOCH',
  host: 'HOLDFAST_HOST',
  /** Unix socket of the witness, for the sample service. */
  witness: 'HOLDFAST_WITNESS',
} as const;

export type Role = 'guard' | 'agent' | 'service';

/** The exact environment entry to look for. */
export function mark(name: keyof typeof MARKS, value: string): string {
  return `${MARKS[name]}=${value}`;
}
