import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { listenOnLoopback } from '../../local/free-port.ts';

const servers: Server[] = [];

function server(): Server {
  const made = createServer();
  servers.push(made);
  return made;
}

afterEach(() => {
  for (const each of servers.splice(0)) each.close();
});

describe('the port of the front door', () => {
  test('any free one is one that no outgoing connection is given', async () => {
    // Linux: 32768 to 60999.
    for (const random of [0, 0.5, 0.999_999]) {
      const port = await listenOnLoopback(server(), 0, sequence([random, 0.25, 0.75]));
      expect(port).toBeGreaterThanOrEqual(20_000);
      expect(port).toBeLessThan(30_000);
    }
  });

  test('one that is taken is passed over, or refused if it was asked for by name', async () => {
    const taken = server().listen(20_000 + 1234, '127.0.0.1');
    await once(taken, 'listening');
    const found = server();
    expect(await listenOnLoopback(found, 0, sequence([0.1234, 0.4321]))).toBe(24_321);
    expect(found.listening).toBe(true);
    await expect(listenOnLoopback(server(), 21_234)).rejects.toThrow(/port 21234 cannot be used .*--port/);
  });
});

function sequence(numbers: readonly number[]): () => number {
  let n = 0;
  return () => numbers[n++ % numbers.length] ?? 0;
}
