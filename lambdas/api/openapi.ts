/** The OpenAPI 3.1 document, made from the table of routes and the schemas that parse requests and answers. */
import * as z from 'zod';
import { FAILURES, type FailureCode } from '../../core/failures/failures.ts';
import { problemView } from '../../core/protocol/view-schemas.ts';
import * as examples from './examples.ts';
import type { Route } from './route.ts';

type Json = Readonly<Record<string, unknown>>;

/** What any route may answer, whatever it does. */
const ALWAYS: readonly FailureCode[] = [
  'config_invalid',
  'protocol_mismatch',
  'unauthorized',
  'forbidden',
  'not_found',
  'limit_exceeded',
  'store_unavailable',
  'store_throttled',
  'timed_out',
];

const ERROR_WORDS: Readonly<Record<number, string>> = {
  400: 'what was sent cannot be taken: `problems` names each place, the value found and what to write instead',
  401: 'no token, or a wrong one; on AWS the authoriser may refuse in its own words, without a problem document',
  403: 'the caller may not do this, or the request names another host than this API',
  404: 'there is no such thing',
  405: 'the path takes other methods: `allow` names them',
  409: 'it cannot be done as things stand',
  413: 'too large',
  500: 'a bug: the log of the API has more',
  502: 'the power interface refused',
  503: 'the store or the power interface is away or throttled: ask again',
  504: 'no answer in time: ask again',
};

const DESCRIPTION = `Reads the state of a cluster, and takes definitions and operators' work.

Every refusal is a problem document (RFC 9457) whose \`code\` is one of a closed list. Whoever calls is authorised in front of
the API: by IAM or a JWT on AWS, by the token of \`api.json\` locally. Events name the caller as \`by\`. \`HEAD\` answers as \`GET\`
without a body, \`OPTIONS\` names the methods of a path. Moments are milliseconds since 1970, lengths are milliseconds. Answers
may carry further fields, and words that are not listed here, as newer versions add them.`;

const TAGS: readonly Json[] = [
  { name: 'state', description: 'what stands, what happened, what would break' },
  { name: 'definition', description: 'what shall be' },
  { name: 'hosts', description: "operators' verbs about hosts" },
  { name: 'groups', description: "operators' verbs about groups" },
  { name: 'what-if', description: 'questions that change nothing' },
];

/** Which of them it is, is a setting of the deployment. */
const SECURITY_SCHEMES: Json = {
  token: { type: 'http', scheme: 'bearer', description: 'locally the token of `api.json` in the state folder' },
  iam: {
    type: 'apiKey',
    name: 'Authorization',
    in: 'header',
    'x-amazon-apigateway-authtype': 'awsSigv4',
    description: 'on AWS: Signature Version 4 for `execute-api`; policies say which methods a principal may call',
  },
  jwt: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'on AWS, where the deployment names an issuer: what changes something needs the scope `holdfast/operate`',
  },
};

export function openApi(routes: readonly Route[]): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Holdfast',
      version: '1',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'where this document was read' }],
    security: [{ token: [] }, { iam: [] }, { jwt: [] }],
    tags: TAGS,
    paths,
    components: {
      securitySchemes: SECURITY_SCHEMES,
      schemas: components(routes),
    },
  };
}

function operation(route: Route): Json {
  const { id, tag, summary, description, body, params, query, headers = [] } = route;
  const inPath = Object.entries(params).map(([name, schema]) => parameter('path', name, schema));
  const inQuery = Object.entries(query).map(([name, schema]) => parameter('query', name, schema));
  const inHeader = headers.map(({ name, schema, about }) => ({
    ...parameter('header', name, schema),
    description: about,
  }));
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    parameters: [...inPath, ...inQuery, ...inHeader],
    ...(body === undefined ? {} : { requestBody: requestBody(body) }),
    responses: responses(route),
  };
}

function parameter(place: 'path' | 'query' | 'header', name: string, schema: z.core.$ZodType): Json {
  const { description, ...rest } = jsonSchema(schema, 'input');
  return {
    name,
    in: place,
    required: place === 'path',
    schema: rest,
    ...(description === undefined ? {} : { description }),
  };
}

function requestBody(body: NonNullable<Route['body']>): Json {
  if (body.kind === 'json') {
    const schema = { $ref: `#/components/schemas/${body.name}` };
    return { required: !body.isOptional, content: { 'application/json': { schema, example: body.example } } };
  }
  const content = { schema: { type: 'string', description: body.about }, example: body.example };
  return { required: true, content: Object.fromEntries(body.types.map((type) => [type, content])) };
}

function responses({ answer, errors, body }: Route): Json {
  const { type, name, about, example } = answer;
  const schema = type === 'application/json' ? { $ref: `#/components/schemas/${name}` } : { type: 'string' };
  const content = { [type]: { schema, ...(example === undefined ? {} : { example }) } };
  const codes = [...ALWAYS, ...errors, ...(body === undefined ? [] : (['limit_exceeded'] as const))];
  const byStatus = new Map<number, Set<string>>([[500, new Set()]]);
  for (const code of codes) {
    const status = FAILURES[code].http;
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code));
  }
  const refusals = [...byStatus].toSorted(([a], [b]) => a - b);
  return {
    200: { description: about, content },
    ...Object.fromEntries(refusals.map(([status, known]) => [status, refusal(status, [...known])])),
  };
}

function refusal(status: number, codes: readonly string[]): Json {
  const named = codes.length === 0 ? '' : `. Code ${codes.join(', ')}`;
  const example = status === 400 ? { example: examples.problem } : {};
  return {
    description: `${ERROR_WORDS[status] ?? 'refused'}${named}`,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemView' }, ...example } },
  };
}

function components(routes: readonly Route[]): Json {
  const found = new Map<string, unknown>([['ProblemView', jsonSchema(problemView, 'output')]]);
  for (const { body, answer } of routes) {
    if (body?.kind === 'json') found.set(body.name, jsonSchema(body.schema, 'input'));
    if (answer.type === 'application/json') found.set(answer.name, jsonSchema(answer.schema, 'output'));
  }
  return Object.fromEntries([...found].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function jsonSchema(schema: z.core.$ZodType, io: 'input' | 'output'): Json {
  const made: Json = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return Object.fromEntries(Object.entries(made).filter(([key]) => key !== '$schema' && key !== '~standard'));
}
