/** The terminal and the process as commands see them; tests pass their own. */
export interface CliIo {
  out(text: string): void;
  err(text: string): void;
  /** Standard output is a terminal: colour and redrawing make sense. */
  readonly isTerminal: boolean;
  /** Someone can answer a question. */
  readonly isInteractive: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  /** Wall clock, for ages on display only. */
  now(): number;
  ask(question: string): Promise<string>;
  /** Ends early, without an error, when `stopped` is aborted. */
  sleep(ms: number): Promise<void>;
  /** Ctrl-C. */
  readonly stopped: AbortSignal;
}
