/** A port on loopback for a process that will listen there later, and again after each of its restarts. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { HaError, messageOf } from '../core/failures/failures.ts';
import { invariant } from '../core/failures/invariant.ts';

/**
 * Below what Linux gives to outgoing connections (32768 and up, ip_local_port_range): a port that is merely free now
 * would be taken, every few hundred starts, by one of the system's own connections before its listener is there.
 */
const RANGE = { first: 20_000, count: 10_000 } as const;
const TRIES_MAX = 50;

/** `wanted` itself, or with 0 any that is free and that no outgoing connection will take. */
export async function reservePort(wanted: number, random: () => number = Math.random): Promise<number> {
  if (wanted !== 0) {
    const refusal = await tryPort(wanted);
    if (refusal === null) return wanted;
    const advice = 'end what listens there, or give another port by --port (0: any free one)';
    throw new HaError('conflict', `port ${String(wanted)} cannot be used (${refusal}): ${advice}`);
  }
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const port = RANGE.first + Math.floor(random() * RANGE.count);
    if ((await tryPort(port)) === null) return port;
  }
  throw new HaError('limit_exceeded', `none of ${String(TRIES_MAX)} ports from ${String(RANGE.first)} on is free`);
}

/** null: it can be listened on now. */
async function tryPort(port: number): Promise<string | null> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    return messageOf(error);
  }
  const address = server.address();
  invariant(typeof address === 'object' && address?.port === port, 'a server listens where it was told to');
  server.close();
  await once(server, 'close');
  return null;
}
