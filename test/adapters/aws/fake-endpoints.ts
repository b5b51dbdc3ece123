import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { Server as TcpServer, Socket } from 'node:net';

export interface Endpoint {
  readonly url: string;
  /** Requests (or, of a black hole, connections) that arrived. */
  readonly arrived: () => number;
  close(): Promise<void>;
}

/** Takes connections and never says a word: what a cut network looks like from a host. */
export async function blackHole(): Promise<Endpoint> {
  const sockets = new Set<Socket>();
  let arrived = 0;
  const server = createTcpServer((socket) => {
    arrived++;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.resume();
  });
  return {
    url: await listening(server),
    arrived: () => arrived,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return closed(server);
    },
  };
}

/** Answers each request as told. */
export async function answering(answer: (operation: string, response: ServerResponse) => void): Promise<Endpoint> {
  let arrived = 0;
  const server = createServer((request, response) => {
    arrived++;
    request.resume();
    request.on('end', () => answer(operationOf(request), response));
  });
  return { url: await listening(server), arrived: () => arrived, close: () => closed(server) };
}

export function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
  response.end(JSON.stringify(body));
}

export interface LossyProxy extends Endpoint {
  /** The next `times` answers to `operation` are lost after the commit; `meanwhile` runs before the client can know. */
  loseAnswer(
    operation: string,
    options?: { readonly times?: number; readonly meanwhile?: () => Promise<unknown> },
  ): void;
}

/** Passes everything on to `target`. */
export async function lossyProxy(target: string): Promise<LossyProxy> {
  let arrived = 0;
  let loss: { readonly operation: string; readonly meanwhile: () => Promise<unknown>; left: number } | undefined;
  const server = createServer((request, response) => {
    arrived++;
    const onward = httpRequest(target, { method: request.method, headers: request.headers }, (answer) => {
      if (loss === undefined || loss.left === 0 || loss.operation !== operationOf(request)) {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
        return;
      }
      loss.left--;
      answer.resume();
      void loss.meanwhile().then(() => request.socket.destroy());
    });
    request.pipe(onward);
  });
  return {
    url: await listening(server),
    arrived: () => arrived,
    loseAnswer: (operation, { times = 1, meanwhile = async () => undefined } = {}) => {
      loss = { operation, meanwhile, left: times };
    },
    close: () => closed(server),
  };
}

function operationOf(request: IncomingMessage): string {
  return String(request.headers['x-amz-target']).split('.')[1] ?? '';
}

export function listening(server: HttpServer | TcpServer): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(`http://127.0.0.1:${address.port}`);
    });
  });
}

function closed(server: HttpServer | TcpServer): Promise<void> {
  if ('closeAllConnections' in server) server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
