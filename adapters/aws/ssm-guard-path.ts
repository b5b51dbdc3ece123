/** Whether Systems Manager hears of machines: its agents report every five minutes, so this is no detector of anything. */
import { DescribeInstanceInformationCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { GuardPath, Reach } from '../../core/cloud-ports.ts';
import { type AwsPlace, clientSettings, withinBudget } from './bounded-call.ts';
import { chunks } from './chunks.ts';

const LIMITS = { attempts: 2, connectMs: 1_000, requestMs: 2_000 };
const BUDGET_MS = 5_000;
/** Machines per call. */
const ASKED_MAX = 50;

export function ssmGuardPath(place: AwsPlace): GuardPath & { readonly close: () => void } {
  const client = new SSMClient(clientSettings(place, LIMITS));
  return {
    async reach(machines) {
      const found = new Map<string, Reach>();
      for (const some of chunks(machines, ASKED_MAX)) {
        const pings = await pingsOf(client, some);
        for (const machine of some) found.set(machine, pings === undefined ? 'unknown' : reachOf(pings, machine));
      }
      return found;
    },
    close: () => client.destroy(),
  };
}

interface Pings {
  readonly by: ReadonlyMap<string, string | undefined>;
  /** Who is left out may be on a further page. */
  readonly isPart: boolean;
}

/** undefined: no answer. */
async function pingsOf(client: SSMClient, machines: readonly string[]): Promise<Pings | undefined> {
  try {
    const Filters = [{ Key: 'InstanceIds', Values: [...machines] }];
    const { InstanceInformationList, NextToken } = await withinBudget(
      'DescribeInstanceInformation',
      BUDGET_MS,
      (abortSignal) =>
        client.send(new DescribeInstanceInformationCommand({ Filters, MaxResults: ASKED_MAX }), { abortSignal }),
    );
    if (InstanceInformationList === undefined) return undefined;
    const by = new Map(InstanceInformationList.map(({ InstanceId = '', PingStatus }) => [InstanceId, PingStatus]));
    return { by, isPart: (NextToken ?? '') !== '' };
  } catch {
    return undefined;
  }
}

function reachOf({ by, isPart }: Pings, machine: string): Reach {
  const ping = by.get(machine);
  if (ping === undefined) return isPart ? 'unknown' : 'absent';
  return ping === 'Online' ? 'online' : 'lost';
}
