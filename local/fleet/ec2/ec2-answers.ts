/** What EC2 shows, as objects that become its XML. */
import type { Ec2Cloud } from './cloud.ts';
import { IMPAIRED_AFTER_MS, INITIALIZING_MS } from './delays.ts';
import { STATE_CODES } from './records.ts';
import type { Ec2State, Shown } from './records.ts';
import type { Attachment, Volume } from './volumes.ts';

export function stateXml(state: Ec2State): object {
  return { code: STATE_CODES[state], name: state };
}

/** One reservation per instance, as instances that were launched one by one have. */
export function describeInstances(cloud: Ec2Cloud, shown: readonly Shown[]): object {
  const item = shown.map((each) => ({
    reservationId: `r-${each.machine.id.slice(2)}`,
    ownerId: cloud.account,
    instancesSet: { item: instanceXml(cloud, each) },
  }));
  return { reservationSet: { item } };
}

function instanceXml(cloud: Ec2Cloud, { machine, record }: Shown): object {
  const { type, tags, autoRecovery } = cloud.settings.of(machine.id);
  const tagged = Object.entries({ Name: machine.name, ...tags });
  return {
    instanceId: machine.id,
    instanceState: stateXml(record.state),
    instanceType: type,
    launchTime: machine.launchTime,
    placement: { availabilityZone: `${cloud.region}a` },
    reason: record.transition,
    ...(record.reason === undefined ? {} : { stateReason: record.reason }),
    hibernationOptions: { configured: machine.canHibernate ?? false },
    maintenanceOptions: { autoRecovery },
    tagSet: { item: tagged.map(([key, value]) => ({ key, value })) },
  };
}

export function describeStatus(cloud: Ec2Cloud, shown: readonly Shown[]): object {
  return { instanceStatusSet: { item: shown.map((each) => statusXml(cloud, each)) } };
}

function statusXml(cloud: Ec2Cloud, { machine, record }: Shown): object {
  const impairedMs = impairedSince(record.crashedMs);
  // Of the machine under it and of its volumes AWS would know first; a crash is one of the guest.
  const well = check(record, undefined);
  return {
    instanceId: machine.id,
    availabilityZone: `${cloud.region}a`,
    instanceState: stateXml(record.state),
    systemStatus: well,
    instanceStatus: check(record, impairedMs),
    attachedEbsStatus: well,
  };
}

function impairedSince(crashedMs: number | undefined): number | undefined {
  if (crashedMs === undefined) return undefined;
  const since = crashedMs + IMPAIRED_AFTER_MS;
  return Date.now() >= since ? since : undefined;
}

function check(record: Shown['record'], impairedMs: number | undefined): object {
  if (record.state !== 'running') return { status: 'not-applicable' };
  if (impairedMs !== undefined) {
    const since = new Date(impairedMs).toISOString();
    return {
      status: 'impaired',
      details: { item: [{ name: 'reachability', status: 'failed', impairedSince: since }] },
    };
  }
  const isNew = Date.now() < record.sinceMs + INITIALIZING_MS;
  const status = isNew ? 'initializing' : 'ok';
  return { status, details: { item: [{ name: 'reachability', status: isNew ? 'initializing' : 'passed' }] } };
}

export function volumeXml(cloud: Ec2Cloud, volume: Volume): object {
  const { attachment } = volume;
  return {
    volumeId: volume.id,
    availabilityZone: `${cloud.region}a`,
    status: attachment === undefined ? 'available' : 'in-use',
    attachmentSet: { item: attachment === undefined ? [] : [attachmentOf(volume.id, attachment)] },
  };
}

/** The answer to an attach or detach. */
export function attachmentXml({ id, attachment }: Volume): object {
  return attachment === undefined ? { volumeId: id, status: 'detached' } : attachmentOf(id, attachment);
}

function attachmentOf(volumeId: string, { instance, device, state, since }: Attachment): object {
  return { volumeId, instanceId: instance, device, status: state, attachTime: since };
}
