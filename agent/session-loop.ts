/**
 * One session after another: the guard says who to be, the session is registered, beats until it is refused, and the
 * guard names the next. Start order: guard cleans → agent ready → register → first beat at once → directives.
 */
import type { HostConfig } from '../adapters/node/host-config.ts';
import type { Timing } from '../core/config/model.ts';
import type { BootClock, OwnHeartbeat } from '../core/ports.ts';
import type { GuardMessage } from '../core/protocol/guard-link.ts';
import { type Assignment, type Beat, type GuardLevel, type Registration, RULES_VERSION } from '../core/protocol/records.ts';
import { registerSession } from './registering.ts';
import type { Assignments } from './assignments.ts';
import { type BeatLoop, startBeating, ttl } from './beat.ts';
import type { GuardLink, SessionMessage } from './guard-link.ts';

export const AGENT_VERSION = '0.1.0';

export interface SessionPorts {
  readonly config: HostConfig;
  readonly clock: BootClock;
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
  let current: SessionMessage | null = null;
  let standing: string | null = null;
  let beating: BeatLoop | null = null;
  let onArmed: ((level: GuardLevel) => void) | null = null;

  const begin = async (told: SessionMessage): Promise<void> => {
    const isCurrent = (): boolean => current === told;
    const assignment = await ports.assignments.first();
    if (!isCurrent()) return;
    if (told.isRegistered && told.timing !== null) {
      beatOn(told, told.timing);
      return;
    }
    const level = await arm(assignment.timing);
    const registered = await registerSession({
      ...ports,
      registration: registrationOf(ports.config, told.session, assignment, level),
      handover: told.handover,
      ttl,
      isCurrent,
    });
    if (registered === null || !isCurrent()) return;
    const { sentAt, answeredAt } = registered;
    ports.link.send({ type: 'registered', session: told.session, sentAt, answeredAt });
    ports.log('info', `session ${told.session} registered at guard level ${level}`);
    beatOn(told, assignment.timing);
  };

  const arm = (timing: Timing): Promise<GuardLevel> =>
    new Promise((resolve) => {
      onArmed = resolve;
      ports.link.send({ type: 'arm', timing });
    });

  const beatOn = (told: SessionMessage, timing: Timing): void => {
    standing = told.session;
    ports.assignments.reread();
    beating = startBeating(told.session, timing, {
      ...ports,
      random: Math.random,
      guardSilentMs: () => ports.link.silentFor(),
      onRenewed(heartbeat, sentAt, answeredAt) {
        ports.link.send({ type: 'renewed', session: told.session, sentAt, answeredAt });
        ports.assignments.noticed(heartbeat.directive);
      },
      onRefused(found) {
        ports.log('warn', `session ${told.session} is over: the store holds ${found}`);
        standing = null;
        ports.link.send({ type: 'refused', session: told.session, found });
      },
    });
  };

  return {
    onGuard(message) {
      if (message.type === 'armed') onArmed?.(message.level);
      if (message.type !== 'session') return;
      beating?.stop();
      standing = null;
      current = message;
      void begin(message);
    },
    session: () => standing,
  };
}

function registrationOf(config: HostConfig, session: string, assignment: Assignment, level: GuardLevel): Registration {
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
