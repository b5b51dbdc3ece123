/** What DescribeInstances and DescribeInstanceStatus say about one machine. Anything but one clear answer is `unknown` (S8). */
import type {
  DescribeInstancesResult,
  Instance,
  InstanceStatus,
  InstanceStatusSummary,
  EbsStatusSummary,
} from '@aws-sdk/client-ec2';
import type { PowerReading, PowerState } from '../../core/ports.ts';

const STATES: readonly string[] = [
  'pending',
  'running',
  'shutting-down',
  'stopping',
  'stopped',
  'terminated',
] satisfies PowerState[];

export function unknownReading(says: string): PowerReading {
  return {
    ...{ state: 'unknown', principal: null, launchTime: null, canHibernate: null },
    ...{ checks: 'unknown', impairedSince: null, says },
  };
}

/** Instance ids are not names: one reservation with this very id, or nothing is known. */
export function instanceReading(
  answer: DescribeInstancesResult,
  asked: { readonly machine: string; readonly arnPrefix: string },
): PowerReading {
  const found = (answer.Reservations ?? []).flatMap((reservation) =>
    (reservation.Instances ?? []).map((instance) => ({ instance, owner: reservation.OwnerId })),
  );
  const [only] = found;
  if (only === undefined) return unknownReading(`EC2 answered without an instance ${asked.machine}`);
  if (found.length > 1) return unknownReading(`EC2 answered with ${found.length} instances for ${asked.machine}`);
  const { instance, owner } = only;
  if (instance.InstanceId !== asked.machine) {
    return unknownReading(`EC2 answered about ${instance.InstanceId ?? 'no instance'}, not about ${asked.machine}`);
  }
  const state = stateOf(instance);
  if (state === undefined) {
    return unknownReading(
      `EC2 names the state ${instance.State?.Name ?? '(none)'}, which is none of ${STATES.join(', ')}`,
    );
  }
  return {
    state,
    principal:
      owner === undefined || owner === '' ? null : `${asked.arnPrefix}:${owner}:instance/${instance.InstanceId}`,
    launchTime: isoOf(instance.LaunchTime),
    canHibernate: instance.HibernationOptions?.Configured ?? null,
    checks: 'unknown',
    impairedSince: null,
    says: instance.StateReason?.Message ?? instance.StateTransitionReason ?? '',
  };
}

function stateOf(instance: Instance): PowerState | undefined {
  const name = instance.State?.Name;
  return STATES.includes(name ?? '') ? name : undefined;
}

interface TaggedThing {
  readonly Tags?: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined;
}

/** Of an instance, or of an Auto Scaling group. */
export function tagsOf({ Tags = [] }: TaggedThing): Readonly<Record<string, string>> {
  return Object.fromEntries(Tags.map(({ Key = '', Value = '' }) => [Key, Value]));
}

function isoOf(date: Date | undefined): string | null {
  return date === undefined || Number.isNaN(date.getTime()) ? null : date.toISOString();
}

export type Checks = Pick<PowerReading, 'checks' | 'impairedSince'>;

export const UNKNOWN_CHECKS: Checks = { checks: 'unknown', impairedSince: null };

/** Worst first. What is `not-applicable` (stopped, or no such check on this type) says nothing. */
const WORST_FIRST = ['impaired', 'insufficient-data', 'initializing', 'ok'] as const;

export function worstChecks(statuses: readonly InstanceStatus[], machine: string): Checks {
  const status = statuses.find(({ InstanceId }) => InstanceId === machine);
  const summaries: readonly (InstanceStatusSummary | EbsStatusSummary | undefined)[] = [
    status?.SystemStatus,
    status?.InstanceStatus,
    status?.AttachedEbsStatus,
  ];
  const named = summaries.map((summary) => summary?.Status);
  const checks = WORST_FIRST.find((level) => named.includes(level)) ?? 'unknown';
  const since = summaries
    .flatMap((summary) => summary?.Details ?? [])
    .map(({ ImpairedSince }) => isoOf(ImpairedSince))
    .filter((date) => date !== null)
    .toSorted();
  return { checks, impairedSince: checks === 'impaired' ? (since[0] ?? null) : null };
}
