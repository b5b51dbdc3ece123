/** The machines behind the local EC2: the fleet's instances, or the thin hosts of the bench. */

/** What is physically so; what EC2 says about it is the cloud's affair. */
export interface MachineView {
  /** Instance id. */
  readonly id: string;
  /** For the tag `Name`. */
  readonly name: string;
  readonly isOn: boolean;
  /** ISO 8601, of the last start from stopped. */
  readonly launchTime: string;
  /** Its agents reach AWS. */
  readonly isConnected: boolean;
  readonly canHibernate?: boolean;
}

export interface RunResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface MachineSource {
  list(): readonly MachineView[];
  view(id: string): MachineView | undefined;
  /**
   * Resolves when nothing of the machine runs; a machine that is off stays so. `orderly` lets its operating system shut
   * down first, for a bounded time; an order without it that comes meanwhile cuts that short.
   */
  stop(id: string, how: { readonly orderly: boolean }): Promise<void>;
  /** Resolves when it boots. Sets a new launch time before anything else. */
  start(id: string): Promise<void>;
  /**
   * Off and on again within the same launch. A machine that is off stays off, unless `hasCrashed` says so when its turn
   * has come: EC2 may have called it stopped meanwhile, and then nothing of it may run.
   */
  reboot(id: string, hasCrashed: () => boolean): Promise<void>;
  /** `holdfast-agent check --json` as a process of the machine; without it SSM knows no such machine. */
  check?(id: string, timeoutMs: number): Promise<RunResult>;
  /** Calls `listener` when a machine went off without `stop` of this interface, or came on without `start`. */
  onPower(listener: (id: string, power: 'on' | 'off') => void): void;
}
