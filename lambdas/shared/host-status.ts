import { type HostEvent, hostStatusStep } from '../../core/detection/host-status.ts';
import { type HostRecord, keys } from '../../core/protocol/records.ts';
import { changeRecord } from './change.ts';
import type { ControlPorts } from './ports.ts';
import { recordEvent } from './run-log.ts';

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
