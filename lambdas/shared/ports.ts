import type {
  Alerts,
  BootClock,
  GuardAsk,
  Heartbeats,
  Ids,
  Metrics,
  Power,
  Probe,
  Registry,
  Sleeper,
  WallClock,
  Workflow,
} from '../../core/ports.ts';

/** What every handler of the control plane may use; wired to AWS in `index.ts`, to twins or the local runtime elsewhere. */
export interface ControlPorts {
  readonly heartbeats: Heartbeats;
  readonly registry: Registry;
  readonly workflow: Workflow;
  readonly power: Power;
  readonly guardAsk: GuardAsk;
  readonly probe: Probe;
  readonly wall: WallClock;
  readonly boot: BootClock;
  readonly sleeper: Sleeper;
  readonly ids: Ids;
  readonly alerts: Alerts;
  readonly metrics: Metrics;
  readonly log: (level: 'info' | 'warn' | 'error', text: string, facts?: object) => void;
  /** Where invocations are told apart in the log. Absent where there is one process for all. */
  readonly invocations?: Invocations;
}

export interface Invocations {
  /** What is logged until the next begins carries its context, and the run that it works for. */
  begun(context: unknown, run: string | null): void;
  failed(error: unknown): void;
}
