/** The table of the HTTP API. The router and the OpenAPI document are both made from it. */
import * as schemas from '../../core/protocol/view-schemas.ts';
import type { HostVerb } from '../../core/protocol/views.ts';
import { loadClusterRecord, loadDefinition } from '../shared/cluster.ts';
import { applyDefinition } from './apply.ts';
import { doctor } from './doctor.ts';
import { eventsPage } from './event-views.ts';
import * as examples from './examples.ts';
import { hostVerb } from './host-verb.ts';
import { moveSlot } from './move.ts';
import * as requests from './requests.ts';
import { type Route, route } from './route.ts';
import { runsPage, runStory } from './run-views.ts';
import { simulate } from './simulate.ts';
import { setSwitch } from './switch.ts';
import { statusView } from './views.ts';
import { clusterOf } from './which-cluster.ts';
import { why } from './why.ts';

const JSON_TYPE = 'application/json' as const;
const YAML_TYPES = ['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml', 'text/plain', JSON_TYPE];
const { cluster } = requests;

const STATE: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/v1/status',
    id: 'getStatus',
    tag: 'state',
    summary: 'The cluster as it stands',
    description: 'Hosts, groups with their slots, and open runs. `/api/v1/stream` sends the same whenever it changes.',
    params: {},
    query: { cluster },
    answer: {
      type: JSON_TYPE,
      name: 'StatusView',
      schema: schemas.statusView,
      about: 'the cluster',
      example: examples.status,
    },
    errors: [],
    run: async ({ ports, query }) => statusView(ports, await clusterOf(ports, query.cluster)),
  }),
  route({
    method: 'GET',
    path: '/api/v1/doctor',
    id: 'getDoctor',
    tag: 'state',
    summary: 'What would break a failover',
    description: 'Checks of what a failover would need, each with what to do about it. Reads the power of some hosts.',
    params: {},
    query: { cluster },
    answer: {
      type: JSON_TYPE,
      name: 'DoctorView',
      schema: schemas.doctorView,
      about: 'one verdict per check and subject',
      example: examples.doctor,
    },
    errors: ['power_refused', 'power_throttled'],
    run: async ({ ports, options, query }) =>
      doctor(ports, await clusterOf(ports, query.cluster), options.fenceFunction),
  }),
  route({
    method: 'GET',
    path: '/api/v1/runs',
    id: 'listRuns',
    tag: 'state',
    summary: 'Runs, newest first',
    description:
      'Every failover and every planned move is a run. A page stays what it was while new runs come: they precede it.',
    params: {},
    query: { cluster, limit: requests.limit, cursor: requests.cursor },
    answer: {
      type: JSON_TYPE,
      name: 'RunsView',
      schema: schemas.runsView,
      about: 'a page of runs',
      example: examples.runs,
    },
    errors: [],
    run: async ({ ports, query: { cluster: asked, limit, cursor } }) =>
      runsPage(ports, await clusterOf(ports, asked), { limit, cursor }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/runs/{run}',
    id: 'getRun',
    tag: 'state',
    summary: 'A run, step by step',
    description: 'What each step found and did, in plain words and as facts.',
    params: { run: requests.run },
    query: {},
    answer: {
      type: JSON_TYPE,
      name: 'RunStoryView',
      schema: schemas.runStoryView,
      about: 'the run and its steps',
      example: examples.runStory,
    },
    errors: [],
    run: ({ ports, path }) => runStory(ports, path.run),
  }),
  route({
    method: 'GET',
    path: '/api/v1/events',
    id: 'listEvents',
    tag: 'state',
    summary: 'Events, oldest first within a page',
    description:
      'The newest; with `after` the first that follow an event; with `cursor` those before a page. Kept in view for 14 days.',
    params: {},
    query: { cluster, limit: requests.limit, after: requests.after, cursor: requests.cursor },
    answer: {
      type: JSON_TYPE,
      name: 'EventsView',
      schema: schemas.eventsView,
      about: 'a page of events',
      example: examples.events,
    },
    errors: ['limit_exceeded'],
    run: async ({ ports, query: { cluster: asked, limit, after, cursor } }) =>
      eventsPage(ports, await clusterOf(ports, asked), { limit, after, cursor }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/groups/{group}/slots/{slot}/why',
    id: 'getWhy',
    tag: 'what-if',
    summary: 'Where a slot could run, and why not elsewhere',
    description: 'Every host with its verdict; for one that cannot, what would change the answer.',
    params: { group: requests.group, slot: requests.slot },
    query: { cluster },
    answer: {
      type: JSON_TYPE,
      name: 'WhyView',
      schema: schemas.whyView,
      about: 'one verdict per host',
      example: examples.why,
    },
    errors: [],
    run: async ({ ports, query, path }) => why(ports, await clusterOf(ports, query.cluster), path.group, path.slot),
  }),
];

const PLAN_ANSWER = {
  type: JSON_TYPE,
  name: 'PlanView',
  schema: schemas.planView,
  about: 'what is done, what advises against it, and the runs that were started',
  example: examples.plan,
};

const VERBS: Readonly<Record<HostVerb, { readonly summary: string; readonly description: string }>> = {
  enable: {
    summary: 'Take a host back into service',
    description: 'Ends `disable`, `maintenance` and `drain`. A locked host is unlocked instead.',
  },
  disable: {
    summary: 'Place nothing new on a host',
    description: 'What runs there stays. Needs a reason.',
  },
  lock: {
    summary: 'Lock a host',
    description:
      'What runs there moves away, and only `unlock` ends it. Needs a reason. Refused while the host is the only one for a slot, or the last standby of a group, unless forced; then a slot without another place stays until there is one.',
  },
  unlock: { summary: 'Unlock a host', description: 'It may be chosen for slots and as a standby again.' },
  maintenance: {
    summary: 'Put a host into maintenance',
    description:
      'Nothing new is placed there, and what runs moves away. Needs a reason. Refused while it is the only one for a slot, unless forced; the slot then stays until there is another place.',
  },
  drain: {
    summary: 'Move everything away from a host',
    description:
      'As `maintenance`, without a reason: few slots at a time and one of each group, driven from the records, so that it goes on whatever becomes of the caller. The host ends in maintenance.',
  },
  fence: {
    summary: 'Power a host off',
    description:
      '`confirm` must be the name of the host. Its slots are started elsewhere once its power was read as off, twice. Refused while it is the only one for a slot, unless forced.',
  },
};

function verbRoute(verb: HostVerb): Route {
  const about = VERBS[verb];
  return route({
    method: 'POST',
    path: `/api/v1/hosts/{host}/${verb}`,
    id: `${verb}Host`,
    tag: 'hosts',
    ...about,
    params: { host: requests.host },
    query: { cluster },
    body: {
      kind: 'json',
      schema: requests.HostVerbBody,
      name: 'HostVerbRequest',
      isOptional: true,
      example: examples.hostVerb,
    },
    answer: PLAN_ANSWER,
    errors: ['conflict', ...(verb === 'fence' ? (['power_refused', 'power_throttled'] as const) : [])],
    run: async ({ ports, query, path, body, by }) =>
      hostVerb(ports, { cluster: await clusterOf(ports, query.cluster), host: path.host, verb, request: body, by }),
  });
}

const CHANGES: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/v1/definition',
    id: 'getDefinition',
    tag: 'definition',
    summary: 'The definition in force',
    description: 'As it was validated: every default filled in, times in milliseconds.',
    params: {},
    query: { cluster },
    answer: {
      type: JSON_TYPE,
      name: 'DefinitionView',
      schema: schemas.definitionView,
      about: 'the definition and its revision',
    },
    errors: [],
    run: async ({ ports, query }) => {
      const record = await loadClusterRecord(ports, await clusterOf(ports, query.cluster));
      const definition = await loadDefinition(ports, record.cluster, record.rev, record.incarnation);
      return { rev: record.rev, definition };
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/definition',
    id: 'applyDefinition',
    tag: 'definition',
    summary: 'Apply a definition',
    description:
      'Validated whole, then put in force in one write; or refused whole, with every problem, its place and the change to make. It names its cluster itself.',
    params: {},
    query: { dryRun: requests.dryRun },
    body: {
      kind: 'bytes',
      read: (bytes) => bytes,
      types: YAML_TYPES,
      about: 'the definition as YAML; its form is docs/definition.schema.json',
      example: examples.definitionYaml,
    },
    answer: {
      type: JSON_TYPE,
      name: 'AppliedView',
      schema: schemas.appliedView,
      about: 'the revision, and what changed',
      example: examples.applied,
    },
    errors: ['conflict', 'limit_exceeded'],
    run: ({ ports, options, query, body, by }) =>
      applyDefinition(ports, body, { dryRun: requests.isOn(query.dryRun), account: options.account, by }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/groups/{group}/move',
    id: 'moveSlot',
    tag: 'groups',
    summary: 'Move a slot to another host',
    description: 'Released where it runs first; if that takes too long the move is cancelled, and it stays there.',
    params: { group: requests.group },
    query: { cluster },
    body: {
      kind: 'json',
      schema: requests.MoveBody,
      name: 'MoveRequest',
      isOptional: false,
      example: examples.move,
    },
    answer: {
      type: JSON_TYPE,
      name: 'MoveView',
      schema: schemas.moveView,
      about: 'the run, and its plan in words',
      example: examples.moved,
    },
    errors: ['conflict', 'no_host', 'limit_exceeded'],
    run: async ({ ports, query, path, body: { slot, to, dryRun }, by }) =>
      moveSlot(ports, {
        cluster: await clusterOf(ports, query.cluster),
        group: path.group,
        slot,
        to: to ?? null,
        dryRun: dryRun ?? false,
        by,
      }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/switch',
    id: 'setSwitch',
    tag: 'state',
    summary: 'The kill switch of the cluster',
    description: 'Off, nothing is started, moved or fenced automatically. Leases and guards go on as ever.',
    params: {},
    query: { cluster },
    body: {
      kind: 'json',
      schema: requests.SwitchBody,
      name: 'SwitchRequest',
      isOptional: false,
      example: examples.haSwitch,
    },
    answer: PLAN_ANSWER,
    errors: ['conflict', 'limit_exceeded'],
    run: async ({ ports, query, body, by }) =>
      setSwitch(ports, { cluster: await clusterOf(ports, query.cluster), request: body, by }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/simulate',
    id: 'simulate',
    tag: 'what-if',
    summary: 'What would happen if',
    description:
      'Applies changes to a copy of the state as it is now, and says where slots would go. Nothing is changed.',
    isQuestion: true,
    params: {},
    query: { cluster },
    body: {
      kind: 'json',
      schema: requests.SimulateBody,
      name: 'SimulateRequest',
      isOptional: false,
      example: examples.simulate,
    },
    answer: {
      type: JSON_TYPE,
      name: 'SimulateView',
      schema: schemas.simulateView,
      about: 'slots whose owner would change, and the health of their groups',
      example: examples.simulated,
    },
    errors: ['conflict', 'limit_exceeded'],
    run: async ({ ports, query, body }) => simulate(ports, await clusterOf(ports, query.cluster), body),
  }),
];

const VERB_NAMES = ['enable', 'disable', 'lock', 'unlock', 'maintenance', 'drain', 'fence'] as const;

export const ROUTES: readonly Route[] = [...STATE, ...CHANGES, ...VERB_NAMES.map(verbRoute)];
