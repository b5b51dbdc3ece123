export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly params: Readonly<Record<string, string | number>>;
}

export interface BenchResult {
  readonly figures: readonly Figure[];
  /** What must not be and was found; the exit status says so. */
  readonly failures: readonly string[];
}

export interface BenchOptions {
  /** Hosts x groups. */
  readonly size: string;
  readonly cases: number;
  readonly seed: number;
  /** Of what is measured at the size of a user's cluster. */
  readonly hosts: number;
}

export type Bench = (say: (text: string) => void, options: BenchOptions) => Promise<BenchResult>;
