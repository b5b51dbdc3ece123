/** The witness: an append-only log of who ran when and what it wrote, on one clock, outside everything that fails. */
import { once } from 'node:events';
import { createWriteStream, openSync, renameSync } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { Hello, WitnessEntry } from './protocol.ts';
import { WitnessRequest, lineSplitter } from './protocol.ts';

export interface Witness {
  close(): Promise<void>;
}

export interface WitnessOptions {
  readonly socket: string;
  readonly log: string;
  /** A longer log moves to `LOG.1`, in place of an earlier one; without it nothing is ever dropped. */
  readonly bytesMax?: number | undefined;
}

export async function startWitness(options: WitnessOptions): Promise<Witness> {
  await rm(options.socket, { force: true }); // Of an earlier witness that was killed.
  const witness = new Log(options);
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    serve(socket, witness);
  });
  server.listen(options.socket);
  await once(server, 'listening');
  return {
    async close() {
      server.close();
      await Promise.all([...open].map(endSocket)); // Their closes belong to the log.
      await witness.close();
    },
  };
}

type Unstamped = WitnessEntry extends infer E ? (E extends WitnessEntry ? Omit<E, 't'> : never) : never;

function endSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => {
      resolve();
    });
    socket.destroy();
  });
}

/** Values acknowledged so far, and the log of how they came about. */
class Log {
  readonly #options: WitnessOptions;
  #file: WriteStream;
  #bytes = 0;
  readonly #startedAt = process.hrtime.bigint();
  readonly #values = new Map<string, number>();
  #connections = 0;

  constructor(options: WitnessOptions) {
    this.#options = options;
    this.#file = createWriteStream(options.log, { fd: openSync(options.log, 'a') });
  }

  nextConnection(): number {
    this.#connections += 1;
    return this.#connections;
  }

  /** `written` is called once this entry and all before it are on file. */
  add(entry: Unstamped, written?: () => void): number {
    const t = Number((process.hrtime.bigint() - this.#startedAt) / 1_000n);
    const line = `${JSON.stringify({ t, ...entry })}\n`;
    this.#bytes += line.length;
    if (this.#bytes > (this.#options.bytesMax ?? Number.POSITIVE_INFINITY)) this.#startAnew(line.length);
    this.#file.write(line, written);
    return t;
  }

  async close(): Promise<void> {
    this.#file.end();
    await once(this.#file, 'close');
  }

  #startAnew(bytes: number): void {
    this.#file.end();
    renameSync(this.#options.log, `${this.#options.log}.1`);
    this.#file = createWriteStream(this.#options.log, { fd: openSync(this.#options.log, 'a') });
    this.#bytes = bytes;
  }

  value(hello: Hello): number {
    return this.#values.get(`${hello.slot} ${hello.service}`) ?? 0;
  }

  store(hello: Hello, value: number): void {
    this.#values.set(`${hello.slot} ${hello.service}`, value);
  }
}

function serve(socket: Socket, log: Log): void {
  const c = log.nextConnection();
  let said: Hello | undefined;
  log.add({ c, e: 'open' });
  socket.setEncoding('utf8');
  const answer = (value: object): void => void socket.write(`${JSON.stringify(value)}\n`);
  const onLine = lineSplitter((line) => {
    const request = WitnessRequest.parse(JSON.parse(line));
    if ('hello' in request) {
      said = request.hello;
      log.add({ c, e: 'hello', ...said });
      answer({ value: log.value(said) });
    } else if ('mark' in request) {
      const marked = log.add({ c, e: 'mark', mark: request.mark }, () => {
        answer({ marked });
      });
    } else if (said !== undefined) {
      const value = request.write;
      log.add({ c, e: 'write', slot: said.slot, service: said.service, value, epoch: said.epoch });
      log.store(said, value);
      log.add({ c, e: 'ack', value });
      answer({ ack: value });
    }
  });
  socket.on('data', (chunk: string) => {
    try {
      onLine(chunk);
    } catch {
      socket.destroy(); // Not ours, or broken: its close is logged like any other.
    }
  });
  socket.on('error', () => undefined); // Followed by close.
  socket.on('close', () => log.add({ c, e: 'close' }));
}
