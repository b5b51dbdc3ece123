/**
 * One session after another: the guard says who to be, the session is registered, beats until it is refused, and the
 * guard names the next. Start order: guard cleans → agent ready → register → first beat at once → directives.
 */
import type { HostConfig } from '../adapters/node/host-config.ts';
import type { Timing } from '../core/config/model.ts';
import type { BootClock, OwnHeartbeat, Timers, WallClock } from '../core/ports.ts';
import type { GuardMessage } from '../core/protocol/guard-link.ts';
import {
  type Assignment,
  type Beat,
  type GuardLevel,
  type Registration,
  RULES_VERSION,
} from '../core/protocol/records.ts';
import { type Registering, registerSession } from './registering.ts';
import type { Assignments } from './assignments.ts';
import { type BeatLoop, startBeating, ttl } from './beat.ts';
import type { GuardLink, SessionMessage } from './guard-link.ts';
import { every } from './timers.ts';

export const AGENT_VERSION = '0.1.0';

const ARM_AGAIN_MS = 5_000;

/** Who this host is, as its registration says. */
export type HostIdentity = Pick<HostConfig, 'cluster' | 'host' | 'machine' | 'bootId' | 'launchTime'>;

export interface SessionPorts {
  readonly config: HostIdentity;
  readonly clock: BootClock;
  readonly wall: WallClock;
  readonly timers: Timers;
  readonly random: () => number;
  readonly own: OwnHeartbeat;
  readonly link: GuardLink;
  readonly assignments: Assignments;
  readonly beat: () => Beat;
  readonly log: (level: 'info' | 'warn', text: string) => void;
}

export interface SessionLoop {
  onGuard(message: GuardMessage): void;
  /** The session that stands, or null. */
  session(): string | null;
}

export function createSessionLoop(ports: SessionPorts): SessionLoop {
  const { link } = ports;
  let current: SessionMessage | null = null;
  let standing: string | null = null;
  let beating: BeatLoop | null = null;
  let onArmed: ((level: GuardLevel) => void) | null = null;

  /** Asked again until it is answered: a watchdog that could not be armed once may be there the next time. */
  const armed = (session: string, timing: Timing): Promise<GuardLevel> =>
    new Promise((resolve) => {
      const ask = (): void => link.send({ type: 'arm', session, timing });
      const end = every(ports.timers, ARM_AGAIN_MS, ask);
      onArmed = (level) => {
        end();
        resolve(level);
      };
      ask();
    });

  const beatOn = (session: string, timing: Timing): void => {
    standing = session;
    ports.assignments.reread();
    beating = beatUntilRefused(ports, session, timing, () => {
      standing = null;
    });
  };

  const begin = async (told: SessionMessage): Promise<void> => {
    const { session } = told;
    // A session that stands is renewed before anything else: the registry may be slow, the deadline does not wait.
    if (told.isRegistered && told.timing !== null) return beatOn(session, told.timing);
    const assignment = await ports.assignments.first();
    if (current !== told) return;
    const level = await armed(session, assignment.timing);
    if (current !== told) return;
    const isCurrent = (): boolean => current === told;
    const registration = registrationOf(ports.config, session, assignment, level);
    const registered = await register(ports, registration, told.handover, isCurrent);
    if (registered.outcome === 'dropped' || !isCurrent()) return;
    if (registered.outcome === 'spent') {
      const { found } = registered;
      ports.log('warn', `session ${session} may have stood already (the store holds ${found}): a new one is asked for`);
      return link.send({ type: 'refused', session, found });
    }
    const { sentAt, answeredAt } = registered;
    link.send({ type: 'registered', session, sentAt, answeredAt });
    ports.log('info', `session ${session} registered at guard level ${level}`);
    beatOn(session, assignment.timing);
  };

  return {
    onGuard(message) {
      if (message.type === 'armed') onArmed?.(message.level);
      if (message.type !== 'session') return;
      beating?.stop();
      onArmed?.('none'); // Whoever waits for the session before gives up; nothing registers at that level.
      onArmed = null;
      standing = null;
      current = message;
      void begin(message);
    },
    session: () => standing,
  };
}

function register(
  ports: SessionPorts,
  registration: Registration,
  handover: readonly string[],
  isCurrent: () => boolean,
): Promise<Registering> {
  return registerSession({ ...ports, registration, handover, ttl: () => ttl(ports.wall), isCurrent });
}

function beatUntilRefused(ports: SessionPorts, session: string, timing: Timing, onOver: () => void): BeatLoop {
  const { link } = ports;
  return startBeating(session, timing, {
    ...ports,
    guardSilentMs: () => link.silentFor(),
    onRenewed(heartbeat, sentAt, answeredAt) {
      link.send({ type: 'renewed', session, sentAt, answeredAt });
      ports.assignments.noticed(heartbeat.directive);
    },
    onRefused(found) {
      ports.log('warn', `session ${session} is over: the store holds ${found}`);
      onOver();
      link.send({ type: 'refused', session, found });
    },
  });
}

function registrationOf(
  config: HostIdentity,
  session: string,
  assignment: Assignment,
  level: GuardLevel,
): Registration {
  const { timing } = assignment;
  return {
    session,
    cluster: config.cluster,
    host: config.host,
    machine: config.machine,
    bootId: config.bootId,
    launchTime: config.launchTime,
    guardLevel: level,
    rules: RULES_VERSION,
    timing: {
      intervalMs: timing.intervalMs,
      holderLeaseMs: timing.holderLeaseMs,
      takerWaitMs: timing.takerWaitMs,
      killMs: timing.killMs,
      writeLifeMs: timing.writeLifeMs,
      freezeMs: timing.freezeMs,
      clockRateError: timing.clockRateError,
    },
    agentVersion: AGENT_VERSION,
    incarnation: assignment.incarnation,
    mayHold: false, // No mesh key yet: nothing can hold (S10), so every candidate may take over after lease-over (S11).
  };
}
