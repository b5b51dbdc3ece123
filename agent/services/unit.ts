/** One service of one slot in one epoch, on this host: what runners act on, and the marks its processes carry. */
import { MARKS, mark } from '../../adapters/node/marks.ts';
import type { ServiceDefinition } from '../../core/config/model.ts';
import type { Order } from '../../core/protocol/records.ts';

/** What every service of this host is told. */
export interface HostEnv {
  readonly cluster: string;
  readonly host: string;
  /** Value of HOLDFAST_INSTANCE in the environment of every process of this host. */
  readonly instanceMark?: string | undefined;
  /** Goes to every service besides what tells it who it is: `passedOn` of the agent's own. */
  readonly env: Readonly<Record<string, string>>;
}

export interface Unit {
  readonly group: string;
  readonly slot: number;
  readonly epoch: number;
  readonly service: ServiceDefinition;
  /** All of these are in the environment of each of its processes, and together in no other's. */
  readonly marks: readonly string[];
  /** Environment of everything that is run for it. */
  readonly env: Readonly<Record<string, string>>;
}

/** The agent's own environment holds its credentials; services get no more of it than this. */
const PASSED_ON = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', MARKS.witness] as const;

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Unlike slot and service each by itself, one mark for both cannot be put together from two. */
const UNIT_MARK = 'HOLDFAST_UNIT';

export function unitOf(hostEnv: HostEnv, order: Order, service: ServiceDefinition): Unit {
  const slot = `${hostEnv.cluster}/${order.group}/${order.slot}`;
  const name = `${slot}/${service.name}`;
  const instance = hostEnv.instanceMark;
  return {
    group: order.group,
    slot: order.slot,
    epoch: order.epoch,
    service,
    marks: [...(instance === undefined ? [] : [mark('instance', instance)]), `${UNIT_MARK}=${name}`],
    env: {
      PATH: DEFAULT_PATH,
      ...hostEnv.env,
      ...(instance === undefined ? {} : { [MARKS.instance]: instance }),
      [MARKS.role]: 'service',
      [MARKS.slot]: slot,
      [MARKS.service]: service.name,
      // A fencing token for covered groups only: what is not covered may run on into a newer epoch with the old number.
      [MARKS.epoch]: String(order.epoch),
      [MARKS.host]: hostEnv.host,
      HOLDFAST_SESSION: order.session,
      [UNIT_MARK]: name,
    },
  };
}

export function passedOn(environment: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    PASSED_ON.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

/** Tells the epoch of a process from its marks; undefined: not one of ours. */
export function epochOf(environment: Readonly<Record<string, string>> | undefined): number | undefined {
  const text = environment?.[MARKS.epoch];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
