/** One way in which an emulator may differ from AWS. */
import type { ProbeAccount } from './probe-account.ts';

export interface Probe {
  readonly name: string;
  readonly aws: string;
  /** What the pinned version answers. */
  readonly found: string;
  /** What follows for the test. */
  readonly so: string;
  readonly probe: (account: ProbeAccount) => Promise<string>;
}
