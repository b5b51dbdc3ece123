/** `holdfast-agent configure`: what a host's guard is started with, from what an operator wrote and the machine knows. */
import type { HostConfig } from '../adapters/node/host-config.ts';
import type { HostFile } from '../adapters/node/host-file.ts';
import type { InstanceFacts } from '../adapters/node/imds.ts';
import { HaError } from '../core/failures/failures.ts';

export type MachineFacts =
  | { readonly kind: 'ec2'; readonly bootId: string; readonly instance: InstanceFacts }
  | {
      readonly kind: 'other';
      readonly bootId: string;
      /** What tells the machine from another one made from the same image. */
      readonly machineId: string;
      /** ISO 8601; the same for the whole boot. */
      readonly bootedAt: string;
    };

/** Where the package is installed, and the Node that runs it. */
export interface Installed {
  readonly node: string;
  /** Folder of the scripts: by a link that an upgrade moves, so that the next agent is the new one. */
  readonly scripts: string;
}

export function hostConfigOf(file: HostFile, machine: MachineFacts, installed: Installed): HostConfig {
  const { cluster, host, stateDir, tables, endpoint, credentials } = file;
  return {
    ...{ cluster, host, stateDir, tables, ...identityOf(file, machine), bootId: machine.bootId },
    watchdog: watchdogOf(file),
    guardEntry: `${installed.scripts}/guard.mjs`,
    agentEntry: `${installed.scripts}/agent.mjs`,
    sampleCommand: [installed.node, `${installed.scripts}/service.mjs`],
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials: withoutUndefined(credentials) }),
  };
}

/** The principal is the one that IAM puts into the host's policy: nothing that is written on the host itself (S16). */
function identityOf(file: HostFile, machine: MachineFacts) {
  if (machine.kind === 'ec2') {
    const { partition, region, accountId, instanceId, launchTime } = machine.instance;
    return {
      principal: `arn:${partition}:ec2:${region}:${accountId}:instance/${instanceId}`,
      ...{ machine: instanceId, instanceMark: instanceId, launchTime, region: file.region ?? region },
    };
  }
  const { certificate, region } = file;
  if (certificate === undefined || region === undefined)
    throw new HaError('config_invalid', 'off EC2 the host file names "certificate" and "region"');
  const { machineId, bootedAt } = machine;
  return { principal: certificate, machine: machineId, instanceMark: machineId, launchTime: bootedAt, region };
}

function watchdogOf({ watchdog, watchdogDevice }: HostFile): HostConfig['watchdog'] {
  if (watchdog !== 'device') return { kind: watchdog };
  const name = watchdogDevice.slice('/dev/'.length);
  return { kind: 'device', device: watchdogDevice, timeout: `/sys/class/watchdog/${name}/timeout` };
}

function withoutUndefined({ profile, configFile }: NonNullable<HostFile['credentials']>) {
  return { profile, ...(configFile === undefined ? {} : { configFile }) };
}
