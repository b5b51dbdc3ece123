import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { reservePort } from '../../local/free-port.ts';

describe('the port of the API', () => {
  test('any free one is one that no outgoing connection is given', async () => {
    // Linux: 32768 to 60999. A connection that took the port before its listener came kept the API from starting.
    for (const random of [0, 0.5, 0.999_999]) {
      const port = await reservePort(0, sequence([random, 0.25, 0.75]));
      expect(port).toBeGreaterThanOrEqual(20_000);
      expect(port).toBeLessThan(30_000);
    }
  });

  test('one that is taken is passed over, or refused if it was asked for by name', async () => {
    const taken = createServer().listen(20_000 + 1234, '127.0.0.1');
    await once(taken, 'listening');
    try {
      expect(await reservePort(0, sequence([0.1234, 0.4321]))).toBe(24_321);
      await expect(reservePort(21_234)).rejects.toThrow(/port 21234 cannot be used .*--port/);
    } finally {
      taken.close();
    }
  });
});

function sequence(numbers: readonly number[]): () => number {
  let n = 0;
  return () => numbers[n++ % numbers.length] ?? 0;
}
