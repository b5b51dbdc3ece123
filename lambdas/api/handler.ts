/** The HTTP API, as API Gateway (payload 2.0) and the local server call it. Who may call is decided in front of it. */
import * as z from 'zod';
import { FAILURES, failureCode, HaError, messageOf } from '../../core/failures/failures.ts';
import { type ClusterRecord, type EventRecord, keys } from '../../core/protocol/records.ts';
import type { EventsView, ProblemView } from '../../core/protocol/views.ts';
import { loadClusterRecord, loadDefinition } from '../shared/cluster.ts';
import { edge, type Handler, parseEvent } from '../shared/edge.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { dayOf } from '../shared/run-log.ts';
import { applyDefinition, DefinitionRefused } from './apply.ts';
import { moveSlot } from './move.ts';
import { runStory, runViews, statusView } from './views.ts';

const BODY_BYTES_MAX = 1024 * 1024;
const LIST_MAX = 1_000;
const LIST_DEFAULT = 50;
const EVENT_DAYS_MAX = 14;

const HttpEvent = z.looseObject({
  rawPath: z.string(),
  rawQueryString: z.string().default(''),
  body: z.string().optional(),
  isBase64Encoded: z.boolean().default(false),
  requestContext: z.looseObject({ http: z.looseObject({ method: z.string() }), by: z.string().optional() }),
});
type HttpEvent = z.infer<typeof HttpEvent>;

export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ApiOptions {
  readonly account: ClusterRecord['account'];
}

interface Call {
  readonly ports: ControlPorts;
  readonly options: ApiOptions;
  readonly query: URLSearchParams;
  readonly body: () => Buffer;
  readonly args: readonly string[];
  readonly by: string;
}

type Route = (call: Call) => Promise<unknown>;

const ROUTES: readonly (readonly [method: string, path: RegExp, route: Route])[] = [
  ['GET', /^\/api\/v1\/status$/, async (call) => statusView(call.ports, await clusterOf(call))],
  ['GET', /^\/api\/v1\/definition$/, getDefinition],
  ['POST', /^\/api\/v1\/definition$/, postDefinition],
  [
    'GET',
    /^\/api\/v1\/runs$/,
    async (call) => ({ runs: await runViews(call.ports, await clusterOf(call), limitOf(call)) }),
  ],
  ['GET', /^\/api\/v1\/runs\/([^/]+)$/, (call) => runStory(call.ports, call.args[0] ?? '')],
  ['GET', /^\/api\/v1\/events$/, getEvents],
  ['POST', /^\/api\/v1\/groups\/([^/]+)\/move$/, postMove],
];

export function api(ports: ControlPorts, options: ApiOptions): Handler<HttpAnswer> {
  return edge(HttpEvent, async (event): Promise<HttpAnswer> => {
    try {
      return answer(200, await route(ports, options, event), 'application/json');
    } catch (error) {
      const problem = problemOf(error);
      if (problem.status >= 500) ports.log('error', `api: ${messageOf(error)}`, { path: event.rawPath });
      return answer(problem.status, problem, 'application/problem+json');
    }
  });
}

function answer(statusCode: number, body: unknown, type: string): HttpAnswer {
  return { statusCode, headers: { 'content-type': type, 'cache-control': 'no-store' }, body: JSON.stringify(body) };
}

function problemOf(error: unknown): ProblemView {
  const code = failureCode(error);
  // A bug is not a failure of the table: say no more than that, the log has the rest.
  if (code === undefined)
    return {
      type: 'about:blank',
      title: 'internal error',
      status: 500,
      detail: 'see the log of the API',
      code: 'store_unavailable',
    };
  const problem = {
    type: `urn:holdfast:${code}`,
    title: code.replaceAll('_', ' '),
    status: FAILURES[code].http,
    detail: messageOf(error),
    code,
  };
  return error instanceof DefinitionRefused ? { ...problem, problems: error.problems } : problem;
}

