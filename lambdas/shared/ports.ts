import type {
  Alerts,
  BootClock,
  GuardAsk,
  Heartbeats,
  Ids,
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
  readonly log: (level: 'info' | 'warn' | 'error', text: string, facts?: object) => void;
}
