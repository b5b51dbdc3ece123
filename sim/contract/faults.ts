/** Faults that a run may draw. Each kind must be reached by a large run of seeds; one that is never reached fails the simulator. */
import type { Millis } from '../../core/time/time.ts';

/** Drawn per message or call, at rates that the scene sets. */
export const BACKGROUND_FAULTS = {
  loss: 'a request or its answer is lost',
  delay: 'a message takes long',
  duplicate: 'a request arrives twice',
  reorder: 'a later message overtakes an earlier one',
  answer_lost: 'a write is taken and its answer lost',
  late_commit: 'a write is taken after its sender gave up waiting, within m',
  stale_scan: 'a scan shows an item as it was',
  throttled: 'the store refuses for now',
  lambda_twice: 'an invocation is delivered twice',
  lambda_late: 'an invocation begins late',
  lambda_killed: 'an invocation ends half-way, at any of its calls',
  lambda_frozen: 'the environment of a function is suspended between two of its calls',
  step_late: 'the workflow wakes late',
  ec2_throttled: 'EC2 refuses for now',
  ec2_stale: 'EC2 shows a machine as it was',
  ec2_empty: 'EC2 answers with nothing about a machine that exists',
  event_late: 'an event of EC2 comes late',
  event_repeated: 'an event of EC2 comes again',
  slow_disk: 'a write to the disk of a host takes long',
} as const;

/** Drawn as a schedule: at a moment, of a subject, for a time. */
export const SCHEDULED_FAULTS = {
  cut: 'a host reaches nothing of AWS',
  cut_answers: 'requests of a host arrive, no answer comes back',
  cut_requests: 'requests of a host are lost, in both tables',
  zone_cut: 'all hosts of a zone are cut off',
  control_cut: 'the functions do not reach the store',
  store_down: 'the store answers nobody',
  store_slow: 'every call to the store takes long',
  table_gone: 'the heartbeats table is missing for a while; its items come back with it',
  item_gone: 'a heartbeat item is deleted',
  registry_restored: 'the registry is restored from an older copy (S21)',
  agent_stopped: 'SIGSTOP to an agent',
  guard_stopped: 'SIGSTOP to a guard',
  both_stopped: 'SIGSTOP to guard and agent',
  agent_killed: 'an agent dies',
  guard_killed: 'a guard dies',
  frozen_unseen: 'a machine stands still and its clock with it, for F at most',
  frozen_seen: 'a machine stands still and its clock runs on, for F at most',
  wall_step: 'the wall clock of a host is set, up to an hour either way',
  control_wall_step: 'the wall clocks of the control plane differ, within ε',
  crash: 'the power of a machine fails; it comes back later',
  crash_at_step: 'a machine crashes at one of the next calls that its processes make',
  reboot: 'a machine restarts',
  disk_full: 'nothing can be written to the disk of a host',
  state_lost: 'the state folder of a host is lost when it boots',
  stop_stuck: 'stops that EC2 accepts do not end',
  stopped_by_hand: 'somebody stops an instance',
  replaced: 'an instance is terminated, and another registers under the same name',
  zone_lost: 'all machines of a zone lose power',
  slow_host: 'processes of a host stand still again and again, within the tolerated pause',
  stop_hangs: 'services of a host do not stop when asked',
  lies: 'services of a host say that they run when they do not, and the other way round',
  service_dies: 'a service ends by itself',
  start_fails: 'services of a host do not start',
  clone: 'a copy of a host boots with its identity and its disk',
  run_stopped: 'a run is stopped from the console',
  run_redriven: 'an ended run is redriven',
  definition_changed: 'an operator changes the definition: candidates, groups, wishes',
  timing_changed: 'an operator changes the timing',
  owner_hit_at_change: 'the new owner of a slot is cut off or crashes right when it is named',
} as const;

export type BackgroundFault = keyof typeof BACKGROUND_FAULTS;
export type ScheduledFaultKind = keyof typeof SCHEDULED_FAULTS;
export type FaultKind = BackgroundFault | ScheduledFaultKind;

/** Parts of all calls that meet each fault; absent: none. */
export type Noise = Readonly<Partial<Record<BackgroundFault, number>>>;

export interface ScheduledFault {
  readonly at: Millis;
  readonly kind: ScheduledFaultKind;
  /** Host or zone; '' where the kind has no subject. */
  readonly subject: string;
  /** 0: it has no length. */
  readonly forMs: Millis;
  /** What else the kind needs (how far a clock is set, how many calls until the crash), drawn with the schedule. */
  readonly amount?: number;
}
