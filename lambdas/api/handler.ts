/** The HTTP API, as API Gateway (payload 2.0) and the local server call it. Who may call is decided in front of it. */
import * as z from 'zod';
import { HaError, messageOf } from '../../core/failures/failures.ts';
import { edge, type Handler } from '../shared/edge.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { sized } from './answer-size.ts';
import { callerOf } from './caller.ts';
import { consoleOf } from './console.ts';
import { answer, type HttpAnswer, HttpEvent, MethodRefused, pathOf, problemAnswer } from './http.ts';
import { openApi } from './openapi.ts';
import { decodePath } from './parse.ts';
import { type ApiOptions, type Route, route, type Served } from './route.ts';
import { ROUTES } from './routes.ts';
import { streamRoute } from './stream-batch.ts';

export type { HttpAnswer } from './http.ts';
export type { ApiOptions } from './route.ts';

const documentRoute = route({
  method: 'GET',
  path: '/api/v1/openapi.json',
  id: 'getOpenApi',
  tag: 'state',
  summary: 'This document',
  description: 'Made from the table that routes requests.',
  params: {},
  query: {},
  answer: {
    type: 'application/json',
    name: 'OpenApi',
    schema: z.record(z.string(), z.unknown()),
    about: 'an OpenAPI 3.1 document',
  },
  errors: [],
  run: () => Promise.resolve(apiDocument()),
});

export const API_ROUTES: readonly Route[] = [...ROUTES, streamRoute, documentRoute];

let made: Readonly<Record<string, unknown>> | undefined;

export function apiDocument(): Readonly<Record<string, unknown>> {
  made ??= openApi(API_ROUTES);
  return made;
}

export function api(ports: ControlPorts, options: ApiOptions): Handler<HttpAnswer> {
  const console = consoleOf(options.console);
  return edge(ports, HttpEvent, async (received): Promise<HttpAnswer> => {
    const event = { ...received, rawPath: pathOf(received) };
    try {
      const caller = callerOf(event.requestContext);
      if (caller === null && options.refusesUnnamed === true) throw new HaError('unauthorized', UNNAMED);
      const isApi = event.rawPath.startsWith('/api/');
      const whole = await (isApi ? served({ ports, options, event, caller }) : console(event));
      return sized(whole, event.headers['accept-encoding']);
    } catch (error) {
      const refusal = problemAnswer(error);
      if (refusal.statusCode >= 500) ports.log('error', `api: ${messageOf(error)}`, { path: event.rawPath });
      return refusal;
    }
  });
}

const UNNAMED = 'nobody says who asks: every route of this API needs its authoriser (IAM or JWT)';

async function served({ ports, options, event, caller }: Omit<Served, 'parts'>): Promise<HttpAnswer> {
  const { method } = event.requestContext.http;
  const matches = API_ROUTES.flatMap((candidate) => {
    const found = candidate.pattern.exec(event.rawPath);
    return found === null ? [] : [{ route: candidate, parts: found.slice(1) }];
  });
  if (matches.length === 0) throw new HaError('not_found', `there is nothing at ${event.rawPath.slice(0, 200)}`);
  const allow = [...new Set(matches.flatMap(({ route: { method: known } }) => ALSO[known]))].join(', ');
  if (method === 'OPTIONS') return { statusCode: 204, headers: { allow, 'cache-control': 'no-store' }, body: '' };
  const asked = method === 'HEAD' ? 'GET' : method;
  const chosen = matches.find((match) => match.route.method === asked);
  if (chosen === undefined) throw new MethodRefused(event.rawPath.slice(0, 200), method.slice(0, 20), allow);
  const { type } = chosen.route.answer;
  const result = await chosen.route.serve({ ports, options, event, caller, parts: chosen.parts.map(decodePath) });
  const body = typeof result === 'string' ? result : JSON.stringify(result);
  return answer(200, type, method === 'HEAD' ? '' : body);
}

const ALSO = { GET: ['GET', 'HEAD', 'OPTIONS'], POST: ['POST', 'OPTIONS'] } as const;
