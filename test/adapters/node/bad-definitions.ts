/** Every way to write a definition wrongly that an operator should be told about, with its line and the text. */

/** Line numbers in the tables below are those of this text. */
export const BASE = `apiVersion: holdfast/v1
cluster: c1
timing: { profile: fast }
hosts:
  - name: h1
    instanceId: i-00000000000000001
    labels: { disk: ssd }
  - name: h2
    certificateName: h2.example
    labels: { disk: hdd }
groups:
  - name: db
    redundancy: { model: n-plus-m, active: 1, standby: 1 }
    placement: { prefer: [ { host: h1 } ] }
    services:
      - name: store
        agent: exec
        params: { command: run-store }
      - name: api
        agent: "ocf:heartbeat:Dummy"
        dependsOn: [store]
  - name: web
    redundancy: { model: n, active: 2 }
    services:
      - name: web
        agent: systemd:web
`;

/** The base text with one line replaced (by any number of lines). */
export function withLine(line: number, text: string): string {
  return BASE.split('\n')
    .toSpliced(line - 1, 1, text)
    .join('\n');
}

export type Row = readonly [edited: number, text: string, expectedLine: number, expected: string];

export const SHAPE: readonly Row[] = [
  [1, '', 2, 'got nothing; must be holdfast/v1'],
  [1, 'apiVersion: holdfast/v2', 1, 'got "holdfast/v2"; must be holdfast/v1'],
  [2, 'cluster: C1', 2, 'got "C1"; must be a name of a-z, 0-9 and inner dashes, at most 30'],
  [2, 'cluster: [c1]', 2, 'got a list of 1; must be a name'],
  [
    2,
    'cluster: c1\nowner: me',
    3,
    'unknown key "owner"; remove it; known here: apiVersion, cluster, timing, hosts, groups',
  ],
  [3, 'timing: fast', 3, 'got "fast"; must be a mapping of: profile'],
  [3, 'timing: { profile: quick }', 3, 'got "quick"; must be one of: fast, standard, conservative, demo'],
  [3, 'timing: { profile: fast, ttl: 5s }', 3, 'timing.ttl: got unknown key "ttl"'],
  [3, 'timing: { profile: fast, takerWait: 12 }', 3, 'timing.takerWait: got 12; must be a duration with a unit'],
  [3, 'timing: { profile: fast, takerWait: -12s }', 3, 'must be a duration with a unit'],
  [3, 'timing: { profile: fast, takerWait: 12.0001s }', 3, 'must be a duration with a unit'],
  [3, 'timing: { profile: fast, lostRenewals: "2" }', 3, 'timing.lostRenewals: got "2"; must be a number'],
  [4, 'hosts: []\nother:', 4, 'got an empty list; must have at least one host'],
  [5, '  - name: h_1', 5, 'hosts[0].name: got "h_1"'],
  [5, `  - name: ${'h'.repeat(28)}`, 5, 'at most 27 characters'],
  [5, '  - name: 1', 5, 'hosts[0].name: got 1; must be a name'],
  [5, '  - name: -h1', 5, 'hosts[0].name: got "-h1"'],
  [6, '    instanceId: i-123', 6, 'got "i-123"; must be i- and 8 or 17 hex digits'],
  [6, '    instanceId: i-00000000000000001\n    role: db', 7, 'hosts[0].role: got unknown key "role"'],
  [7, '    labels: { disk: 5 }', 7, 'hosts[0].labels.disk: got 5; must be text'],
  [7, '    labels: { "a b": c }', 7, 'got key "a b"; must be text of letters'],
  [7, '    capacity: { cpu: 0 }', 7, 'hosts[0].capacity.cpu: got 0; must be a number above 0'],
  [
    7,
    '    paths: { a: 10.0.0.1, b: 10.0.0.2, c: 10.0.0.3, d: 10.0.0.4 }',
    7,
    'got a mapping; must be a mapping of path names to addresses, at most 3',
  ],
  [7, '    paths: { a: "10.0.0.1/24" }', 7, 'hosts[0].paths.a: got "10.0.0.1/24"; must be an address'],
  [7, '    fencing: [ [ pdu ] ]', 7, 'hosts[0].fencing[0][0]: got "pdu"; must be one of: ec2, lease'],
  [7, '    fencing: []', 7, 'got an empty list; must have at least one level'],
  [7, '    fencing: [ [] ]', 7, 'must name at least one fence'],
  [7, '    fencing: lease', 7, 'hosts[0].fencing: got "lease"; must be a list of levels'],
  [12, `  - name: ${'g'.repeat(25)}`, 12, 'at most 24 characters'],
  [13, '    redundancy: { model: 2n, active: 1 }', 13, 'got "2n"; must be n-plus-m or n'],
  [
    13,
    '    redundancy: { model: n-plus-m }',
    13,
    'redundancy.active: got nothing; must be a whole number from 1 to 500',
  ],
  [13, '    redundancy: { model: n-plus-m, active: 0 }', 13, 'got 0; must be a whole number from 1'],
  [13, '    redundancy: { model: n-plus-m, active: 1.5 }', 13, 'got 1.5; must be a whole number'],
  [13, '    redundancy: { model: n-plus-m, active: 1, standby: -1 }', 13, 'got -1; must be a whole number from 0'],
  [
    13,
    '    redundancy: { model: n-plus-m, active: 1, exclusive: true }',
    13,
    'unknown key "exclusive"; remove it; known here: model, active, standby',
  ],
  [14, '    failback: sometimes', 14, 'must be never, auto, or { window: "Sun 02:00-04:00" }'],
  [14, '    failback: { window: "Sun 25:00-26:00" }', 14, 'failback.window: got "Sun 25:00-26:00"; must be a window'],
  [14, '    priority: -1', 14, 'priority: got -1; must be a whole number from 0 to 1000'],
  [
    14,
    '    limits: { window: 0s }',
    14,
    'limits.window: got "0s"; must be a duration with a unit (500ms, 5s, 2m, 1h) from 1ms',
  ],
  [
    14,
    '    limits: { movesPerWindow: many }',
    14,
    'limits.movesPerWindow: got "many"; must be a whole number from 1 to 100',
  ],
  [14, '    onControlPlaneLoss: panic', 14, 'got "panic"; must be one of: failsafe, stop'],
  [14, '    accepts: [ stopping ]', 14, 'accepts[0]: got "stopping"; must be one of: lease-over, power-off, witnessed'],
  [14, '    haTag: ssd', 14, 'unknown key "haTag"'],
  [15, '    services: []\n    x:', 15, 'must have at least one service'],
  [16, `      - name: ${'s'.repeat(32)}`, 16, 'at most 31 characters'],
  [17, '        agent: bash', 17, 'got "bash"; must be ocf:PROVIDER:TYPE, lsb:NAME, systemd:UNIT, exec or driver:NAME'],
  [17, '        agent: "ocf:heartbeat"', 17, 'must be ocf:PROVIDER:TYPE'],
  [17, '        agent: "lsb:../../bin/sh"', 17, 'must be ocf:PROVIDER:TYPE'],
  [18, '        params: { command: "a | b" }', 18, 'params.command: got "a | b"; must be a list of words'],
  [18, '        params: { command: "" }', 18, 'params.command: got ""; must be a list of words'],
  [18, '        params: {}', 18, 'params.command: got nothing; must be a list of words'],
  [
    18,
    '        params: { command: run, ports: [ a, b ] }',
    18,
    'params.ports: got a list of 2; must be text, a number',
  ],
  [18, '        params: { command: run, "9x": 1 }', 18, 'got key "9x"; must be a parameter name'],
  [
    18,
    '        params: { command: run }\n        monitor: { every: 5 }',
    19,
    'monitor.every: got 5; must be a duration',
  ],
  [
    18,
    '        params: { command: run }\n        monitor: { failures: 0 }',
    19,
    'got 0; must be a whole number from 1 to 10',
  ],
  [18, '        params: { command: run }\n        impact: fatal', 19, 'must be one of: none, minor, major, critical'],
  [
    18,
    '        params: { command: run }\n        actions: { start: { timeout: 25h } }',
    19,
    'got "25h"; must be a duration with a unit (500ms, 5s, 2m, 1h) from 1ms to 24h',
  ],
  [
    18,
    '        params: { command: run }\n        actions: { stop: { attempts: 11 } }',
    19,
    'got 11; must be a whole number from 1 to 10',
  ],
  [
    18,
    '        params: { command: run }\n        actions: { restart: {} }',
    19,
    'unknown key "restart"; remove it; known here: start, stop',
  ],
];

