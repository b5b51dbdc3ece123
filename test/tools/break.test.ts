import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, jest, test } from '@jest/globals';

jest.setTimeout(30_000);

const ENTRY = fileURLToPath(new URL('../../tools/break.ts', import.meta.url));
const run = (...args: string[]) => spawnSync(process.execPath, [ENTRY, ...args], { encoding: 'utf8' });

describe('npm run break', () => {
  test('shows every fault and every mode of EC2 with a sentence, and how long EC2 takes', () => {
    const { status, stdout } = run();
    expect(status).toBe(0);
    for (const order of [
      'power-off HOST',
      'crash HOST',
      'stolen HOST',
      'cut HOST',
      'ec2 MODE [HOST]',
      'kill-control',
    ]) {
      expect(stdout).toMatch(new RegExp(`^  ${order.replace(/[[\]]/g, '\\$&')} +\\S+ \\S+`, 'm'));
    }
    for (const mode of [
      'throttled',
      'stuck-stopping',
      'stale',
      'empty',
      'late-events',
      'repeat-events',
      'no-capacity',
      'unauthorized',
      'stuck-detaching',
    ]) {
      expect(stdout).toMatch(new RegExp(`^  ${mode} +\\S+ \\S+`, 'm'));
    }
    expect(stdout).toContain('a stop takes at least 400 ms');
  });

  test.each([
    [['burn', 'h1'], 'burn is no fault'],
    [['crash'], 'say which host'],
    [['ec2'], 'say how'],
    [['ec2', 'asleep'], 'say how'],
    [['ec2', 'stale', 'h1', 'h2'], 'too many words'],
    [['stop-control', 'h1'], 'too many words'],
  ])('%j is refused with advice', (args, advice) => {
    const { status, stderr } = run(...args);
    expect([status, stderr]).toEqual([2, expect.stringContaining(advice)]);
  });
});
