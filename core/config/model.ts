/**
 * A cluster definition after validation, with every default filled in. The zod schema in `definition.ts`
 * produces exactly this; everything else in Holdfast reads only this. Times are milliseconds.
 */

/** Timing of leases and detection; symbols as in SAFETY.md. */
export interface Timing {
  readonly profile: 'fast' | 'standard' | 'conservative' | 'demo';
  /** I: renew interval. */
  readonly intervalMs: number;
  /** J: jitter, a fraction of I. */
  readonly jitter: number;
  /** r: hard cap of one renewal. */
  readonly renewCapMs: number;
  /** k: lost renewals tolerated. */
  readonly lostRenewals: number;
  /** p: guard check period. */
  readonly guardPeriodMs: number;
  /** w: watchdog time-out. */
  readonly watchdogMs: number;
  /** s: longest clean stop. */
  readonly cleanStopMs: number;
  /** b: watchdog or kill to dead. */
  readonly killMs: number;
  /** m: longest life of a write already sent. */
  readonly writeLifeMs: number;
  /** F: longest whole-machine freeze. */
  readonly freezeMs: number;
  /** ρ: clock-rate error. */
  readonly clockRateError: number;
  /** ε: wall-clock gap of two control-plane processes. */
  readonly wallGapMs: number;
  /** L_h: lease as the holder counts. */
  readonly holderLeaseMs: number;
  /** L_c: wait as the taker counts; the wait before a revocation is L_c + ε. */
  readonly takerWaitMs: number;
  /** Period of find-behind's sweeps. */
  readonly sweepPeriodMs: number;
  /** A host is behind when its (session, sequence) stood still for `behindAfter` × I. */
  readonly behindAfter: number;
}

export interface HostDefinition {
  readonly name: string;
  readonly instanceId?: string | undefined;
  readonly certificateName?: string | undefined;
  readonly zone?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly capacity?: { readonly cpu?: number | undefined; readonly memoryMb?: number | undefined } | undefined;
  readonly paths: Readonly<Record<string, string>>;
  /** Levels in order; every fence of a level must succeed. */
  readonly fencing: readonly (readonly FenceMethod[])[];
}

export type FenceMethod = 'ec2' | 'lease';

export type EvidenceKind = 'released' | 'closed' | 'successor' | 'power-off' | 'lease-over' | 'witnessed';

/** n-plus-m: `active` slots that are always exclusive, `standby` warm places. n: `active` slots, exclusive only if marked. */
export type Redundancy =
  | { readonly model: 'n-plus-m'; readonly active: number; readonly standby: number }
  | { readonly model: 'n'; readonly active: number; readonly exclusive: boolean };

/** One wish with its weight; exactly one of the others is given. A negative weight is a wish to be elsewhere. */
export interface Preference {
  readonly host?: string | undefined;
  /** Every host that carries all of these. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Hosts that own no slot of this group; the soft form of `apart`. It binds the group that says it. */
  readonly apart?: string | undefined;
  /** Hosts that own a slot of this group; the soft form of `together`. It binds the group that says it. */
  readonly together?: string | undefined;
  readonly weight: number;
}

export interface PlacementRules {
  readonly require: Readonly<Record<string, string>>;
  readonly prefer: readonly Preference[];
  readonly spread?: string | undefined;
  readonly together: readonly string[];
  readonly apart: readonly string[];
  /** `key=value`: a label that a host must carry to take the group over after a failure; relaxed if none has it. */
  readonly haTag?: string | undefined;
  /** After a failure, start beyond a host's stated capacity rather than nowhere. */
  readonly overcommit?: boolean | undefined;
}

export interface ActionLimits {
  readonly timeoutMs: number;
  readonly attempts: number;
}

/** How a service is driven: a parsed `agent` string. */
export type AgentKind =
  | { readonly kind: 'exec' }
  | { readonly kind: 'ocf'; readonly provider: string; readonly type: string }
  | { readonly kind: 'lsb'; readonly script: string }
  | { readonly kind: 'systemd'; readonly unit: string }
  | { readonly kind: 'driver'; readonly driver: string };

export interface ServiceDefinition {
  readonly name: string;
  readonly agent: AgentKind;
  /** As the agent defines them. `command` of an `exec` service is not among them: it becomes `command` below. */
  readonly params: Readonly<Record<string, string>>;
  /** Only for `exec`: the argument vector. */
  readonly command: readonly string[];
  readonly dependsOn: readonly string[];
  readonly monitor: { readonly everyMs: number; readonly timeoutMs: number; readonly failures: number };
  readonly impact: 'none' | 'minor' | 'major' | 'critical';
  /** What it takes of its host's `capacity`; placement compares only what both sides state. */
  readonly needs?: { readonly cpu?: number | undefined; readonly memoryMb?: number | undefined } | undefined;
  readonly actions: { readonly start: ActionLimits; readonly stop: ActionLimits };
}

/** An address that accepts connections, or a URL that answers. */
export type ProbeDefinition =
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number }
  | { readonly kind: 'http'; readonly url: string };

export interface GroupDefinition {
  readonly name: string;
  readonly domain: string;
  readonly redundancy: Redundancy;
  readonly placement: PlacementRules;
  readonly failback: 'never' | 'auto' | { readonly window: string };
  readonly priority: number;
  readonly limits: {
    readonly restartsPerWindow: number;
    readonly windowMs: number;
    readonly movesPerWindow: number;
    readonly movesWindowMs: number;
  };
  readonly onControlPlaneLoss: 'failsafe' | 'stop';
  /** Kinds beyond `released`, `closed`, `successor` that prove an old owner gone. */
  readonly accepts: readonly EvidenceKind[];
  /** The operator states that whatever the services write to refuses old epochs (`HOLDFAST_EPOCH`); only V9's warning reads it. */
  readonly checksEpoch?: boolean | undefined;
  /** Where its users reach the application: asked by an investigation, to show that something answers there. */
  readonly probe?: ProbeDefinition | undefined;
  readonly services: readonly ServiceDefinition[];
}

export interface Definition {
  readonly apiVersion: 'holdfast/v1';
  readonly cluster: string;
  readonly timing: Timing;
  readonly hosts: readonly HostDefinition[];
  readonly groups: readonly GroupDefinition[];
}

/** Covered groups are the ones a lost lease stops (SAFETY.md, "Words"). */
export function isCovered(group: Pick<GroupDefinition, 'redundancy'>): boolean {
  return group.redundancy.model === 'n-plus-m' || group.redundancy.exclusive;
}

export function slotCount(group: Pick<GroupDefinition, 'redundancy'>): number {
  return group.redundancy.active;
}
