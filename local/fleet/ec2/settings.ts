/** What is set on the instances of the local EC2: as on a host that was enrolled well, until somebody changes it. */
export interface InstanceSettings {
  readonly type: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly autoRecovery: 'default' | 'disabled';
  /** `disableApiStop` and `disableApiTermination`. */
  readonly isStopProtected: boolean;
  readonly isTerminationProtected: boolean;
}

const ENROLLED: InstanceSettings = {
  type: 't4g.small',
  tags: { holdfast: 'host' },
  autoRecovery: 'disabled',
  isStopProtected: false,
  isTerminationProtected: false,
};

export class Settings {
  readonly #settings = new Map<string, InstanceSettings>();

  of(id: string): InstanceSettings {
    return this.#settings.get(id) ?? ENROLLED;
  }

  set(id: string, change: Partial<InstanceSettings>): void {
    this.#settings.set(id, { ...this.of(id), ...change });
  }
}