export const TIMING: readonly Row[] = [
  [3, 'timing: { profile: fast, renewCap: 20ms }', 3, 'got renewCap 20ms; must be at least 50ms'],
  [3, 'timing: { profile: fast, holderLease: 9s }', 3, 'got holderLease 9s; must be holderLease at least 9.6s'],
  [3, 'timing: { profile: fast, takerWait: 11s }', 3, 'got takerWait 11s; must be takerWait at least 11.522s'],
  [3, 'timing: { profile: fast, watchdog: 1400ms, guardPeriod: 500ms }', 3, 'must be watchdog at least 1.5s'],
  [
    3,
    'timing: { profile: fast, interval: 700ms }',
    3,
    'got renewCap 800ms, interval 700ms; must be renewCap below 770ms',
  ],
  [3, 'timing: { profile: fast, lostRenewals: 0 }', 3, 'got lostRenewals 0; must be a whole number from 1 to 100'],
  [
    3,
    'timing: { profile: fast, watchdog: 0ms }',
    3,
    'got watchdog 0ms; must be a whole number of milliseconds from 1ms',
  ],
  [3, 'timing: { profile: fast, freeze: 0ms }', 3, 'got freeze 0ms; must be above 0ms'],
  [3, 'timing: { profile: fast, behindAfter: 1.5 }', 3, 'got behindAfter 1.5 (1.5s); must be at least 1.9'],
  [3, 'timing: { profile: fast, behindAfter: 13 }', 3, 'got behindAfter 13 (13s); must be at most 12'],
  [3, 'timing: { profile: fast, jitter: 0.9 }', 3, 'got jitter 0.9; must be from 0 to 0.5'],
  [3, 'timing: { profile: fast, clockRateError: 0 }', 3, 'got clockRateError 0; must be above 0'],
  [3, 'timing:\n  profile: fast\n  takerWait: 10s', 5, 'must be takerWait at least 11.522s'],
];

