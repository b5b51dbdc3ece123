/** What is done to the deployed system, in the words of `npm run failover`: how each is caused, undone and judged. */
import { setTimeout as delay } from 'node:timers/promises';
import { FAULTS, type FaultStory, type Target } from '../../bench/failover/faults.ts';
import type { Harness } from '../../bench/failover/harness.ts';
import { failureCode } from '../../core/failures/failures.ts';

const POLL_MS = 250;
const KILLS_MS = 120_000;
const POWER_ON_MS = 60_000;
const OPEN_MS = 90_000;

/**
 * Local restarts that the test's definition allows per window: one death more, and the slot fails on its host. Few, but a
 * busy machine that misses a monitor's time-out shall not spend them.
 */
export const RESTARTS = 5;

/**
 * The sample cluster, in the shortest timing that is meant for real hosts: `demo` leaves a busy machine, on which every
 * Lambda starts as a process, no time. With few restarts for what the test kills.
 */
const CHANGES = [
  ['timing: { profile: demo }', 'timing: { profile: fast }'],
  ['restartsPerWindow: 30', `restartsPerWindow: ${String(RESTARTS)}`],
  ['timeout: 1s', 'timeout: 5s'],
  ['start: { timeout: 5s }', 'start: { timeout: 20s }'],
] as const;

export function definitionText(sample: string): string {
  return CHANGES.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the sample says ${from} no more`);
    // What restarts is the first group alone.
    return from.startsWith('restarts') ? text.replace(from, to) : text.replaceAll(from, to);
  }, sample);
}

/** Whenever it runs it dies, until it is somewhere else. */
async function killBeyondRestarts(harness: Harness, target: Target): Promise<void> {
  const { host, group, slot, service } = target;
  for (let left = KILLS_MS; left > 0; left -= POLL_MS) {
    const status = await harness.api.status();
    const view = status.groups.find(({ name }) => name === group)?.slots.find((each) => each.slot === slot);
    if (view?.owner !== host || view.phase === 'Failed') return;
    try {
      await harness.cause({ fault: 'kill-service', host, group, slot, service });
    } catch (error) {
      if (failureCode(error) !== 'not_found') throw error; // It is just not running.
    }
    await delay(POLL_MS);
  }
  throw new Error(`${service} was killed for ${String(KILLS_MS / 1_000)} s, and its slot never failed on ${host}`);
}

async function enable(harness: Harness, { host }: Target): Promise<void> {
  await harness.api.hostVerb(host, 'enable');
}

/** Healed, and switched on again if the fence has powered it off; while EC2 ends what it had begun it refuses. */
async function bringBack(harness: Harness, { host }: Target): Promise<void> {
  await harness.cause({ fault: 'heal', host });
  for (let left = POWER_ON_MS; ; left -= POLL_MS) {
    try {
      return await harness.cause({ fault: 'power-on', host });
    } catch (error) {
      if (failureCode(error) !== 'conflict' || left <= 0) throw error;
    }
    await delay(POLL_MS);
  }
}

export interface Deploys {
  /** Deploys the changed app; resolves when it is done. */
  readonly deployChanged: () => Promise<void>;
}

export const STORIES = {
  kill: FAULTS.power,
  cut: { ...FAULTS.cut, undo: bringBack },
  service: {
    says: 'a service dies more often than its host may restart it',
    cause: killBeyondRestarts,
    epoch: 'rises',
    strikes: 'slot',
  },
  move: FAULTS.move,
  drain: {
    says: 'an operator drains the host for maintenance, and takes it back',
    cause: async (harness, { host }) => {
      // Forced: the group that is active on every host has no other place.
      await harness.api.hostVerb(host, 'drain', { reason: 'end-to-end test', force: true });
    },
    undo: enable,
    epoch: 'rises',
  },
} as const satisfies Record<string, FaultStory>;

/** The host dies so that only its lease proves it: the run lasts long enough for everything that runs it to be replaced. */
export function deployStory({ deployChanged }: Deploys): FaultStory {
  const base = FAULTS['ec2-stuck'];
  return {
    ...base,
    says: `${base.says}; in the middle of the run a changed app is deployed`,
    async cause(harness, target) {
      const sinceMs = Date.now();
      await base.cause(harness, target);
      await untilOpen(harness, target.host, sinceMs);
      await harness.witness.mark('cdk deploy begins');
      await deployChanged();
      await harness.witness.mark('cdk deploy is done');
    },
  };
}

async function untilOpen(harness: Harness, host: string, sinceMs: number): Promise<void> {
  for (let left = OPEN_MS; left > 0; left -= POLL_MS) {
    const { runs } = await harness.api.runs({ limit: 20 });
    if (runs.some((run) => run.work === 'HA' && run.host === host && run.openedAtMs >= sinceMs)) return;
    await delay(POLL_MS);
  }
  throw new Error(`no HA run about ${host} was opened`);
}
