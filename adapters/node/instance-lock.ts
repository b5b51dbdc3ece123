/**
 * A lock that dies with its holder (S1: one guard per machine), whatever ends it: an abstract unix socket, of which
 * the kernel allows one listener per name and network namespace. There is no file to be left behind or deleted.
 *
 * Whoever connects is told, in one text, what the holder says about itself.
 */
import { createHash } from 'node:crypto';
import { createConnection, createServer } from 'node:net';
import type { Server } from 'node:net';

const ANSWER_MS = 1_000;
const ANSWER_CHARS_MAX = 64 * 1024;
/** Questions must not cost the holder its file descriptors: further askers are turned away. */
const ASKERS_MAX = 16;

export interface InstanceLock {
  release(): Promise<void>;
}

export async function takeInstanceLock(name: string, about: () => string = () => ''): Promise<InstanceLock | 'held'> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined); // An asker that left early.
    socket.setTimeout(ANSWER_MS, () => socket.destroy()); // One that stays and never reads.
    socket.end(about());
  });
  server.maxConnections = ASKERS_MAX;
  if ((await listen(server, addressOf(name))) === 'held') return 'held';
  server.unref();
  return {
    release: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
}

/** What the holder says about itself; undefined if nobody holds the lock or no answer comes in time (a stopped holder). */
export function askLockHolder(name: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const socket = createConnection(addressOf(name));
    const end = (answer: string | undefined): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(ANSWER_MS, () => {
      end(undefined);
    });
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.length > ANSWER_CHARS_MAX) end(undefined);
    });
    socket.once('end', () => {
      end(text);
    });
    socket.once('error', () => {
      end(undefined);
    });
  });
}

/** Names of abstract sockets are bounded to 107 bytes, so the name is hashed. */
function addressOf(name: string): string {
  return `\0holdfast-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
}

function listen(server: Server, address: string): Promise<'listening' | 'held'> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve('held');
      else reject(error);
    });
    server.listen(address, () => {
      resolve('listening');
    });
  });
}