export const NAMES: readonly Row[] = [
  [8, '  - name: h1', 8, 'got "h1" a second time; give each its own host name'],
  [9, '    instanceId: i-00000000000000001', 9, 'a second time; give each its own instanceId'],
  [9, '    zone: a', 8, 'without an identity; name either its instanceId'],
  [6, '    instanceId: i-00000000000000001\n    certificateName: h1', 7, 'a second identity beside instanceId'],
  [10, '    fencing: [ [ ec2 ] ]', 10, 'fence ec2 for host "h2" without instanceId'],
  [22, '  - name: db', 22, '"db" a second time; give each its own group name'],
  [19, '      - name: store', 19, '"store" a second time; give each its own service name'],
  [21, '        dependsOn: [disk]', 21, 'unknown service "disk"; name a service of group db: store, api'],
  [21, '        dependsOn: [api]', 21, 'got the cycle api → api; remove one'],
  [18, '        params: { command: run }\n        dependsOn: [api]', 22, 'got the cycle store → api → store'],
  [14, '    placement: { prefer: [ { host: h9 } ] }', 14, 'unknown host "h9"; name one of the hosts: h1, h2'],
  [
    14,
    '    placement: { prefer: [ { host: h1 }, { host: h1 } ] }',
    14,
    '"h1" a second time; give each its own weight per host',
  ],
  [14, '    placement: { together: [ vip ] }', 14, 'unknown group "vip"; name one of the groups: db, web'],
  [14, '    placement: { apart: [ vip ] }', 14, 'unknown group "vip"'],
  [14, '    placement: { apart: [ db ] }', 14, 'got "db", the group itself; remove it'],
  [14, '    placement: { together: [ web ] }', 14, 'got 1 active places together with web, which has 2'],
  [
    14,
    '    placement: { apart: [ web ] }',
    14,
    'got 1 + 2 active places apart from web on 2 hosts; add hosts (3 are needed)',
  ],
  [
    14,
    '    placement: { together: [ web ], apart: [ web ] }',
    14,
    'apart from "web", which it must also be together with',
  ],
  [
    13,
    '    redundancy: { model: n-plus-m, active: 2, standby: 1 }',
    13,
    '2 active + 1 standby = 3 places, and 2 hosts (h1, h2); ask for at most 2',
  ],
  [
    14,
    '    placement: { require: { disk: ssd } }',
    13,
    '2 places, and 1 hosts with disk=ssd (h1); ask for at most 1 places, or add hosts with disk=ssd',
  ],
  [20, '        agent: systemd:web', 26, 'got systemd:web, which db/api has already'],
];

export const YAML: readonly Row[] = [
  [2, 'cluster: c1\ncluster: c2', 3, 'key "cluster" a second time; write every key once'],
  [7, '    labels: { disk: ssd, disk: hdd }', 7, 'key "disk" a second time'],
  [7, '    labels: { __proto__: x }', 7, 'key "__proto__"; write every key once, as plain text'],
  [7, '    ? [a, b]\n    : c', 7, 'a key that is not text'],
  [2, 'cluster: !secret c1', 2, 'remove the tag'],
  [2, 'cluster: !!js/function "x"', 2, 'remove the tag'],
  [2, "cluster: 'c1", 27, 'invalid YAML: Missing closing'],
  [2, '\tcluster: c1', 2, 'invalid YAML: Tabs are not allowed'],
  [2, 'cluster: @c1', 2, 'invalid YAML'],
  [7, '    labels: *none', 7, 'Unresolved alias'],
];
