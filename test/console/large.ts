/** A large cluster as the API would show it, checked against the schema of the answer; names as long as they may be. */
import { statusView } from '../../core/protocol/view-schemas.ts';
import type { GroupView, HostView, StatusView } from '../../core/protocol/views.ts';
import type { Answer, Behind } from './server.ts';

const AT = 1_790_000_000_000;
const LONG = 'a-host-with-a-name-as-long-as-a-definition-lets-it-be-000000063';

const hostName = (n: number): string => (n === 7 ? LONG : `host-${String(n).padStart(3, '0')}`);

function host(n: number): HostView {
  const isDown = n === 150;
  return {
    name: hostName(n),
    status: isDown ? 'Fenced' : 'Up',
    why: isDown ? 'its machine was read as powered off, twice' : 'session 00000001 registered',
    admin: n === 20 ? 'maintenance' : 'enabled',
    adminReason: n === 20 ? 'a new disk' : '',
    zone: ['a', 'b', 'c'][n % 3] ?? null,
    labels: { rack: `r${n % 10}` },
    machine: `i-${String(n).padStart(17, '0')}`,
    fencing: [['ec2'], ['lease']],
    session: isDown ? null : `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    seq: 1_000 + n,
    beatAgeMs: isDown ? 600_000 : 1_200,
    guardLevel: 'watchdog',
    slots: isDown ? [] : [{ group: `group-${String(n).padStart(3, '0')}`, slot: 0, epoch: 1, phase: 'Active' }],
    claimRun: null,
  };
}

function group(n: number): GroupView {
  const name = `group-${String(n).padStart(3, '0')}`;
  const isHeld = n === 150;
  return {
    name,
    model: 'n-plus-m',
    priority: 10,
    health: isHeld ? 'failed' : 'ok',
    covered: true,
    slots: [
      {
        slot: 0,
        owner: isHeld ? null : hostName(n),
        epoch: 1,
        phase: isHeld ? 'Held' : 'Active',
        why: isHeld ? 'no host may run it' : `active on ${hostName(n)}`,
        evidenceKind: null,
        candidates: [hostName(n)],
      },
    ],
    standbys: isHeld ? [] : [hostName((n + 1) % 200)],
  };
}

export function largeStatus(count = 200): StatusView {
  return statusView.parse({
    cluster: 'large',
    rev: 12,
    haEnabled: true,
    atMs: AT,
    hosts: Array.from({ length: count }, (_, n) => host(n)),
    groups: Array.from({ length: count }, (_, n) => group(n)),
    runs: [],
    bound: { recoveryMs: 47_000, outageMs: 12_000 },
  });
}

/** Without a stream, and without a front door: what a console in front of API Gateway has. */
export function largeCluster(): Behind {
  const status = JSON.stringify(largeStatus());
  return {
    async http(_method, path): Promise<Answer> {
      if (path.startsWith('/api/v1/status')) return { statusCode: 200, body: status };
      if (path.startsWith('/api/v1/events')) return { statusCode: 200, body: '{"events":[],"next":null}' };
      if (path.startsWith('/api/v1/runs')) return { statusCode: 200, body: '{"runs":[],"next":null}' };
      const problem = { title: 'not found', status: 404, detail: `there is nothing at ${path}`, code: 'not_found' };
      return { statusCode: 404, body: JSON.stringify(problem) };
    },
  };
}
