/**
 * Hosts built wrong on purpose, one mutation at a time: ports and channels of the real guard and agent are wrapped here, and
 * nowhere else. `guard-in-agent` is wired where processes are made.
 */
import type { GuardState } from '../../core/lease/guard-state.ts';
import { slotKey } from '../../core/lease/ledger.ts';
import type { BootClock, OwnHeartbeat, Timers, Watchdog } from '../../core/ports.ts';
import type { AgentMessage, GuardMessage, LeaveRequest } from '../../core/protocol/guard-link.ts';
import type { Registration } from '../../core/protocol/records.ts';
import { elapsed, type Millis } from '../../core/time/time.ts';
import type { Mutation } from '../contract/mutations.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { HostWorld } from './host-world.ts';
import type { Identity } from './identity.ts';
import { isOfWrites, writesOf } from './mutated-writes.ts';
import type { NewService } from './service-table.ts';

/** How long after the release of an epoch a wrong host starts it again. */
const AGAIN_MS = 500;
const ROUNDING_MS = 1e-6;
const LAST_LOOKS = 4;

/** What is wrong with a host; of one without a mutation everything goes through as it is. */
export interface Mutant {
  own(process: SimProcess, real: OwnHeartbeat): OwnHeartbeat;
  toGuard(message: AgentMessage): AgentMessage;
  toAgent(message: GuardMessage): GuardMessage;
  /** The guard has taken a step by the time that passed. */
  stepped(state: GuardState | null, tools: GuardTools): void;
}

/** Of the guard's process. */
export interface GuardTools {
  readonly clock: BootClock;
  readonly timers: Timers;
  readonly watchdog: Watchdog;
}

export interface MutantOptions {
  readonly world: HostWorld;
  readonly identity: Identity;
  readonly machineId: string;
  /** Starts a service, with or without a leave. */
  readonly start: (what: NewService) => void;
  /** In the present boot. */
  readonly after: (ms: Millis, fire: () => void) => void;
}

const SOUND: Mutant = {
  own: (_process, real) => real,
  toGuard: (message) => message,
  toAgent: (message) => message,
  stepped: () => undefined,
};

export function needsMutatedStore(mutation: Mutation | null): boolean {
  return mutation !== null && isOfWrites(mutation);
}

export function createMutant(options: MutantOptions): Mutant {
  const { mutation } = options.world.stage;
  switch (mutation) {
    case 'feed-at-1w':
      return { ...SOUND, stepped: feedAtOnce };
    case 'lease-from-ack':
      return { ...SOUND, toGuard: fromAck };
    case 'forget-m':
      return { ...SOUND, own: (_process, real) => forgettingWrites(real) };
    case 'go-on-after-refusal':
      return { ...SOUND, own: (_process, real) => goingOn(real) };
    case 'start-in-released-epoch':
      return { ...SOUND, ...startingAgain(options) };
    case 'sequence-by-agent':
    case 'register-by-machine':
    case 'renew-without-condition':
    case 'recreate-missing-item':
      return { ...SOUND, own: ownWrites(options, mutation) };
    default:
      return SOUND;
  }
}

/**
 * S5 wants 2w: a guard that is suspended between its check and its feed buys another w with the late feed. This one also
 * looks up to the last moment at which it still feeds, as a guard with another period would.
 */
function feedAtOnce(state: GuardState | null, { clock, timers, watchdog }: GuardTools): void {
  const { deadline, timing } = state ?? { deadline: null, timing: null };
  if (deadline === null || timing === null) return;
  const { watchdogMs, guardPeriodMs } = timing;
  const isFed = (): boolean => elapsed(clock.now(), deadline) >= watchdogMs - ROUNDING_MS;
  const leftMs = elapsed(clock.now(), deadline) - watchdogMs;
  if (leftMs >= watchdogMs || !isFed()) return;
  watchdog.feed();
  if (leftMs >= guardPeriodMs) return;
  for (let look = 1; look <= LAST_LOOKS; look += 1)
    timers.after((leftMs * look) / LAST_LOOKS, () => {
      if (isFed()) watchdog.feed();
    });
}

/** S2: the store may have written at any moment since the sending, and whoever waits counts from there. */
function fromAck(message: AgentMessage): AgentMessage {
  if (message.type !== 'renewed' && message.type !== 'registered') return message;
  return { ...message, sentAt: message.answeredAt };
}

/** V3 without m. */
function forgettingWrites(real: OwnHeartbeat): OwnHeartbeat {
  const wrong = (registration: Registration): Registration => {
    const { timing } = registration;
    const m = (1 + timing.clockRateError) * timing.writeLifeMs;
    return { ...registration, timing: { ...timing, writeLifeMs: 0, takerWaitMs: timing.takerWaitMs - m } };
  };
  return {
    ...real,
    register: (registration, expected, beat, ttl) => real.register(wrong(registration), expected, beat, ttl),
  };
}

/** Against S3. */
function goingOn(real: OwnHeartbeat): OwnHeartbeat {
  return {
    ...real,
    async renew(session, beat, ttl, capMs) {
      const answer = await real.renew(session, beat, ttl, capMs);
      if (answer.outcome !== 'refused') return answer;
      return { outcome: 'renewed', heartbeat: { ...answer.found, session } };
    },
  };
}

function ownWrites({ world, identity, machineId }: MutantOptions, mutation: Mutation): Mutant['own'] {
  const { store } = world;
  const make = writesOf(mutation);
  return (process, real) => store.ownMutated?.(process, identity.host, identity.principal, machineId, make) ?? real;
}

/** Against S6: what was released is started once more, and a leave that is refused for it is given. */
function startingAgain({ start, after }: MutantOptions): Pick<Mutant, 'toGuard' | 'toAgent'> {
  const leaves = new Map<string, LeaveRequest>();
  const releases = new Map<number, string>();
  return {
    toGuard(message) {
      if (message.type === 'leave') leaves.set(slotKey(message.request), message.request);
      if (message.type === 'release') releases.set(message.id, slotKey(message.ref));
      return message;
    },
    toAgent(message) {
      if (message.type === 'leave' && message.why.includes('is over here')) return { ...message, granted: true };
      const where = message.type === 'release' && message.released ? releases.get(message.id) : undefined;
      const leave = where === undefined ? undefined : leaves.get(where);
      if (where === undefined || leave === undefined) return message;
      const { epoch, session, covered } = leave;
      after(AGAIN_MS, () => start({ where, service: 'again', epoch, session, covered }));
      return message;
    },
  };
}
