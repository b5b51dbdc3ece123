/** The faults of `npm run failover`: how each is caused and undone, and what must come of it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { EvidenceKind } from '../../core/config/model.ts';
import { failureCode } from '../../core/failures/failures.ts';
import type { Harness } from './harness.ts';
import { findOpenEnded, findSameRun, untilMidRun } from './moments.ts';
import type { Since } from './moments.ts';
import type { SampleName } from './samples.ts';
import { findTouched, type Harm } from './storm.ts';

/** Longer than several beats and p, shorter than the demo lease. */
const FREEZE_MS = 1_200;
/** Longer than it takes to be behind and to open a run, shorter than what the lease of `storm` leaves before a clean stop. */
const STORM_MS = 2_000;
const UNDO_TRIES_MAX = 60;
const UNDO_AGAIN_MS = 500;

export interface Target {
  readonly host: string;
  readonly group: string;
  readonly slot: number;
  /** One service of that slot. */
  readonly service: string;
}

export interface FaultStory {
  readonly says: string;
  readonly cause: (harness: Harness, target: Target) => Promise<void>;
  /** Brings the host back; nothing where the fault passes by itself. */
  readonly undo?: (harness: Harness, target: Target) => Promise<void>;
  /** `rises`: a new owner or session must take the slot. `stays`: an owner change would be a failover without need. */
  readonly epoch: 'rises' | 'stays';
  /** What it strikes: everything covered on the host, the target slot alone, or everything there is. */
  readonly strikes?: 'slot' | 'all';
  /** Definition that it runs on; default `lease`: a silent host is waited out. */
  readonly sample?: SampleName;
  /** The only evidence by which slots may change hands, where the design leaves no other. */
  readonly evidence?: EvidenceKind;
  /** Evidence that would be a lie here. */
  readonly neverEvidence?: EvidenceKind;
  /** What must hold at the end beyond the figures; the answer says what does not. */
  readonly check?: (harness: Harness, since: Since) => Promise<readonly string[]>;
  /** The same, about what the fault must not have touched. */
  readonly harmless?: (harm: Harm) => readonly string[];
}

const heal = (harness: Harness, { host }: Target): Promise<void> => harness.cause({ fault: 'heal', host });

/** EC2 is well again, and the machine is on. While EC2 ends what it had begun it refuses to start it. */
async function powerOnAgain(harness: Harness, { host }: Target): Promise<void> {
  await harness.cause({ fault: 'ec2', mode: 'well' });
  for (let tries = 1; ; tries += 1) {
    try {
      return await harness.cause({ fault: 'power-on', host });
    } catch (error) {
      if (failureCode(error) !== 'conflict' || tries === UNDO_TRIES_MAX) throw error;
    }
    await delay(UNDO_AGAIN_MS);
  }
}

async function crashWith(harness: Harness, { host }: Target, mode: 'stuck-stopping' | 'throttled'): Promise<void> {
  await harness.cause({ fault: 'ec2', mode });
  await harness.cause({ fault: 'crash', host });
}

async function powerOffUntilMidRun(harness: Harness, { host }: Target): Promise<void> {
  const sinceMs = Date.now();
  await harness.cause({ fault: 'power-off', host });
  await untilMidRun(harness, { host, sinceMs });
}

