/** The agent of a host: beats, obeys its assignment, supervises services. It is given its world, and never ends by itself. */
import type { HostConfig } from '../adapters/node/host-config.ts';
import type { BootClock, FileStore, OwnHeartbeat, Registry, Timers, WallClock } from '../core/ports.ts';
import type { Beat } from '../core/protocol/records.ts';
import { type Assignments, createAssignments } from './assignments.ts';
import { type GuardChannel, type GuardLink, guardLink } from './guard-link.ts';
import { closeOrder, createReports, type Reports } from './reports.ts';
import { createSessionLoop, type HostIdentity, type SessionLoop } from './session-loop.ts';
import type { Lives, RunnerFor } from './services/runner.ts';
import type { SlotFiles } from './services/slot-file.ts';
import { createSupervisors, type Supervisors } from './services/slots.ts';
import type { HostEnv } from './services/unit.ts';

const DRAIN_MS = 30_000;
/** Longest that the report of a session's end is waited for. */
const FLUSH_MS = 2_000;

export type AgentConfig = HostIdentity & Pick<HostConfig, 'principal'>;

export interface AgentPorts {
  readonly config: AgentConfig;
  readonly clock: BootClock;
  readonly wall: WallClock;
  readonly timers: Timers;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly own: OwnHeartbeat;
  readonly registry: Pick<Registry, 'get' | 'put' | 'remove'>;
  readonly guard: GuardChannel;
  /** The registry's incarnation that this host has worked under (S21). */
  readonly incarnation: FileStore<string>;
  /** What a restarted agent must know of its slots. Read once, at the start. */
  readonly files: SlotFiles;
  readonly runners: (lives: Lives) => RunnerFor;
  readonly hostEnv: HostEnv;
  /** Ends this process; what is called afterwards must have no effect. */
  readonly exit: (status: number) => void;
  readonly log: (level: 'info' | 'warn' | 'error', text: string, facts?: object) => void;
}

interface Parts {
  readonly link: GuardLink;
  readonly reports: Reports;
  readonly supervisors: Supervisors;
  readonly sessions: SessionLoop;
}

export function startAgent(ports: AgentPorts): void {
  const { config, registry, timers, log } = ports;
  const { principal, cluster, host } = config;
  const link = guardLink(ports);
  const reports = createReports({ registry, timers, principal, log });
  const supervisors = createServices(ports, link, reports);
  const assignments = createAssignments({
    registry,
    timers,
    principal,
    self: { cluster, host },
    incarnation: ports.incarnation,
    onAssignment(assignment) {
      // Only the session that an order names may obey it: whoever else has this name and disk (a clone, an earlier life)
      // would speak of its own machine and be heard as the owner. Read again as soon as a session stands.
      const session = sessions.session();
      for (const order of assignment.orders) if (order.session === session) supervisors.obey(order);
      supervisors.keepOnly(assignment.orders);
      reports.keepOnly(new Set(assignment.orders.map((order) => order.id)));
    },
    log,
  });
  const beat = (): Beat => beatOf(ports.wall, assignments, supervisors);
  const sessions = createSessionLoop({ ...ports, link, assignments, beat });
  obeyGuard({ link, reports, supervisors, sessions });
  link.send({ type: 'ready' });
}

function createServices(ports: AgentPorts, link: GuardLink, reports: Reports): Supervisors {
  const { clock, timers, hostEnv, files, runners, log } = ports;
  return createSupervisors({
    ports: {
      now: () => clock.now(),
      leave: (request) => link.leave(request),
      release: (ref) => link.release(ref),
      report: ({ order, outcome, detail }) => {
        const { id, session, group, slot, epoch } = order;
        reports.put({ order: id, session, group, slot, epoch, outcome, detail });
      },
      log,
    },
    timers,
    hostEnv,
    files,
    runners,
  });
}

function beatOf(wall: WallClock, assignments: Assignments, supervisors: Supervisors): Beat {
  const orders = assignments.newest()?.orders ?? [];
  return {
    obeyed: assignments.obeyed(),
    slots: supervisors.reports(),
    lists: Object.fromEntries(orders.map((order) => [`${order.group}/${order.slot}`, order.list.no])),
    sentAtWallMs: wall.now(),
  };
}

function obeyGuard(parts: Parts): void {
  const { link, supervisors, sessions } = parts;
  link.onMessage((message) => {
    sessions.onGuard(message);
    if (message.type === 'stop_covered') {
      const { stop, why } = message;
      link.send({ type: 'stopping', stop });
      void supervisors.stopCovered(why).then(() => link.send({ type: 'stopped', stop }));
    }
    if (message.type === 'resume') supervisors.resume();
    if (message.type === 'drain') void drain(parts);
  });
}

/** `closed` is evidence: said only when everything was released and the guard's own list says so (S7). */
async function drain({ link, reports, supervisors, sessions }: Parts): Promise<void> {
  await supervisors.drain(DRAIN_MS);
  const session = sessions.session();
  if (session !== null && (await link.close(session))) {
    const detail = 'the host was shut down in good order';
    reports.put({ order: closeOrder(session), session, group: '*', slot: 0, epoch: 0, outcome: 'released', detail });
    await reports.flushed(FLUSH_MS);
  }
  link.send({ type: 'drained' });
}
