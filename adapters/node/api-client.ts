/** The operators' client of the HTTP API. Every fault is an HaError with the code that the API named. */
import * as z from 'zod';
import type { Problem } from '../../core/config/problem.ts';
import * as schemas from '../../core/protocol/view-schemas.ts';
import type {
  AppliedView,
  DefinitionView,
  DoctorView,
  EventsView,
  HostVerb,
  HostVerbRequest,
  MoveRequest,
  MoveView,
  PlanView,
  RunStoryView,
  RunsView,
  SimulateRequest,
  SimulateView,
  StatusView,
  StreamMessage,
  SwitchRequest,
  WhyView,
} from '../../core/protocol/views.ts';
import { ofCluster } from './api-cluster.ts';
import { type ApiAddress, type ApiAnswer, type ApiRequest, parsed, send, succeeded } from './api-request.ts';
import { openApiStream } from './api-stream.ts';

export type { ApiAddress } from './api-request.ts';

export type ApplyAnswer =
  | ({ readonly outcome: 'accepted' } & AppliedView)
  | { readonly outcome: 'refused'; readonly detail: string; readonly problems: readonly Problem[] };

export interface RunsRequest {
  readonly limit?: number | undefined;
  /** `next` of the page before. */
  readonly cursor?: string | undefined;
}

export interface EventsRequest {
  readonly limit?: number | undefined;
  /** Id of an event: those that follow it. Not together with `cursor`. */
  readonly after?: string | undefined;
  /** `next` of the page before: those that are older. */
  readonly cursor?: string | undefined;
}

export interface ApiClient {
  status(): Promise<StatusView>;
  definition(): Promise<DefinitionView>;
  apply(yaml: string, options?: { readonly dryRun?: boolean }): Promise<ApplyAnswer>;
  /** Newest first. */
  runs(request?: RunsRequest): Promise<RunsView>;
  run(id: string): Promise<RunStoryView>;
  /** Oldest first within a page. */
  events(request?: EventsRequest): Promise<EventsView>;
  move(group: string, request: MoveRequest): Promise<MoveView>;
  hostVerb(host: string, verb: HostVerb, request?: HostVerbRequest): Promise<PlanView>;
  setSwitch(request: SwitchRequest): Promise<PlanView>;
  simulate(request: SimulateRequest): Promise<SimulateView>;
  why(group: string, slot: number): Promise<WhyView>;
  doctor(): Promise<DoctorView>;
  openapi(): Promise<Readonly<Record<string, unknown>>>;
  /**
   * Messages as they come, until the API ends the stream or `signal` aborts; a lost connection is an HaError. To come back
   * without a gap, pass the id of the last `event` message.
   */
  stream(lastEventId?: string, signal?: AbortSignal): AsyncIterable<StreamMessage>;
}

export function apiClient(address: ApiAddress): ApiClient {
  const call = (request: ApiRequest): Promise<ApiAnswer> =>
    send(address, { ...request, path: ofCluster(address, request.path, request.method) });
  const get = async <T>(path: string, schema: z.ZodType<T>): Promise<T> =>
    parsed(schema, succeeded(await call({ method: 'GET', path })), address);
  const post = async <T>(path: string, body: object, schema: z.ZodType<T>): Promise<T> => {
    const sent = { type: 'application/json', text: JSON.stringify(body) };
    return parsed(schema, succeeded(await call({ method: 'POST', path, body: sent })), address);
  };
  return {
    status: () => get('/api/v1/status', schemas.statusView),
    definition: () => get('/api/v1/definition', schemas.definitionView),
    runs: ({ limit, cursor } = {}) => get(`/api/v1/runs${query({ limit, cursor })}`, schemas.runsView),
    run: (id) => get(`/api/v1/runs/${part(id)}`, schemas.runStoryView),
    events: ({ limit, after, cursor } = {}) =>
      get(`/api/v1/events${query({ limit, after, cursor })}`, schemas.eventsView),
    apply: async (yaml, { dryRun = false } = {}) => {
      const path = `/api/v1/definition${dryRun ? '?dryRun=1' : ''}`;
      const answer = await call({ method: 'POST', path, body: { type: 'application/yaml', text: yaml } });
      const problem = schemas.problemView.safeParse(answer.body);
      if (answer.status === 400 && problem.success && problem.data.problems !== undefined) {
        return { outcome: 'refused', detail: problem.data.detail, problems: problem.data.problems };
      }
      return { outcome: 'accepted', ...parsed(schemas.appliedView, succeeded(answer), address) };
    },
    move: (group, request) => post(`/api/v1/groups/${part(group)}/move`, request, schemas.moveView),
    hostVerb: (host, verb, request = {}) => post(`/api/v1/hosts/${part(host)}/${verb}`, request, schemas.planView),
    setSwitch: (request) => post('/api/v1/switch', request, schemas.planView),
    simulate: (request) => post('/api/v1/simulate', request, schemas.simulateView),
    why: (group, slot) => get(`/api/v1/groups/${part(group)}/slots/${slot}/why`, schemas.whyView),
    doctor: () => get('/api/v1/doctor', schemas.doctorView),
    openapi: () => get('/api/v1/openapi.json', z.record(z.string(), z.unknown())),
    stream: (lastEventId, signal) => openApiStream(address, lastEventId, signal),
  };
}

const part = encodeURIComponent;

function query(values: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${part(String(value))}`],
  );
  return given.length === 0 ? '' : `?${given.join('&')}`;
}