export const FAULTS = {
  host: {
    says: 'the power of the host fails',
    cause: (harness, { host }) => harness.cause({ fault: 'power-off', host }),
    undo: (harness, { host }) => harness.cause({ fault: 'power-on', host }),
    epoch: 'rises',
  },
  cut: {
    says: 'the host is cut off from AWS and runs on',
    cause: (harness, { host }) => harness.cause({ fault: 'cut', host }),
    undo: heal,
    epoch: 'rises',
  },
  agent: {
    says: 'the agent dies (SIGKILL)',
    cause: (harness, { host }) => harness.cause({ fault: 'kill-agent', host }),
    epoch: 'stays',
  },
  guard: {
    says: 'guard and agent die (SIGKILL)',
    cause: (harness, { host }) => harness.cause({ fault: 'kill-guard-and-agent', host }),
    epoch: 'rises',
  },
  freeze: {
    says: `the agent stands still for ${String(FREEZE_MS)} ms (SIGSTOP, SIGCONT)`,
    cause: async (harness, { host }) => {
      await harness.cause({ fault: 'freeze-agent', host });
      await delay(FREEZE_MS);
      await harness.cause({ fault: 'thaw-agent', host });
    },
    epoch: 'stays',
  },
  'freeze-guard': {
    says: 'the guard stands still (SIGSTOP)',
    cause: (harness, { host }) => harness.cause({ fault: 'freeze-guard', host }),
    epoch: 'rises',
  },
  service: {
    says: 'one service dies (SIGKILL)',
    cause: (harness, { host, group, slot, service }) =>
      harness.cause({ fault: 'kill-service', host, group, slot, service }),
    epoch: 'stays',
  },
  'stop-hangs': {
    says: 'the services will not stop, and the host is cut off',
    cause: async (harness, { host }) => {
      await harness.cause({ fault: 'stubborn-service', host });
      await harness.cause({ fault: 'cut', host });
    },
    undo: heal,
    epoch: 'rises',
  },
  reboot: {
    says: 'the host reboots at once',
    cause: (harness, { host }) => harness.cause({ fault: 'reboot', host }),
    epoch: 'rises',
  },
  move: {
    says: 'an operator moves the slot',
    cause: async (harness, { group, slot }) => {
      await harness.api.move(group, { slot });
    },
    epoch: 'rises',
    strikes: 'slot',
  },
  control: {
    says: 'the power of the host fails, and the control plane dies in the middle of the run (SIGKILL)',
    cause: async (harness, target) => {
      await powerOffUntilMidRun(harness, target);
      await harness.witness.mark('the control plane is killed');
      await harness.cause({ fault: 'kill-control' });
    },
    undo: (harness, { host }) => harness.cause({ fault: 'power-on', host }),
    epoch: 'rises',
    check: findSameRun,
  },
  blackout: {
    says: 'the power of the host fails, and in the middle of the run that of everything else',
    cause: async (harness, target) => {
      await powerOffUntilMidRun(harness, target);
      await harness.witness.mark('power fails for all');
      await harness.blackout();
      await harness.witness.mark('the runtime is there again');
    },
    epoch: 'rises',
    strikes: 'all',
    check: findOpenEnded,
  },
  power: {
    says: 'the power of the host fails, and EC2 knows',
    sample: 'power',
    cause: (harness, { host }) => harness.cause({ fault: 'power-off', host }),
    undo: powerOnAgain,
    epoch: 'rises',
    evidence: 'power-off',
  },
  crash: {
    says: 'the host dies, and EC2 goes on calling it running',
    sample: 'power',
    cause: (harness, { host }) => harness.cause({ fault: 'crash', host }),
    undo: powerOnAgain,
    epoch: 'rises',
  },
  'ec2-stuck': {
    says: 'the host dies, and EC2 never gets further than stopping it',
    sample: 'power',
    cause: (harness, target) => crashWith(harness, target, 'stuck-stopping'),
    undo: powerOnAgain,
    epoch: 'rises',
    evidence: 'lease-over',
  },
  throttled: {
    says: 'the host dies, and EC2 refuses every request',
    sample: 'power',
    cause: (harness, target) => crashWith(harness, target, 'throttled'),
    undo: powerOnAgain,
    epoch: 'rises',
    evidence: 'lease-over',
  },
  stolen: {
    says: 'somebody else stops the instance and starts it again',
    sample: 'power',
    cause: (harness, { host }) => harness.cause({ fault: 'stolen', host }),
    epoch: 'rises',
    neverEvidence: 'power-off',
  },
  storm: {
    says: `every host is cut off from AWS for ${String(STORM_MS)} ms`,
    sample: 'storm',
    cause: async (harness) => {
      const hosts = harness.definition.hosts.map(({ name }) => name);
      await Promise.all(hosts.map((host) => harness.cause({ fault: 'cut', host })));
      await delay(STORM_MS);
      await Promise.all(hosts.map((host) => harness.cause({ fault: 'heal', host })));
    },
    epoch: 'stays',
    strikes: 'all',
    harmless: findTouched,
  },
} as const satisfies Record<string, FaultStory>;

export type FaultName = keyof typeof FAULTS;

export function faultStory(name: FaultName): FaultStory {
  return FAULTS[name];
}

/** Faults that a host must survive in silence without any control plane: what it runs ends in time by itself. */
export const ALONE_FAULTS = [
  'cut',
  'guard',
  'freeze',
  'freeze-guard',
  'stop-hangs',
] as const satisfies readonly FaultName[];

/** Without a control plane nothing is undone; a frozen agent stays frozen. */
export async function causeForGood(
  name: (typeof ALONE_FAULTS)[number],
  harness: Harness,
  target: Target,
): Promise<void> {
  if (name === 'freeze') await harness.cause({ fault: 'freeze-agent', host: target.host });
  else await FAULTS[name].cause(harness, target);
}
