/** The instance metadata service, version 2, on loopback: nothing without a token, and a token by PUT with a time to live only. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export const DOCUMENT = {
  accountId: '123456789012',
  architecture: 'arm64',
  availabilityZone: 'eu-west-1a',
  imageId: 'ami-0abcdef1234567890',
  instanceId: 'i-0123456789abcdef0',
  instanceType: 't4g.small',
  pendingTime: '2026-11-20T09:08:07Z',
  privateIp: '10.0.1.11',
  region: 'eu-west-1',
  version: '2017-09-30',
};

export const PATHS = {
  token: '/latest/api/token',
  document: '/latest/dynamic/instance-identity/document',
  partition: '/latest/meta-data/services/partition',
  roles: '/latest/meta-data/iam/security-credentials/',
} as const;

export interface LoopbackImds {
  readonly url: string;
  /** `METHOD PATH` of all that was asked. */
  readonly asked: string[];
  /** Takes the place of the usual answer of that path; undefined: the usual one again. */
  instead(path: string, answer: ((response: ServerResponse) => void) | undefined): void;
  close(): Promise<void>;
}

export async function loopbackImds(document: object = DOCUMENT): Promise<LoopbackImds> {
  const tokens = new Set<string>();
  const asked: string[] = [];
  const others = new Map<string, (response: ServerResponse) => void>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(`${request.method ?? ''} ${path}`);
    const other = others.get(path);
    if (other !== undefined) other(response);
    else answer(request, response, { tokens, document });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    asked,
    instead: (path, answer) => void (answer === undefined ? others.delete(path) : others.set(path, answer)),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

interface Known {
  readonly tokens: Set<string>;
  readonly document: object;
}

function answer(request: IncomingMessage, response: ServerResponse, { tokens, document }: Known): void {
  if (request.url === PATHS.token) {
    const seconds = Number(request.headers['x-aws-ec2-metadata-token-ttl-seconds']);
    if (request.method !== 'PUT') return refuse(response, 405);
    if (!(seconds >= 1 && seconds <= 21_600)) return refuse(response, 400);
    const token = randomUUID();
    tokens.add(token);
    return say(response, token);
  }
  if (!tokens.has(String(request.headers['x-aws-ec2-metadata-token']))) return refuse(response, 401);
  if (request.url === PATHS.document) return say(response, JSON.stringify(document, null, 2));
  if (request.url === PATHS.partition) return say(response, 'aws');
  if (request.url === PATHS.roles) return say(response, 'host-role');
  if (request.url === `${PATHS.roles}host-role`) {
    const expires = new Date(Date.now() + 6 * 3600_000).toISOString();
    const keys = { AccessKeyId: 'ASIAEXAMPLE', SecretAccessKey: 'secret', Token: 'session', Expiration: expires };
    return say(response, JSON.stringify({ Code: 'Success', LastUpdated: DOCUMENT.pendingTime, ...keys }));
  }
  refuse(response, 404);
}

export function say(response: ServerResponse, text: string): void {
  response.writeHead(200).end(text);
}

export function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status).end();
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
