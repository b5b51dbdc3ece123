/** Examples of the OpenAPI document; a test holds each to its schema. */
import type {
  AppliedView,
  DoctorView,
  EventsView,
  HostVerbRequest,
  MoveRequest,
  MoveView,
  PlanView,
  ProblemView,
  RunStoryView,
  RunsView,
  RunView,
  SimulateRequest,
  SimulateView,
  StatusView,
  SwitchRequest,
  WhyView,
} from '../../core/protocol/views.ts';

const OPENED = 1_790_000_000_000;
const SESSION = '3f6c1f0e-6a0b-4a55-9d5e-0c0f6f0b9a11';

const run: RunView = {
  run: `ha.h1.${SESSION}.42`,
  work: 'HA',
  host: 'h1',
  group: null,
  slot: null,
  phase: 'Done',
  outcome: 'Recovered',
  summary: 'h1 failed: db/0 runs on h2',
  openedAtMs: OPENED,
  closedAtMs: OPENED + 21_000,
  boundMs: 45_000,
};

export const runs: RunsView = { runs: [run], next: null };

export const runStory: RunStoryView = {
  run,
  steps: [
    {
      n: 1,
      step: 'Open',
      atMs: OPENED,
      tookMs: 12,
      says: 'h1 is behind on its heartbeats; it owns db/0',
      facts: { slots: [{ group: 'db', slot: 0 }] },
    },
  ],
};

export const events: EventsView = {
  events: [
    {
      id: '01790000021000-5d1f7a90',
      atMs: OPENED + 21_000,
      kind: 'slot.active',
      subject: 'db/0',
      says: 'db/0 is active on h2 as epoch 8',
      run: run.run,
      by: 'ha-run',
    },
  ],
  next: null,
};

const bound = { recoveryMs: 45_000, outageMs: 14_000 };

export const status: StatusView = {
  cluster: 'shop',
  rev: 4,
  haEnabled: true,
  atMs: OPENED + 60_000,
  hosts: [
    {
      name: 'h2',
      status: 'Up',
      why: 'it renews its lease',
      admin: 'enabled',
      adminReason: '',
      zone: 'eu-central-1b',
      labels: { disk: 'nvme' },
      machine: 'i-0123456789abcdef0',
      fencing: [['ec2'], ['lease']],
      session: SESSION,
      seq: 1_204,
      beatAgeMs: 900,
      guardLevel: 'watchdog',
      slots: [{ group: 'db', slot: 0, epoch: 8, phase: 'Active' }],
      claimRun: null,
    },
  ],
  groups: [
    {
      name: 'db',
      model: 'n-plus-m',
      priority: 100,
      health: 'warn',
      covered: true,
      slots: [
        {
          slot: 0,
          owner: 'h2',
          epoch: 8,
          phase: 'Active',
          why: 'the owner reports it active',
          evidenceKind: 'lease-over',
          candidates: ['h2'],
        },
      ],
      standbys: [],
    },
  ],
  runs: [],
  bound,
};

export const definitionYaml = `apiVersion: holdfast/v1
cluster: shop
timing: { profile: standard }
hosts:
  - { name: h1, instanceId: i-0123456789abcdef0 }
  - { name: h2, instanceId: i-0fedcba9876543210 }
groups:
  - name: db
    redundancy: { model: n-plus-m, active: 1, standby: 1 }
    services:
      - { name: postgres, agent: 'systemd:postgresql.service' }
`;

export const applied: AppliedView = { rev: 5, changed: true, warnings: [], diff: ['groups.db.priority: 100 → 200'] };

export const move: MoveRequest = { slot: 0, to: 'h2', dryRun: true };
export const moved: MoveView = { run: null, plan: ['db/0 runs on h1 (epoch 7, Active)'] };

export const hostVerb: HostVerbRequest = { reason: 'new disk', dryRun: true };
export const plan: PlanView = {
  plan: ['h1 becomes maintenance (new disk); it is enabled now', 'db/0 moves to h2: it is released here first'],
  objections: [],
  runs: [],
};

export const haSwitch: SwitchRequest = { haEnabled: false, reason: 'network work tonight', dryRun: true };

export const simulate: SimulateRequest = { changes: [{ change: 'host-down', host: 'h1' }] };
export const simulated: SimulateView = {
  says: ['1 slot would move'],
  slots: [{ group: 'db', slot: 0, from: 'h1', to: 'h2', why: 'h2 stands by' }],
  unchanged: 3,
  health: [{ group: 'db', before: 'ok', after: 'warn' }],
  bound,
};

export const why: WhyView = {
  group: 'db',
  slot: 0,
  owner: 'h1',
  hosts: [
    { host: 'h1', verdict: 'owner', why: 'it runs the slot', change: null, scores: null },
    { host: 'h2', verdict: 'next', why: 'it stands by', change: null, scores: { standby: 1 } },
  ],
};

export const doctor: DoctorView = {
  checks: [
    {
      id: 'sole-candidate',
      verdict: 'warn',
      subject: 'db',
      says: 'only h2 could take over db/0',
      change: 'add a host that may run db',
    },
  ],
};

export const problem: ProblemView = {
  type: 'urn:holdfast:config_invalid',
  title: 'config invalid',
  status: 400,
  detail: 'limit: must be a whole number from 1 to 1000, got 0',
  code: 'config_invalid',
  problems: [{ path: 'limit', got: '0', change: 'must be a whole number from 1 to 1000' }],
};

export const stream = `event: status
data: {"cluster":"shop","rev":4,"haEnabled":true,"atMs":1790000060000,"hosts":[],"groups":[],"runs":[],"bound":{"recoveryMs":45000,"outageMs":14000}}

`;
