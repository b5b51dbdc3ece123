/**
 * The definition as it is written: strict zod schemas, one per topic, with every default. Names that point at each
 * other and places that must exist are checked in `references.ts` and `placement-checks.ts`.
 */
import * as z from 'zod';
import { DEFINITION_LIMITS as LIMITS } from './limits.ts';
import {
  agent,
  certificateName,
  clusterName,
  duration,
  flag,
  groupName,
  hostName,
  label,
  labels,
  list,
  name,
  oneOf,
  serviceName,
  strict,
  table,
  whole,
  word,
} from './schema-parts.ts';

/** Zero is let through where a rule (V8, V9) has more to say about it than a range. */
const knob = (what: string) => duration({ least: 0 }).optional().describe(what);
const number = (what: string) => z.number({ error: 'must be a number' }).optional().describe(what);

export const TimingSchema = strict({
  profile: oneOf(['fast', 'standard', 'conservative', 'demo'])
    .default('standard')
    .describe('what the rest differs from'),
  interval: knob('I: how often a lease is renewed; shorter finds failures sooner and costs more writes'),
  jitter: number('J: random share added to interval'),
  renewCap: knob('r: hard cap of one renewal'),
  lostRenewals: number('k: lost renewals that change nothing'),
  guardPeriod: knob('p: how often the guard checks its deadline'),
  watchdog: knob('w: watchdog time-out; longer tolerates pauses and lengthens every lease by twice as much'),
  cleanStop: knob('s: longest clean stop; what takes longer is killed'),
  kill: knob('b: from kill or watchdog to dead'),
  writeLife: knob('m: longest life of a write already sent'),
  freeze: knob('F: longest freeze of a whole machine'),
  clockRateError: number('ρ: how far a clock may run wrong'),
  wallGap: knob('ε: gap of two control-plane clocks'),
  holderLease: knob('L_h: lease as the holder counts; longer survives longer outages and delays takeover'),
  takerWait: knob('L_c: wait as the taker counts; the floor of a takeover without a power fence'),
  sweepPeriod: knob('period of find-behind; default interval'),
  behindAfter: number('a host is behind after this many intervals'),
}).transform((t) => ({
  profile: t.profile,
  intervalMs: t.interval,
  jitter: t.jitter,
  renewCapMs: t.renewCap,
  lostRenewals: t.lostRenewals,
  guardPeriodMs: t.guardPeriod,
  watchdogMs: t.watchdog,
  cleanStopMs: t.cleanStop,
  killMs: t.kill,
  writeLifeMs: t.writeLife,
  freezeMs: t.freeze,
  clockRateError: t.clockRateError,
  wallGapMs: t.wallGap,
  holderLeaseMs: t.holderLease,
  takerWaitMs: t.takerWait,
  sweepPeriodMs: t.sweepPeriod,
  behindAfter: t.behindAfter,
}));

const instanceId = word(/^i-(?:[0-9a-f]{8}|[0-9a-f]{17})$/, 19, 'must be i- and 8 or 17 hex digits');
const address = word(
  /^[A-Za-z0-9.:_-]+$/,
  253,
  'must be an address or a host name, in quotes if YAML reads it otherwise',
);
const positive = z.number({ error: 'must be a number above 0' }).positive({ error: 'must be a number above 0' });
const amounts = strict({ cpu: positive.optional(), memoryMb: positive.optional() });
const fenceLevel = list(oneOf(['ec2', 'lease']), 2, 'fences (ec2, lease)').min(1, {
  error: 'must name at least one fence (ec2, lease)',
});

const HostSchema = strict({
  name: hostName,
  instanceId: instanceId.optional().describe('EC2 instance; or certificateName'),
  certificateName: certificateName.optional().describe('identity of a host that is not an EC2 instance'),
  zone: label.optional(),
  labels: labels.default({}),
  capacity: amounts.optional().describe('what the services of one host may need together'),
  paths: table(label, address, LIMITS.pathsPerHost, 'path names to addresses').default({}),
  fencing: list(fenceLevel, 4, 'levels, each a list of fences')
    .min(1, { error: 'must have at least one level, as in [[lease]]' })
    .default([['lease']])
    .describe('levels in order; all fences of a level must succeed'),
});

