/**
 * API Gateway's HTTP API on a loopback port, as far as Holdfast meets it: checks who asks (IAM by signature and allowed
 * methods, or a JWT's claims), hands the request to the real handler in payload 2.0 and its answer back, limits included.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpAnswer } from '../../lambdas/api/handler.ts';
import type { Handler } from '../../lambdas/shared/edge.ts';
import { checkSigV4, type Key } from './sigv4-check.ts';

export const REGION = 'eu-central-1';
export const ALICE = {
  accessKeyId: 'AKIDALICE',
  secretAccessKey: 'alice/secret+key',
  sessionToken: 'session-of-alice',
};
const ARN = 'arn:aws:sts::111122223333:assumed-role/Operators/alice';
const ANSWER_BYTES_MAX = 6_291_556;
/** Content types that it hands over as text; all others as Base64. */
const TEXT = /^(?:text\/|application\/(?:json|javascript|xml)\b)/;

export interface GatewayOptions {
  readonly api: Handler<HttpAnswer>;
  readonly stage?: string;
  /** By bearer token; else IAM. */
  readonly jwt?: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** What the policy of the caller allows. */
  readonly mayChange?: boolean;
  /** By how much its clock is ahead of this machine's. */
  readonly skewMs?: number;
}

export interface Gateway {
  readonly url: string;
  /** Method and path of everything that was let in. */
  readonly letIn: string[];
  /** The headers of everything that came. */
  readonly headers: Readonly<Record<string, string>>[];
  /** Credentials are taken from now on, or no longer. */
  setTaken(isTaken: boolean): void;
  close(): Promise<void>;
}

export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const letIn: string[] = [];
  const headers: Readonly<Record<string, string>>[] = [];
  const state = { isTaken: true };
  const server = createServer((request, response) => {
    serve({ options, letIn, headers, state }, request, response).catch((error: unknown) => {
      if (!response.headersSent) say(response, 500, 'Internal Server Error', options);
      else response.destroy(error as Error);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { stage = '$default' } = options;
  return {
    url: `http://127.0.0.1:${port}${stage === '$default' ? '' : `/${stage}`}`,
    letIn,
    headers,
    setTaken: (isTaken) => void (state.isTaken = isTaken),
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

interface Serving {
  readonly options: GatewayOptions;
  readonly letIn: string[];
  readonly headers: Readonly<Record<string, string>>[];
  readonly state: { isTaken: boolean };
}

async function serve(serving: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { options, letIn } = serving;
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const { method = 'GET', url: target = '/' } = request;
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(',') : (value ?? ''),
    ]),
  );
  serving.headers.push(headers);
  const authorizer = authorized(serving, response, { method, target, headers, body });
  if (authorizer === null) return;
  letIn.push(`${method} ${target}`);
  const [rawPath = '/', rawQueryString = ''] = target.split('?', 2);
  const isText = TEXT.test(headers['content-type'] ?? '');
  const event = {
    version: '2.0',
    routeKey: `${method} /{proxy+}`,
    rawPath: decodedPath(rawPath),
    rawQueryString,
    headers,
    requestContext: { http: { method, path: rawPath }, stage: options.stage ?? '$default', authorizer },
    ...(body.length === 0 ? {} : { body: body.toString(isText ? 'utf8' : 'base64'), isBase64Encoded: !isText }),
  };
  const answer = await options.api(JSON.parse(JSON.stringify(event)));
  if (Buffer.byteLength(JSON.stringify(answer)) > ANSWER_BYTES_MAX)
    return say(response, 500, 'Internal Server Error', options);
  response.sendDate = false;
  response.writeHead(answer.statusCode, { ...answer.headers, date: dateOf(options) });
  response.end(Buffer.from(answer.body, answer.isBase64Encoded === true ? 'base64' : 'utf8'));
}

/** Every escape but `%25`. */
function decodedPath(path: string): string {
  return path.replace(/(?:%(?!25)[0-9A-Fa-f]{2})+/g, (run) =>
    Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}

/** null: refused, and answered. */
function authorized(
  { options, state }: Serving,
  response: ServerResponse,
  request: { method: string; target: string; headers: Record<string, string>; body: Buffer },
): object | null {
  if (options.jwt !== undefined) {
    const claims = options.jwt.get((request.headers['authorization'] ?? '').replace(/^Bearer /, ''));
    if (claims !== undefined && state.isTaken) return { jwt: { claims, scopes: null } };
    response.setHeader(
      'www-authenticate',
      'Bearer scope="" error="invalid_token" error_description="the token has expired"',
    );
    say(response, 401, 'Unauthorized', options);
    return null;
  }
  const keys = new Map<string, Key>(
    state.isTaken ? [[ALICE.accessKeyId, { secret: ALICE.secretAccessKey, sessionToken: ALICE.sessionToken }]] : [],
  );
  const nowMs = Date.now() + (options.skewMs ?? 0);
  const checked = checkSigV4(request, { keys, region: REGION, service: 'execute-api', nowMs });
  const isAllowed = options.mayChange !== false || request.method !== 'POST' || request.target.endsWith('/simulate');
  if (checked.ok && isAllowed)
    return { iam: { accessKey: checked.accessKey, accountId: '111122223333', callerId: 'AROA:alice', userArn: ARN } };
  say(response, 403, checked.ok ? 'Forbidden' : checked.why, options);
  return null;
}

function say(response: ServerResponse, status: number, message: string, options: GatewayOptions): void {
  response.sendDate = false;
  response.writeHead(status, { 'content-type': 'application/json', date: dateOf(options) });
  response.end(JSON.stringify({ message }));
}

function dateOf({ skewMs = 0 }: GatewayOptions): string {
  return new Date(Date.now() + skewMs).toUTCString();
}
