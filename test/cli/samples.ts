/** Views as the API would serve them in the middle of a failover. */
import type { HostView, RunStoryView, RunView, StatusView } from '../../core/protocol/views.ts';

export const RUN = 'ha.h1.4b0c6a52-6d0f-4a5f-9d0b-0f3b0a5a9e11.412';

export const OPEN_RUN: RunView = {
  run: RUN,
  work: 'HA',
  host: 'h1',
  group: null,
  slot: null,
  phase: 'Investigating',
  outcome: null,
  summary: 'h1 fell silent; its lease runs out in 1.2 s',
  openedAtMs: 997_800,
  closedAtMs: null,
  boundMs: 8854,
};

const PLAIN: Pick<HostView, 'adminReason' | 'zone' | 'labels' | 'machine' | 'fencing'> = {
  adminReason: '',
  zone: null,
  labels: {},
  machine: null,
  fencing: [['lease']],
};

export const STATUS: StatusView = {
  cluster: 'demo',
  rev: 4,
  haEnabled: true,
  atMs: 1_000_000,
  hosts: [
    {
      ...PLAIN,
      name: 'h1',
      status: 'Investigating',
      why: 'no beat since 412',
      admin: 'enabled',
      session: '4b0c6a52-6d0f-4a5f-9d0b-0f3b0a5a9e11',
      seq: 412,
      beatAgeMs: 2340,
      guardLevel: 'init',
      slots: [{ group: 'ledger', slot: 0, epoch: 3, phase: 'Active' }],
      claimRun: RUN,
    },
    {
      ...PLAIN,
      name: 'h2',
      status: 'Up',
      why: '',
      admin: 'enabled',
      session: 'a',
      seq: 90,
      beatAgeMs: 120,
      guardLevel: 'init',
      slots: [],
      claimRun: null,
    },
    {
      ...PLAIN,
      name: 'h3',
      status: 'Connecting',
      why: '',
      admin: 'maintenance',
      session: null,
      seq: null,
      beatAgeMs: null,
      guardLevel: null,
      slots: [],
      claimRun: null,
    },
  ],
  groups: [
    {
      name: 'ledger',
      model: 'n-plus-m',
      priority: 10,
      health: 'ok',
      covered: true,
      slots: [
        {
          slot: 0,
          owner: 'h1',
          epoch: 3,
          phase: 'Active',
          why: 'started',
          evidenceKind: null,
          candidates: ['h1', 'h2'],
        },
      ],
      standbys: ['h2'],
    },
    {
      name: 'broker',
      model: 'n-plus-m',
      priority: 20,
      health: 'degraded',
      covered: true,
      slots: [
        { slot: 0, owner: 'h2', epoch: 1, phase: 'Active', why: 'started', evidenceKind: null, candidates: ['h2'] },
        {
          slot: 1,
          owner: null,
          epoch: 7,
          phase: 'Held',
          why: 'no host is left that may take it: h3 is in maintenance and h2 runs slot 0 already',
          evidenceKind: 'lease-over',
          candidates: ['h2', 'h3'],
        },
      ],
      standbys: [],
    },
  ],
  runs: [OPEN_RUN],
  bound: { recoveryMs: 8854, outageMs: 1125 },
};

export const STORY: RunStoryView = {
  run: { ...OPEN_RUN, phase: 'Done', outcome: 'Recovered', summary: 'ledger/0 runs on h2', closedAtMs: 1_002_100 },
  steps: [
    {
      n: 1,
      step: 'Open',
      atMs: 997_800,
      tookMs: 12,
      says: 'h1 is claimed; it owns ledger/0',
      facts: { observedAtMs: 997_200 },
    },
    {
      n: 2,
      step: 'Ask peers',
      atMs: 997_850,
      tookMs: 340,
      says: 'no peer has heard h1 since 2.1 s',
      facts: { answer: 'unknown' },
    },
    {
      n: 3,
      step: 'Await proof',
      atMs: 998_200,
      tookMs: 1930,
      says: 'version 412 stood for 3.41 s, longer than the 3.40 s of its session; the session was revoked',
      facts: { evidence: { kind: 'lease-over', host: 'h1', because: 'version 412 stood for longer than its lease' } },
    },
  ],
};
