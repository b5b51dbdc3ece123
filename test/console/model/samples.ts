import type { GroupView, HostView, RunStoryView, RunView, SlotView, StatusView } from '../../../core/protocol/views.ts';

export const AT = 1_790_000_000_000;

export function host(name: string, more: Partial<HostView> = {}): HostView {
  return {
    name,
    status: 'Up',
    why: 'session 1 registered',
    admin: 'enabled',
    adminReason: '',
    zone: 'a',
    labels: {},
    machine: `i-${name}`,
    fencing: [['lease']],
    session: 's',
    seq: 1,
    beatAgeMs: 100,
    guardLevel: 'init',
    slots: [],
    claimRun: null,
    ...more,
  };
}

export function slot(no: number, owner: string | null, more: Partial<SlotView> = {}): SlotView {
  return {
    slot: no,
    owner,
    epoch: 1,
    phase: owner === null ? 'Held' : 'Active',
    why: '',
    evidenceKind: null,
    candidates: [],
    ...more,
  };
}

export function group(name: string, slots: readonly SlotView[], more: Partial<GroupView> = {}): GroupView {
  return { name, model: 'n-plus-m', priority: 1, health: 'ok', covered: true, slots, standbys: [], ...more };
}

export function status(more: Partial<StatusView> = {}): StatusView {
  return {
    cluster: 'demo',
    rev: 1,
    haEnabled: true,
    atMs: AT,
    hosts: [host('h1'), host('h2')],
    groups: [group('db', [slot(0, 'h1')], { standbys: ['h2'] })],
    runs: [],
    bound: { recoveryMs: 10_000, outageMs: 1_000 },
    ...more,
  };
}

export function run(more: Partial<RunView> = {}): RunView {
  return {
    run: 'ha.h1.s.42',
    work: 'HA',
    host: 'h1',
    group: null,
    slot: null,
    phase: 'Done',
    outcome: 'Recovered',
    summary: 'db/0 is Active on h2',
    openedAtMs: AT + 750,
    closedAtMs: AT + 4_000,
    boundMs: 10_000,
    ...more,
  };
}

/** Steps of one moment in the order in which the registry keeps them: by name. */
export function story(more: Partial<RunView> = {}): RunStoryView {
  const at = (step: string, atMs: number, tookMs: number, says: string, facts: Record<string, unknown> = {}) => ({
    step,
    atMs: AT + atMs,
    tookMs,
    says,
    facts,
  });
  const steps = [
    at('Ask heartbeat', 750, 0, 'unknown: it has not renewed: version 42 is still its last'),
    at('Await proof', 750, 2_700, 'lease-over: it did not renew version 42 for longer than its lease'),
    at('Open', 750, 0, 'h1 is behind', { observedAtMs: AT }),
    at('Verdict', 750, 0, 'nothing shows whether it is alive or dead'),
    at('Revoke', 3_400, 0, 'revoked'),
    at('Await started db/0', 3_500, 500, 'db/0 is active on h2'),
    at('Place db/0', 3_500, 0, 'db/0 goes to h2', { evidence: { kind: 'lease-over' } }),
    at('Stop', 3_500, 0, 'h1 cannot be running db/0', { evidence: 'lease-over' }),
    at('Close', 4_000, 0, 'Recovered'),
  ];
  return { run: run(more), steps: steps.map((step, n) => ({ n: n + 1, ...step })) };
}
