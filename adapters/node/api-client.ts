/** The operators' client of the HTTP API. Every fault is an HaError with the code that the API named. */
import type * as z from 'zod';
import type { Problem } from '../../core/config/problem.ts';
import { FAILURES, type FailureCode, HaError, messageOf } from '../../core/failures/failures.ts';
import * as schemas from '../../core/protocol/view-schemas.ts';
import type {
  AppliedView,
  DefinitionView,
  EventsView,
  MoveRequest,
  MoveView,
  RunStoryView,
  RunsView,
  StatusView,
} from '../../core/protocol/views.ts';

export interface ApiAddress {
  readonly url: string;
  readonly token?: string | undefined;
}

export type ApplyAnswer =
  | ({ readonly outcome: 'accepted' } & AppliedView)
  | { readonly outcome: 'refused'; readonly detail: string; readonly problems: readonly Problem[] };

export interface ApiClient {
  status(): Promise<StatusView>;
  definition(): Promise<DefinitionView>;
  apply(yaml: string, options?: { readonly dryRun?: boolean }): Promise<ApplyAnswer>;
  runs(limit: number): Promise<RunsView>;
  run(id: string): Promise<RunStoryView>;
  events(limit: number, after?: string): Promise<EventsView>;
  move(group: string, request: MoveRequest): Promise<MoveView>;
}

const REQUEST_TIMEOUT_MS = 15_000;
const ANSWER_BYTES_MAX = 16_000_000;

interface Request {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: { readonly type: string; readonly text: string };
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export function apiClient(address: ApiAddress): ApiClient {
  const call = (request: Request): Promise<Answer> => send(address, request);
  const get = async <T>(path: string, schema: z.ZodType<T>): Promise<T> =>
    parsed(schema, succeeded(await call({ method: 'GET', path })), address);
  return {
    status: () => get('/api/v1/status', schemas.statusView),
    definition: () => get('/api/v1/definition', schemas.definitionView),
    runs: (limit) => get(`/api/v1/runs?limit=${limit}`, schemas.runsView),
    run: (id) => get(`/api/v1/runs/${encodeURIComponent(id)}`, schemas.runStoryView),
    events: (limit, after) => {
      const from = after === undefined ? '' : `&after=${encodeURIComponent(after)}`;
      return get(`/api/v1/events?limit=${limit}${from}`, schemas.eventsView);
    },
    apply: async (yaml, { dryRun = false } = {}) => {
      const path = `/api/v1/definition${dryRun ? '?dryRun=1' : ''}`;
      const answer = await call({ method: 'POST', path, body: { type: 'application/yaml', text: yaml } });
      const problem = schemas.problemView.safeParse(answer.body);
      if (answer.status === 400 && problem.success && problem.data.problems !== undefined) {
        return { outcome: 'refused', detail: problem.data.detail, problems: problem.data.problems };
      }
      return { outcome: 'accepted', ...parsed(schemas.appliedView, succeeded(answer), address) };
    },
    move: async (group, request) => {
      const path = `/api/v1/groups/${encodeURIComponent(group)}/move`;
      const body = { type: 'application/json', text: JSON.stringify(request) };
      return parsed(schemas.moveView, succeeded(await call({ method: 'POST', path, body })), address);
    },
  };
}

async function send({ url, token }: ApiAddress, { method, path, body }: Request): Promise<Answer> {
  const headers = {
    accept: 'application/json, application/problem+json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { 'content-type': body.type }),
  };
  const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  try {
    const response = await fetch(`${url.replace(/\/$/, '')}${path}`, {
      method,
      headers,
      body: body?.text ?? null,
      signal,
    });
    return { status: response.status, body: json(await boundedText(response, url)) };
  } catch (error) {
    if (error instanceof HaError) throw error;
    throw unreachable(url, error);
  }
}

async function boundedText(response: Response, url: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const body: AsyncIterable<Uint8Array> | null = response.body;
  if (body === null) return '';
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > ANSWER_BYTES_MAX)
      throw new HaError('protocol_mismatch', `${url} answered more than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function unreachable(url: string, error: unknown): HaError {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const why = messageOf(error instanceof Error && error.name === 'TimeoutError' ? error : (cause ?? error));
  const text = `no answer from ${url} (${why}). Is it running? Start the local system with \`npm start\`, or name another API with --api URL`;
  return new HaError('store_unavailable', text, { cause: error });
}

/** undefined: not JSON. */
function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const BY_STATUS: Readonly<Record<number, FailureCode>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  409: 'conflict',
  413: 'limit_exceeded',
  429: 'store_throttled',
  504: 'timed_out',
};

/** The body of a success; anything else becomes the HaError that its problem+json names, or that its status suggests. */
function succeeded({ status, body }: Answer): unknown {
  if (status >= 200 && status < 300) return body;
  const problem = schemas.problemView.safeParse(body);
  const code = problem.success
    ? problem.data.code
    : (BY_STATUS[status] ?? (status >= 500 ? 'store_unavailable' : 'protocol_mismatch'));
  const said = problem.success
    ? problem.data.detail || problem.data.title
    : `the API answered ${status} without a problem document`;
  const help =
    FAILURES[code].exit === FAILURES.unauthorized.exit ? '. Give the token with --token or HOLDFAST_TOKEN' : '';
  throw new HaError(code, `${said}${help}`);
}

function parsed<T>(schema: z.ZodType<T>, body: unknown, { url }: ApiAddress): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const at = result.error.issues[0]?.path.join('.') ?? '';
  const what = at === '' ? 'is not what this version reads' : `lacks or misstates ${at}`;
  throw new HaError('protocol_mismatch', `the answer of ${url} ${what}: is it a Holdfast API of another version?`);
}
