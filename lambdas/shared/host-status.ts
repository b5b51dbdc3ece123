import { type HostEvent, hostStatusStep } from '../../core/detection/host-status.ts';
import { type HostRecord, keys } from '../../core/protocol/records.ts';
import { changeRecord } from './change.ts';
import type { ControlPorts } from './ports.ts';
import { recordEvent } from './run-log.ts';

/** Whether the host's status speaks of this session; an older one may be looked into while the host is well. */
export function isNewest(host: Pick<HostRecord, 'seen'>, session: string | null): boolean {
  return host.seen === null || host.seen.session === session;
}

/** Takes one event through the status table; pairs that the table ignores write nothing (S17). */
export async function setHostStatus(
  ports: ControlPorts,
  cluster: string,
  host: string,
  event: { readonly type: HostEvent },
  why: string,
): Promise<void> {
  let from: HostRecord['status'] | null = null;
  const changed = await changeRecord<HostRecord>(ports.registry, keys.host(cluster, host), (old) => {
    if (old === undefined) return null;
    const { to } = hostStatusStep(old.status, event.type);
    if (to === old.status) return null;
    from = old.status;
    return { ...old, status: to, statusSinceMs: ports.wall.now(), why };
  });
  if (!changed.isChanged || changed.body === undefined) return;
  const says = `${host} is ${changed.body.status} (was ${from ?? 'unknown'}): ${why}`;
  await recordEvent(ports, cluster, { kind: 'host.status', subject: host, says, run: null, by: event.type });
}
