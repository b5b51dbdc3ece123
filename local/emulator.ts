/** DynamoDB for the local runtime: dynalite in this process, on loopback only. */
import { createRequire } from 'node:module';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { mkdir } from 'node:fs/promises';
import dynalite from 'dynalite';
import { HaError, messageOf } from '../core/failures/failures.ts';
import { invariant } from '../core/failures/invariant.ts';
import type { Millis } from '../core/time/time.ts';

/** How long requests under way may take to end when the emulator closes. */
const CLOSE_GRACE_MS: Millis = 1_000;

export interface Emulator {
  readonly port: number;
  readonly url: string;
  /** Answers what is under way, then frees the folder. */
  close(): Promise<void>;
}

export interface EmulatorOptions {
  /** Folder that keeps the data; in memory if absent. */
  readonly path?: string | undefined;
  /** 0 or absent: any free port. */
  readonly port?: number | undefined;
}

export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  if (options.path !== undefined) await checkFolder(options.path);
  const server = dynalite({
    ...(options.path === undefined ? {} : { path: options.path }),
    createTableMs: 0,
    deleteTableMs: 0,
    updateTableMs: 0,
  });
  const traffic = watchTraffic(server);
  const port = await listen(server, options.port ?? 0);
  return { port, url: `http://127.0.0.1:${port}`, close: () => close(server, traffic) };
}

/**
 * dynalite opens its database in the background and throws out of a callback when that failed, which would end the
 * runtime without a reason. So it is opened and closed once before.
 */
async function checkFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  const database = openDatabase(path);
  try {
    await database.open();
  } catch (error) {
    const cause = fieldOf(error, 'cause');
    const locked = fieldOf(cause, 'code') === 'LEVEL_LOCKED';
    throw new HaError(
      locked ? 'conflict' : 'store_unavailable',
      locked
        ? `the data folder ${path} is in use by another runtime: stop that one, or give this one another folder`
        : `the data folder ${path} cannot be opened: ${messageOf(cause ?? error)}`,
      { cause: error },
    );
  }
  await database.close();
}

/** By shape and not by `instanceof`: the error may come from another realm (Jest). */
function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

interface Database {
  open(): Promise<void>;
  close(): Promise<void>;
}

/** The very LevelDB that dynalite uses, found where dynalite finds it: another version might lock differently. */
function openDatabase(path: string): Database {
  const fromDynalite = createRequire(createRequire(import.meta.url).resolve('dynalite'));
  const level: unknown = fromDynalite('level');
  const { Level } = level as { readonly Level: new (path: string, options: object) => Database };
  return new Level(path, { valueEncoding: 'json' });
}

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

interface Traffic {
  /** Takes no request any more; resolves when those under way are answered, or the limit passes. */
  end(limitMs: Millis): Promise<void>;
}

/**
 * dynalite throws when a client hangs up in mid-request, and when its database closes under a request whose client has
 * gone; here hosts are cut off and killed for a living.
 */
function watchTraffic(server: Server): Traffic {
  const [handler] = server.listeners('request');
  invariant(handler !== undefined, 'dynalite serves requests');
  const handle = handler as Handle;
  const underWay = new Set<ServerResponse>();
  let isEnding = false;
  let onIdle = (): void => undefined;
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (isEnding) {
      response.destroy();
      return;
    }
    // From its last byte to the answer, whether or not anybody is there to read it.
    request.once('end', () => underWay.add(response));
    whenAnswered(response, () => {
      underWay.delete(response);
      if (underWay.size === 0) onIdle();
    });
    handle(request, response);
    request.removeAllListeners('error');
    request.on('error', () => response.destroy());
  });
  return {
    async end(limitMs) {
      isEnding = true;
      if (underWay.size === 0) return;
      await new Promise<void>((resolve) => {
        onIdle = resolve;
        setTimeout(resolve, limitMs).unref();
      });
    },
  };
}

/** Not its events: those of a response whose client has gone come before the work on it is done. */
function whenAnswered(response: ServerResponse, done: () => void): void {
  const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse;
  response.end = (...args: unknown[]) => {
    done();
    return end(...args);
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(new HaError('store_unavailable', `the emulator cannot listen on 127.0.0.1:${port}: ${messageOf(error)}`));
    });
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      invariant(typeof address === 'object' && address !== null, 'a TCP server has a port');
      resolve(address.port);
    });
  });
}

async function close(server: Server, traffic: Traffic): Promise<void> {
  await traffic.end(CLOSE_GRACE_MS);
  await new Promise<void>((resolve, reject) => {
    const cut = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
    server.close((error) => {
      clearTimeout(cut);
      if (error === undefined || error === null) resolve();
      else
        reject(new HaError('store_unavailable', `the emulator did not close: ${messageOf(error)}`, { cause: error }));
    });
  });
}