const paramKey = word(
  /^[A-Za-z][A-Za-z0-9_.-]*$/,
  64,
  'must be a parameter name: a letter, then letters, digits, _ . -',
);
const paramText = 'must be text, a number, or true or false';
const param = z
  .union([z.string(), z.number(), z.boolean(), z.array(z.string())], { error: paramText })
  .refine((value) => String(value).length <= 4096, { error: 'must be at most 4096 characters' });

/** Without a shell these would reach the program as they stand, which nobody who writes them means. */
const SHELL = /["'`$|&;<>\\*?(){}\n\r]/;

type Param = string | number | boolean | string[];

function argv(value: Param): string[] | undefined {
  if (Array.isArray(value)) return value;
  return typeof value === 'string' && !SHELL.test(value) ? value.split(' ').filter((part) => part !== '') : undefined;
}

const actions = strict({
  start: strict({ timeout: duration().default(20_000), attempts: whole(1, 10).default(2) }).prefault({}),
  stop: strict({ timeout: duration().default(20_000), attempts: whole(1, 10).default(1) }).prefault({}),
}).transform(({ start, stop }) => ({
  start: { timeoutMs: start.timeout, attempts: start.attempts },
  stop: { timeoutMs: stop.timeout, attempts: stop.attempts },
}));

const monitor = strict({
  every: duration().default(5000),
  timeout: duration().default(10_000),
  failures: whole(1, 10).default(1).describe('failed checks in a row before the service counts as failed'),
}).transform((m) => ({ everyMs: m.every, timeoutMs: m.timeout, failures: m.failures }));

const ServiceSchema = strict({
  name: serviceName,
  agent: agent.describe('ocf:PROVIDER:TYPE, lsb:NAME, systemd:UNIT, exec or driver:NAME'),
  params: table(paramKey, param, LIMITS.paramsPerService, 'parameters').default({}),
  dependsOn: list(serviceName, LIMITS.servicesPerGroup, 'services of this group').default([]),
  monitor: monitor.prefault({}).describe('of an exec service: is its process alive'),
  impact: oneOf(['none', 'minor', 'major', 'critical']).default('critical'),
  needs: amounts.optional().describe("what it takes of its host's capacity"),
  actions: actions.prefault({}),
}).transform((service, ctx) => {
  const { command: given, ...others } = service.params;
  const isExec = service.agent.kind === 'exec';
  const must = 'must be a list of words, or words with spaces between (no shell reads it; quote nothing)';
  const command = isExec && given !== undefined ? argv(given) : [];
  const kept = isExec || given === undefined ? others : service.params;
  if (isExec && (command === undefined || command.length === 0 || command.length > LIMITS.commandWords)) {
    ctx.addIssue({ code: 'custom', path: ['params', 'command'], message: must });
  }
  for (const [key, value] of Object.entries(kept)) {
    if (Array.isArray(value)) ctx.addIssue({ code: 'custom', path: ['params', key], message: paramText });
  }
  const params = Object.fromEntries(Object.entries(kept).map(([key, value]) => [key, String(value)]));
  return { ...service, params, command: command ?? [] };
});

const redundancy = z.discriminatedUnion(
  'model',
  [
    strict({
      model: z.literal('n-plus-m'),
      active: whole(1, LIMITS.places),
      standby: whole(0, LIMITS.places).default(1),
    }),
    strict({
      model: z.literal('n'),
      active: whole(1, LIMITS.places),
      exclusive: flag().default(false).describe('true: two copies of one slot would do harm'),
    }),
  ],
  { error: 'must have model n-plus-m (active, standby) or n (active, exclusive)' },
);

const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const TIME = '(?:[01]\\d|2[0-3]):[0-5]\\d';
const failback = z.union(
  [
    z.enum(['never', 'auto']),
    strict({
      window: word(
        new RegExp(`^(?:${DAY} )?${TIME}-${TIME}$`),
        15,
        'must be a window, as in "Sun 02:00-04:00" or "02:00-04:00"',
      ),
    }),
  ],
  { error: 'must be never, auto, or { window: "Sun 02:00-04:00" }' },
);

const WISHES = ['host', 'labels', 'apart', 'together'] as const;

const preference = strict({
  host: hostName.optional().describe('this host'),
  labels: labels.optional().describe('hosts that carry all of these'),
  apart: groupName.optional().describe('hosts without a slot of this group'),
  together: groupName.optional().describe('hosts with a slot of this group'),
  weight: whole(-1000, 1000).default(100),
}).refine((wish) => WISHES.filter((key) => wish[key] !== undefined).length === 1, {
  error: 'must have exactly one of host, labels, apart, together (and a weight)',
});

const tag = word(
  /^[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?=[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?$/,
  127,
  'must be a label as key=value',
);

const placement = strict({
  require: labels.default({}).describe('labels a host must have'),
  prefer: list(preference, 100, 'wishes with weights').default([]).describe('the weights that fit a host are added up'),
  spread: label.optional().describe('zone, or the label whose values slots are spread over'),
  together: list(groupName, 100, 'groups').default([]).describe('on the same host as these groups'),
  apart: list(groupName, 100, 'groups').default([]).describe('never on a host with these groups'),
  haTag: tag.optional().describe('key=value: label a host must have to take over after a failure, if any host has it'),
  overcommit: flag()
    .optional()
    .describe('true: after a failure, rather beyond the stated capacity of a host than nowhere'),
});

const limits = strict({
  restartsPerWindow: whole(0, 100).default(2),
  window: duration().default(90_000),
  movesPerWindow: whole(1, 100).default(3),
  movesWindow: duration().default(3_600_000),
}).transform((l) => ({
  restartsPerWindow: l.restartsPerWindow,
  windowMs: l.window,
  movesPerWindow: l.movesPerWindow,
  movesWindowMs: l.movesWindow,
}));

const probeAddress = word(
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}$/,
  270,
  'must be ADDRESS:PORT, as in 10.0.1.100:5432',
).transform((text, ctx) => {
  const at = text.lastIndexOf(':');
  const port = Number(text.slice(at + 1));
  if (port >= 1 && port <= 65_535)
    return { kind: 'tcp' as const, address: text.slice(0, at).replace(/^\[|\]$/g, ''), port };
  ctx.addIssue({ code: 'custom', message: 'must have a port from 1 to 65535' });
  return z.NEVER;
});

const probeUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' })
  .max(500, { error: 'must be at most 500 characters' })
  .transform((url) => ({ kind: 'http' as const, url }));

const probe = z
  .union([strict({ tcp: probeAddress }), strict({ http: probeUrl })], {
    error: 'must be { tcp: "ADDRESS:PORT" } or { http: "URL" }',
  })
  .transform((given) => ('tcp' in given ? given.tcp : given.http));

const GroupSchema = strict({
  name: groupName,
  domain: name(30).default('default'),
  redundancy,
  placement: placement.prefault({}),
  failback: failback.default('never'),
  priority: whole(0, 1000).default(100).describe('lower goes first'),
  limits: limits.prefault({}),
  onControlPlaneLoss: oneOf(['failsafe', 'stop']).default('failsafe'),
  accepts: list(oneOf(['lease-over', 'power-off', 'witnessed']), 3, 'kinds of evidence')
    .optional()
    .describe('evidence beyond released, closed and successor; default: what the fencing of its hosts yields'),
  probe: probe.optional().describe('where its users reach it; asked when its host falls silent, never evidence'),
  checksEpoch: flag().optional().describe('true: what it writes to refuses old epochs (HOLDFAST_EPOCH)'),
  services: list(ServiceSchema, LIMITS.servicesPerGroup, 'services').min(1, {
    error: 'must have at least one service',
  }),
});

export const DefinitionSchema = strict({
  apiVersion: z.literal('holdfast/v1', { error: 'must be holdfast/v1' }),
  cluster: clusterName,
  timing: TimingSchema.prefault({}),
  hosts: list(HostSchema, LIMITS.hosts, 'hosts').min(1, { error: 'must have at least one host' }),
  groups: list(GroupSchema, LIMITS.groups, 'groups').default([]),
});

/** What the schema lets through: every default filled in, names not yet checked against each other. */
export type WrittenDefinition = z.output<typeof DefinitionSchema>;
export type WrittenGroup = WrittenDefinition['groups'][number];
export type WrittenHost = WrittenDefinition['hosts'][number];

/** JSON Schema (draft 2020-12) of what may be written, for editors. */
export function definitionJsonSchema(): object {
  return z.toJSONSchema(DefinitionSchema, { io: 'input', target: 'draft-2020-12' });
}