async function route(ports: ControlPorts, options: ApiOptions, event: HttpEvent): Promise<unknown> {
  const { method } = event.requestContext.http;
  const matches = ROUTES.flatMap(([routeMethod, path, run]) => {
    const found = path.exec(event.rawPath);
    return found === null ? [] : [{ routeMethod, run, args: found.slice(1).map(decode) }];
  });
  const chosen = matches.find((match) => match.routeMethod === method);
  if (chosen === undefined) {
    const allowed = matches.map((match) => match.routeMethod).join(', ');
    throw new HaError(
      'not_found',
      matches.length === 0
        ? `there is nothing at ${event.rawPath}`
        : `${event.rawPath} takes ${allowed}, not ${method}`,
    );
  }
  const query = new URLSearchParams(event.rawQueryString);
  return chosen.run({
    ports,
    options,
    query,
    body: () => bodyOf(event),
    args: chosen.args,
    by: event.requestContext.by ?? 'api',
  });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new HaError('config_invalid', `the path has a bad escape: ${text.slice(0, 100)}`);
  }
}

function bodyOf(event: HttpEvent): Buffer {
  const body = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  if (body.length > BODY_BYTES_MAX)
    throw new HaError('limit_exceeded', `the body is larger than ${BODY_BYTES_MAX} bytes`);
  return body;
}

function limitOf({ query }: Call): number {
  const text = query.get('limit');
  if (text === null) return LIST_DEFAULT;
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= LIST_MAX) return limit;
  throw new HaError('config_invalid', `limit must be a whole number from 1 to ${LIST_MAX}, got ${text.slice(0, 50)}`);
}

/** `?cluster=NAME`, or the only one there is. */
async function clusterOf({ ports, query }: Call): Promise<string> {
  const asked = query.get('cluster');
  if (asked !== null) return asked;
  const names = (await ports.registry.query<{ cluster: string }>(keys.clusters('').pk, { limit: LIST_MAX })).map(
    (stored) => stored.body.cluster,
  );
  const [only, ...others] = names;
  if (only === undefined) throw new HaError('not_found', 'there is no cluster yet; apply a definition');
  if (others.length > 0)
    throw new HaError('config_invalid', `there are several clusters (${names.join(', ')}); name one with ?cluster=`);
  return only;
}

async function getDefinition(call: Call): Promise<unknown> {
  const record = await loadClusterRecord(call.ports, await clusterOf(call));
  return {
    rev: record.rev,
    definition: await loadDefinition(call.ports, record.cluster, record.rev, record.incarnation),
  };
}

function postDefinition(call: Call): Promise<unknown> {
  const dryRun = call.query.get('dryRun') === '1';
  return applyDefinition(call.ports, call.body(), { dryRun, account: call.options.account, by: call.by });
}

/** The newest, or those that follow `after`; oldest first. Looks back as many days as events are kept in view. */
async function getEvents(call: Call): Promise<EventsView> {
  const cluster = await clusterOf(call);
  const limit = limitOf(call);
  const after = call.query.get('after');
  const now = call.ports.wall.now();
  const found: EventRecord[] = [];
  for (let back = 0; back < EVENT_DAYS_MAX && found.length < limit; back += 1) {
    const { pk } = keys.event(cluster, dayOf(now - back * 24 * 3_600_000), '');
    const stored = await call.ports.registry.query<EventRecord>(pk, { limit: LIST_MAX, newestFirst: true });
    const wanted = stored.map((event) => event.body).filter((event) => after === null || event.id > after);
    found.push(...wanted);
    if (wanted.length < stored.length) break;
  }
  const oldestFirst = found.toReversed();
  const page = after === null ? oldestFirst.slice(-limit) : oldestFirst.slice(0, limit);
  return {
    events: page.map(({ id, atMs, kind, subject, says, run, by }) => ({ id, atMs, kind, subject, says, run, by })),
  };
}

const MoveBody = z.strictObject({
  slot: z.int().nonnegative(),
  to: z.string().nullish(),
  dryRun: z.boolean().optional(),
});

async function postMove(call: Call): Promise<unknown> {
  const { slot, to, dryRun } = parseEvent(MoveBody, json(call.body().toString('utf8')));
  const order = {
    cluster: await clusterOf(call),
    group: call.args[0] ?? '',
    slot,
    to: to ?? null,
    dryRun: dryRun ?? false,
    by: call.by,
  };
  return moveSlot(call.ports, order);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new HaError('config_invalid', `the body is not JSON: ${text.slice(0, 100)}`);
  }
}
