/** Listening on loopback, at a port that is asked for or at any free one. */
import { once } from 'node:events';
import type { Server } from 'node:net';
import { HaError, messageOf } from '../core/failures/failures.ts';

/**
 * Below what Linux gives to outgoing connections (32768 and up, ip_local_port_range), so that a runtime which is started
 * again with the port it had before finds it free.
 */
const RANGE = { first: 20_000, count: 10_000 } as const;
const TRIES_MAX = 50;

/** Listens on `wanted` itself, or with 0 on any that is free; answers which. Nobody can take it before the server ends. */
export async function listenOnLoopback(
  server: Server,
  wanted: number,
  random: () => number = Math.random,
): Promise<number> {
  if (wanted !== 0) {
    const refusal = await tryPort(server, wanted);
    if (refusal === null) return wanted;
    const advice = 'end what listens there, or give another port by --port (0: any free one)';
    throw new HaError('conflict', `port ${String(wanted)} cannot be used (${refusal}): ${advice}`);
  }
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const port = RANGE.first + Math.floor(random() * RANGE.count);
    if ((await tryPort(server, port)) === null) return port;
  }
  throw new HaError('limit_exceeded', `none of ${String(TRIES_MAX)} ports from ${String(RANGE.first)} on is free`);
}

/** null: it listens there now. */
async function tryPort(server: Server, port: number): Promise<string | null> {
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
