/**
 * Probes an application where its users reach it. `answered` means that somebody answers there, not who (a floating
 * address may have moved) and not that it serves well.
 */
import { createConnection } from 'node:net';
import type { Probe } from '../../core/ports.ts';
import type { Millis } from '../../core/time/time.ts';

/** An answer of the server that says that it cannot serve. */
const SERVER_ERRORS_FROM = 500;

export const networkProbe: Probe = {
  ask: (target, timeoutMs) =>
    target.kind === 'tcp' ? askTcp(target.address, target.port, timeoutMs) : askHttp(target.url, timeoutMs),
};

function askTcp(host: string, port: number, timeoutMs: Millis): Promise<'answered' | 'silent'> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port });
    // Not the socket's own time-out: that one starts anew with each step, such as the look-up of a name.
    const timer = setTimeout(() => end('silent'), timeoutMs);
    const end = (outcome: 'answered' | 'silent'): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    socket.once('connect', () => end('answered'));
    socket.on('error', () => end('silent'));
  });
}

async function askHttp(url: string, timeoutMs: Millis): Promise<'answered' | 'silent'> {
  try {
    // A redirect is an answer; following it would ask somebody else.
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
    await response.body?.cancel();
    return response.status < SERVER_ERRORS_FROM ? 'answered' : 'silent';
  } catch {
    return 'silent';
  }
}
