/** Requests to the API: every answer is parsed where it enters, every failure becomes a sentence. */
import type * as z from 'zod';
import { messageOf } from '../../core/failures/failures.ts';
import * as schemas from '../../core/protocol/view-schemas.ts';
import type {
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
  SwitchRequest,
  WhyView,
} from '../../core/protocol/views.ts';

const REQUEST_MS = 20_000;

/** Why a request has no answer. `status` 0: nobody answered. */
export class AskFailure extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = 'AskFailure';
    this.status = status;
  }
}

export const statusOf = (error: unknown): number => (error instanceof AskFailure ? error.status : 0);

export interface Ask {
  status(): Promise<StatusView>;
  definition(): Promise<DefinitionView>;
  runs(cursor: string | null): Promise<RunsView>;
  run(run: string): Promise<RunStoryView>;
  events(query: { readonly cursor?: string; readonly after?: string }): Promise<EventsView>;
  why(group: string, slot: number): Promise<WhyView>;
  doctor(): Promise<{ readonly checks: DoctorView['checks'] }>;
  simulate(request: SimulateRequest): Promise<SimulateView>;
  host(host: string, verb: HostVerb, request: HostVerbRequest): Promise<PlanView>;
  move(group: string, request: MoveRequest): Promise<MoveView>;
  switch(request: SwitchRequest): Promise<PlanView>;
}

const PAGE = 100;
const part = encodeURIComponent;

export function ask(token: string): Ask {
  const get = async <T>(path: string, schema: z.ZodType<T>): Promise<T> =>
    parsed(schema, await request(token, 'GET', `/api/v1${path}`), path);
  const post = async <T>(path: string, body: unknown, schema: z.ZodType<T>): Promise<T> =>
    parsed(schema, await request(token, 'POST', `/api/v1${path}`, body), path);
  return {
    status: () => get('/status', schemas.statusView),
    definition: () => get('/definition', schemas.definitionView),
    runs: (cursor) => get(`/runs?limit=50${cursor === null ? '' : `&cursor=${part(cursor)}`}`, schemas.runsView),
    run: (run) => get(`/runs/${part(run)}`, schemas.runStoryView),
    events: ({ cursor, after }) => {
      const where =
        cursor !== undefined ? `&cursor=${part(cursor)}` : after !== undefined ? `&after=${part(after)}` : '';
      return get(`/events?limit=${PAGE}${where}`, schemas.eventsView);
    },
    why: (group, slot) => get(`/groups/${part(group)}/slots/${slot}/why`, schemas.whyView),
    doctor: () => get('/doctor', schemas.doctorView),
    simulate: (body) => post('/simulate', body, schemas.simulateView),
    host: (host, verb, body) => post(`/hosts/${part(host)}/${verb}`, body, schemas.planView),
    move: (group, body) => post(`/groups/${part(group)}/move`, body, schemas.moveView),
    switch: (body) => post('/switch', body, schemas.planView),
  };
}

/** The parsed JSON of a success; anything else throws AskFailure. Also for what the local front door adds. */
export async function request(
  token: string | null,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
): Promise<unknown> {
  const answer = await send(token, method, path, body);
  const text = await answer.text().catch(() => '');
  if (!answer.ok) throw new AskFailure(answer.status, problemWords(answer.status, text));
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new AskFailure(502, `the answer of ${path} is not JSON; is something else listening at this address?`);
  }
}

async function send(token: string | null, method: string, path: string, body: unknown): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (token !== null) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  try {
    return await fetch(path, {
      method,
      headers,
      cache: 'no-store',
      signal: AbortSignal.timeout(REQUEST_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    throw new AskFailure(0, `the API does not answer (${messageOf(error)})`);
  }
}

function parsed<T>(schema: z.ZodType<T>, json: unknown, path: string): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const where = result.error.issues[0]?.path.join('.') ?? '';
  throw new AskFailure(
    502,
    `the answer of ${path} has a shape that this page does not know (at ${where}); reload the page`,
  );
}

/** RFC 9457 where the API answered; a plain word where something in front of it did. */
function problemWords(status: number, text: string): string {
  try {
    const json: unknown = JSON.parse(text);
    const problem = schemas.problemView.safeParse(json);
    if (problem.success) {
      const places = (problem.data.problems ?? []).map(({ path, got, change }) => `${path}: got ${got}; ${change}`);
      return [problem.data.detail || problem.data.title, ...places].join('\n');
    }
    if (typeof json === 'object' && json !== null && 'message' in json) return String(json.message);
  } catch {
    // Not JSON: a gateway's page. Its status says more to a reader than its markup.
  }
  return status >= 500 ? `the API is not there now (status ${status})` : `the API refused this (status ${status})`;
}
