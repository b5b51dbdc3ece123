/** What each scheduled fault does to the world when it begins, and what takes it back when it ends. */
import type { ScheduledFault, ScheduledFaultKind } from '../contract/faults.ts';
import type { Link } from '../contract/parts.ts';
import type { FaultWorld } from './parts.ts';

export interface Effect {
  readonly begin: (world: FaultWorld, fault: ScheduledFault) => void;
  /** Absent: it has no length, or ends by itself. */
  readonly end?: (world: FaultWorld, fault: ScheduledFault) => void;
}

/** A state that overlapping faults share: entered by the first of them, left by the last. */
function shared(
  name: (fault: ScheduledFault) => string,
  set: (world: FaultWorld, fault: ScheduledFault, isOn: boolean) => void,
): Effect {
  return {
    begin: (world, fault) => void (world.causes.add(name(fault)) && set(world, fault, true)),
    end: (world, fault) => void (world.causes.remove(name(fault)) && set(world, fault, false)),
  };
}

const bySubject = ({ kind, subject }: ScheduledFault): string => `${kind} ${subject}`;

const LINKS = { cut: 'cut', no_answers: 'cut_answers', no_requests: 'cut_requests' } as const;

/** A host's link under everything that stands in its way now. */
export function refreshLink({ causes, store }: FaultWorld, host: string): void {
  const has = (name: keyof typeof LINKS): boolean => causes.has(`${LINKS[name]} ${host}`);
  const isCut = has('cut') || (has('no_answers') && has('no_requests'));
  const link: Link = isCut ? 'cut' : has('no_answers') ? 'no_answers' : has('no_requests') ? 'no_requests' : 'whole';
  store.setLink(host, link);
}

const link: Effect = shared(bySubject, (world, { subject }) => refreshLink(world, subject));

const zoneCut: Effect = {
  begin: (world, { subject }) => {
    for (const host of world.zone(subject)) if (world.causes.add(`cut ${host}`)) refreshLink(world, host);
  },
  end: (world, { subject }) => {
    for (const host of world.zone(subject)) if (world.causes.remove(`cut ${host}`)) refreshLink(world, host);
  },
};

/** The store is as bad as the worst that stands. */
const weather: Effect = shared(
  ({ kind }) => kind,
  ({ store, causes }) => store.setStore(causes.has('store_down') ? 'down' : causes.has('store_slow') ? 'slow' : 'up'),
);

function signalled(...roles: readonly ('agent' | 'guard')[]): Effect {
  const each =
    (set: (world: FaultWorld, host: string, role: 'agent' | 'guard') => void) =>
    (world: FaultWorld, { subject }: ScheduledFault): void => {
      for (const role of roles) set(world, subject, role);
    };
  return {
    begin: each(({ causes, hosts }, host, role) => {
      if (causes.add(`stopped ${role} ${host}`)) hosts.signal(host, role, 'stop');
    }),
    end: each(({ causes, hosts }, host, role) => {
      if (causes.remove(`stopped ${role} ${host}`)) hosts.signal(host, role, 'continue');
    }),
  };
}

function killed(role: 'agent' | 'guard'): Effect {
  return { begin: ({ hosts }, { subject }) => hosts.signal(subject, role, 'kill') };
}

/** F bounds a freeze as a whole: a second one while the first lasts adds nothing. */
function frozen(isSeen: boolean): Effect {
  return {
    begin: ({ causes, hosts, machines }, { subject }) => {
      if (causes.has(`frozen ${subject}`) || !machines.isOn(subject)) return;
      if (causes.add(`frozen ${subject}`)) hosts.freeze(subject, isSeen);
    },
    end: ({ causes, hosts }, { subject }) => {
      if (causes.remove(`frozen ${subject}`)) hosts.thaw(subject);
    },
  };
}

function troubled(trouble: 'stop_hangs' | 'lies' | 'start_fails' | 'slow_host'): Effect {
  return shared(bySubject, ({ hosts }, { subject }, isOn) => hosts.setServices(subject, trouble, isOn));
}

