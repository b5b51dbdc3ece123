/** An API of fixed answers on a loopback port, and a terminal that keeps what it is shown. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { StreamMessage } from '../../core/protocol/views.ts';
import type { CliIo } from '../../cli/io.ts';
import { run } from '../../cli/program.ts';

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

export interface Reply {
  readonly status?: number;
  readonly body: unknown;
  /** Else application/json. */
  readonly type?: string;
}

export interface Api {
  readonly url: string;
  readonly asked: Asked[];
  close(): Promise<void>;
}

/** `answer` sees each request as it comes; a string body is sent as it is, anything else as JSON. */
export async function serve(answer: (asked: Asked) => Reply): Promise<Api> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void read(request).then((body) => {
      const { method = '', url = '', headers } = request;
      const one = { method, url, authorization: headers.authorization, type: headers['content-type'], body };
      asked.push(one);
      const reply = answer(one);
      response.writeHead(reply.status ?? 200, { 'content-type': reply.type ?? 'application/json' });
      response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((done) => {
      server.closeAllConnections();
      server.close(() => done());
    });
  return { url: `http://127.0.0.1:${port}`, asked, close };
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString('utf8');
}

/** Server-sent events, then the end of the stream. */
export function streamOf(messages: readonly StreamMessage[]): Reply {
  const body = messages.map(({ type, data }) => `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`).join('');
  return { type: 'text/event-stream', body };
}

export interface Shown {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

export interface StageOptions extends Partial<Pick<CliIo, 'env' | 'directory' | 'isTerminal' | 'isInteractive'>> {
  readonly nowMs?: number;
  /** What the operator answers to a question. */
  readonly says?: string;
  /** Called at each pause of a watch, with its number; the watch ends when it returns false. */
  readonly onPause?: (round: number) => Promise<boolean> | boolean;
}

export async function holdfast(argv: readonly string[], options: StageOptions = {}): Promise<Shown> {
  const shown = { out: '', err: '' };
  const stop = new AbortController();
  let rounds = 0;
  const io: CliIo = {
    out: (text) => void (shown.out += text),
    err: (text) => void (shown.err += text),
    isTerminal: options.isTerminal ?? false,
    isInteractive: options.isInteractive ?? false,
    env: options.env ?? {},
    directory: options.directory ?? process.cwd(),
    now: () => options.nowMs ?? 1_000_000,
    ask: (question) => {
      shown.err += question;
      return Promise.resolve(options.says ?? '');
    },
    sleep: async () => {
      rounds += 1;
      if ((await options.onPause?.(rounds)) !== true) stop.abort();
    },
    stopped: stop.signal,
  };
  const exit = await run(argv, io);
  return { exit, ...shown };
}
