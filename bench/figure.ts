export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly params: Readonly<Record<string, string | number>>;
}

export type Bench = (say: (text: string) => void) => Promise<readonly Figure[]>;
