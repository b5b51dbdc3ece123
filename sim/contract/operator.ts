export interface ApiAnswer {
  readonly status: number;
  /** For the trace: the run it began, or the refusal. */
  readonly says: string;
}
