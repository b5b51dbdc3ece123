/** The faults that a person or a harness may cause in the local runtime. */
import * as z from 'zod';
import type { Role } from '../../adapters/node/marks.ts';
import { HaError } from '../../core/failures/failures.ts';
import { unreachable } from '../../core/failures/invariant.ts';
import { EC2_MODES } from './ec2/modes.ts';
import { asConflict } from './fleet.ts';
import type { Fleet, ServiceFilter } from './fleet.ts';

const POWER_FAULTS = ['power-off', 'power-on', 'reboot', 'crash', 'stolen', 'cut', 'heal'] as const;
const CONTROL_FAULTS = ['kill-control', 'stop-control', 'start-control'] as const;

/** Faults that are a signal to processes of certain roles. SIGUSR1 makes the sample service ignore SIGTERM. */
const SIGNALS = {
  'kill-agent': { roles: ['agent'], signal: 'SIGKILL' },
  'kill-guard': { roles: ['guard'], signal: 'SIGKILL' },
  'kill-guard-and-agent': { roles: ['guard', 'agent'], signal: 'SIGKILL' },
  'freeze-agent': { roles: ['agent'], signal: 'SIGSTOP' },
  'thaw-agent': { roles: ['agent'], signal: 'SIGCONT' },
  'freeze-guard': { roles: ['guard'], signal: 'SIGSTOP' },
  'thaw-guard': { roles: ['guard'], signal: 'SIGCONT' },
  'kill-service': { roles: ['service'], signal: 'SIGKILL' },
  'stubborn-service': { roles: ['service'], signal: 'SIGUSR1' },
} as const satisfies Record<string, { roles: readonly Role[]; signal: NodeJS.Signals }>;

const AGENT_FAULTS = [
  'kill-agent',
  'kill-guard',
  'kill-guard-and-agent',
  'freeze-agent',
  'thaw-agent',
  'freeze-guard',
  'thaw-guard',
] as const;
const SERVICE_FAULTS = ['kill-service', 'stubborn-service'] as const;

const host = z.string().min(1);

export const Fault = z.discriminatedUnion('fault', [
  z.strictObject({ fault: z.enum(POWER_FAULTS), host }),
  z.strictObject({ fault: z.enum(AGENT_FAULTS), host }),
  z.strictObject({
    fault: z.enum(SERVICE_FAULTS),
    host,
    group: z.string().min(1).optional(),
    slot: z.int().nonnegative().optional(),
    service: z.string().min(1).optional(),
  }),
  z.strictObject({ fault: z.enum(CONTROL_FAULTS) }),
  /** Of EC2 itself, about one host or all. */
  z.strictObject({ fault: z.literal('ec2'), mode: z.enum([...EC2_MODES, 'well']), host: host.optional() }),
]);
export type Fault = z.infer<typeof Fault>;

/** The control plane's process. */
export interface ControlSwitch {
  /** SIGKILL; it is started again. */
  kill(): void;
  /** SIGKILL; it stays away until `start`. */
  stop(): Promise<void>;
  start(): void;
}

export interface FaultDone {
  /** Processes that took the signal: 0 is an answer worth reading, not an error. Null where no signal was sent. */
  readonly signalled: number | null;
}

export function parseFault(json: unknown): Fault {
  const parsed = Fault.safeParse(json);
  if (parsed.success) return parsed.data;
  const known = [...POWER_FAULTS, ...AGENT_FAULTS, ...SERVICE_FAULTS, ...CONTROL_FAULTS, 'ec2'].join(', ');
  const modes = [...EC2_MODES, 'well'].join(', ');
  const advice = `"fault" is one of ${known}; all but the control ones and ec2 need "host", ec2 needs "mode": ${modes}`;
  throw new HaError('config_invalid', `${z.prettifyError(parsed.error)}\n${advice}`);
}

export async function causeFault(fault: Fault, fleet: Fleet, control: ControlSwitch): Promise<FaultDone> {
  switch (fault.fault) {
    case 'power-off':
      await fleet.powerOff(fault.host);
      break;
    case 'power-on':
      await fleet.powerOn(fault.host);
      break;
    case 'reboot':
      await fleet.reboot(fault.host);
      break;
    case 'crash':
      await asConflict(() => fleet.ec2.crash(fleet.idOf(fault.host)));
      break;
    case 'stolen':
      await asConflict(() => fleet.ec2.steal(fleet.idOf(fault.host)));
      break;
    case 'ec2':
      setEc2(fault, fleet);
      break;
    case 'cut':
      fleet.cut(fault.host);
      break;
    case 'heal':
      fleet.heal(fault.host);
      break;
    case 'kill-control':
      control.kill();
      break;
    case 'stop-control':
      await control.stop();
      break;
    case 'start-control':
      control.start();
      break;
    case 'kill-agent':
    case 'kill-guard':
    case 'kill-guard-and-agent':
    case 'freeze-agent':
    case 'thaw-agent':
    case 'freeze-guard':
    case 'thaw-guard':
    case 'kill-service':
    case 'stubborn-service':
      return { signalled: sendSignal(fault, fleet) };
    default:
      return unreachable(fault);
  }
  return { signalled: null };
}

function setEc2(fault: Extract<Fault, { fault: 'ec2' }>, fleet: Fleet): void {
  const id = fault.host === undefined ? undefined : fleet.idOf(fault.host);
  if (fault.mode === 'well') fleet.ec2.clearModes(id);
  else fleet.ec2.setMode(fault.mode, id);
}

function sendSignal(
  fault: ServiceFilter & { readonly fault: keyof typeof SIGNALS; readonly host: string },
  fleet: Fleet,
): number {
  const { roles, signal } = SIGNALS[fault.fault];
  const filter = { group: fault.group, slot: fault.slot, service: fault.service };
  return roles.reduce((sum, role) => sum + fleet.signalRole(fault.host, role, signal, filter), 0);
}
