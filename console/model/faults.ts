/** What may be broken on this machine, each with one sentence on what to expect and with its way back. */

/** The body of `POST /local/break`; the local runtime checks it. */
export interface Fault {
  readonly fault: string;
  readonly host?: string;
  readonly group?: string;
  readonly slot?: number;
  readonly service?: string;
  readonly mode?: string;
}

export interface FaultOffer {
  readonly fault: Fault;
  readonly title: string;
  readonly says: string;
  readonly undo: { readonly title: string; readonly fault: Fault } | null;
}

const offer = (fault: Fault, title: string, says: string, undo: FaultOffer['undo'] = null): FaultOffer => ({
  fault,
  title,
  says,
  undo,
});

export function hostFaults(host: string): readonly FaultOffer[] {
  const on = (fault: string): Fault => ({ fault, host });
  return [
    offer(
      on('power-off'),
      'Pull the plug',
      'Every process of the machine ends at once, and EC2 knows: two reads prove it, so that its slots start elsewhere without waiting for its lease.',
      { title: 'Power on', fault: on('power-on') },
    ),
    offer(
      on('cut'),
      'Cut it off from AWS',
      'It runs on and cannot renew: it stops its services by itself before they start elsewhere. EC2 powers it off meanwhile, so that the way back may be both: connect again, power on.',
      { title: 'Connect again', fault: on('heal') },
    ),
    offer(on('reboot'), 'Reboot', 'It comes back with a newer session, which proves that the old one is over.'),
    offer(
      on('crash'),
      'Crash the kernel',
      'Nothing runs, and EC2 goes on saying “running”: it is told to stop it while the lease is counted.',
      {
        title: 'Power on',
        fault: on('power-on'),
      },
    ),
    offer(on('kill-agent'), 'Kill its agent', 'The services run on; the guard starts a new agent, which finds them.'),
    offer(on('kill-guard'), 'Kill its guard', 'Nobody counts its lease any more: init ends its services at once.'),
    offer(
      on('freeze-agent'),
      'Freeze its agent',
      'No heartbeat goes out. The guard stops the services in time, and EC2 powers the machine off meanwhile.',
      {
        title: 'Thaw',
        fault: on('thaw-agent'),
      },
    ),
    offer(
      on('freeze-guard'),
      'Freeze its guard',
      'Its init, which stands for a hardware watchdog, ends everything in time and starts the guard anew.',
      {
        title: 'Thaw',
        fault: on('thaw-guard'),
      },
    ),
    offer(
      on('stolen'),
      'Stop and start it from outside',
      'As somebody with an AWS console of their own would: a new launch, whose session is the successor of the old one.',
    ),
    ...ec2Faults(host),
  ];
}

/** Each is to be followed by a crash. */
function ec2Faults(host: string): readonly FaultOffer[] {
  const undo = { title: 'EC2 answers again', fault: { fault: 'ec2', mode: 'well', host } } as const;
  return [
    offer(
      { fault: 'ec2', mode: 'throttled', host },
      'Throttle EC2 for it',
      'EC2 refuses every call about it: unknown is not dead, and the lease decides. Then crash it.',
      undo,
    ),
    offer(
      { fault: 'ec2', mode: 'stuck-stopping', host },
      'Let EC2 hang in “stopping”',
      'A stop is accepted and never ends, so that it proves nothing, and the lease decides. Then crash it.',
      undo,
    ),
    offer(
      { fault: 'ec2', mode: 'empty', host },
      'Let EC2 forget it',
      'EC2 answers without the instance: unknown is not dead, and the lease decides. Then crash it.',
      undo,
    ),
    offer(
      { fault: 'ec2', mode: 'late-events', host },
      'Let EC2 report late',
      'Its events come late. The sweep finds the host long before. Then crash it.',
      undo,
    ),
  ];
}

export interface ServiceAt {
  readonly host: string;
  readonly group: string;
  readonly slot: number;
  readonly service: string;
}

export function serviceFaults(at: ServiceAt): readonly FaultOffer[] {
  const name = at.service;
  return [
    offer(
      { fault: 'kill-service', ...at },
      `Kill ${name}`,
      'It is started again on the same host, with what depends on it.',
    ),
    offer(
      { fault: 'stubborn-service', ...at },
      `Make ${name} ignore stops`,
      'It no longer ends when asked, and is killed when its time is over.',
    ),
  ];
}

export const CONTROL_FAULTS: readonly FaultOffer[] = [
  offer({ fault: 'kill-control' }, 'Kill the control plane', 'It is started again. The hosts do not notice.'),
  offer(
    { fault: 'stop-control' },
    'Take the control plane away',
    'This page goes grey and says so. The services run on as long as their hosts can renew.',
    { title: 'Start it again', fault: { fault: 'start-control' } },
  ),
];

export interface Instance {
  readonly host: string;
  readonly power: string;
  readonly isCut: boolean;
}

/** The offer that undoes what stands, if the machine's own state shows that something does. */
export function undoFor(
  instance: Instance,
): { readonly says: string; readonly title: string; readonly fault: Fault } | null {
  const { host } = instance;
  if (instance.power === 'off' || instance.power === 'stopped')
    return {
      says: instance.isCut ? 'It is off, and cut off from AWS.' : 'Its power is off.',
      title: 'Power on',
      fault: { fault: 'power-on', host },
    };
  if (instance.isCut)
    return { says: 'It is cut off from AWS.', title: 'Connect again', fault: { fault: 'heal', host } };
  return null;
}