/** Power that is gone for a while; another cause may have taken or brought it meanwhile. */
function without(take: (world: FaultWorld, host: string, fault: ScheduledFault) => void): Effect {
  return {
    begin: (world, fault) => {
      world.causes.add(`off ${fault.subject}`);
      take(world, fault.subject, fault);
    },
    end: (world, { subject }) => void (world.causes.remove(`off ${subject}`) && world.machines.bringBack(subject)),
  };
}

const crash = without(({ hosts, machines }, host) => void (machines.isOn(host) && hosts.crash(host)));

const zoneLost: Effect = {
  begin: (world, fault) => world.zone(fault.subject).forEach((host) => crash.begin(world, { ...fault, subject: host })),
  end: (world, fault) => world.zone(fault.subject).forEach((host) => crash.end?.(world, { ...fault, subject: host })),
};

const stoppedByHand = without(({ ec2, machines }, host) => {
  const machine = machines.instanceOf(host);
  if (machine !== undefined) ec2.stopByHand(machine);
});

/** The schedule of acts has a definition to match; here nothing is left to do. */
const byAct: Effect = { begin: () => undefined };

export const EFFECTS: Readonly<
  Record<Exclude<ScheduledFaultKind, 'owner_hit_at_change' | 'registry_restored'>, Effect>
> = {
  cut: link,
  cut_answers: link,
  cut_requests: link,
  zone_cut: zoneCut,
  control_cut: shared(
    ({ kind }) => kind,
    ({ store }, _fault, isOn) => store.setControlLink(isOn ? 'cut' : 'whole'),
  ),
  store_down: weather,
  store_slow: weather,
  table_gone: shared(
    ({ kind }) => kind,
    ({ store }, _fault, isOn) => store.setHeartbeatsTable(!isOn),
  ),
  item_gone: { begin: ({ store, hosts }, { subject }) => store.deleteHeartbeat(hosts.principalOf(subject)) },
  agent_stopped: signalled('agent'),
  guard_stopped: signalled('guard'),
  both_stopped: signalled('agent', 'guard'),
  agent_killed: killed('agent'),
  guard_killed: killed('guard'),
  frozen_unseen: frozen(false),
  frozen_seen: frozen(true),
  wall_step: { begin: ({ hosts }, { subject, amount = 0 }) => hosts.stepWall(subject, amount) },
  control_wall_step: { begin: ({ control }, { amount = 0 }) => control.setWallSpread(amount) },
  crash,
  crash_at_step: without(({ hosts }, host, { amount = 1 }) => hosts.crashAtCall(host, amount)),
  reboot: { begin: ({ hosts, machines }, { subject }) => void (machines.isOn(subject) && hosts.reboot(subject)) },
  disk_full: shared(bySubject, ({ hosts }, { subject }, isOn) => hosts.setDiskFull(subject, isOn)),
  state_lost: { begin: ({ hosts }, { subject }) => hosts.loseState(subject) },
  stop_stuck: shared(
    ({ kind }) => kind,
    ({ ec2 }, _fault, isOn) => ec2.setStuck(isOn),
  ),
  stopped_by_hand: stoppedByHand,
  replaced: { begin: ({ machines }, { subject, amount = 1 }) => machines.replace(subject, amount) },
  zone_lost: zoneLost,
  slow_host: troubled('slow_host'),
  stop_hangs: troubled('stop_hangs'),
  lies: troubled('lies'),
  service_dies: { begin: ({ hosts }, { subject, amount = 0 }) => hosts.killService(subject, amount) },
  start_fails: troubled('start_fails'),
  clone: shared(bySubject, ({ hosts }, { subject }, isOn) => (isOn ? hosts.clone(subject) : hosts.endClone(subject))),
  run_stopped: { begin: ({ control }, { amount = 0 }) => control.stopRun(amount) },
  run_redriven: { begin: ({ control }, { amount = 0 }) => control.redriveRun(amount) },
  definition_changed: byAct,
  timing_changed: byAct,
};
