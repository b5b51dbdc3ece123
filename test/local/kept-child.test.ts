import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { processStart } from '../../adapters/node/processes.ts';
import { keepChild } from '../../local/kept-child.ts';
import { until } from './fleet/until.ts';

test('a killed child comes back, a stopped one stays away until it is started, an ended one ends in order', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-child-'));
  const journal = join(folder, 'journal');
  appendFileSync(journal, '');
  const script = `const { appendFileSync } = require('node:fs');
    const say = (what) => appendFileSync(${JSON.stringify(journal)}, what + '\\n');
    process.on('SIGTERM', () => { say('end'); process.exit(0); });
    process.stdin.resume().on('end', () => process.exit(0));
    say(String(process.pid));`;
  const said: string[] = [];
  const child = keepChild({
    name: 'the child',
    args: ['-e', script],
    logFile: join(folder, 'log'),
    log: (text) => said.push(text),
  });
  const lines = (): string[] => readFileSync(journal, 'utf8').split('\n').slice(0, -1);
  const isAlive = (pid: string | undefined): boolean => processStart(Number(pid)) !== undefined;

  child.start();
  child.start();
  await until('the first', () => lines().length === 1);
  child.kill();
  await until('the second', () => lines().length === 2);
  expect(said).toEqual([`the child ended (SIGKILL), starting it again; see ${join(folder, 'log')}`]);
  await child.stop();
  expect(lines().map(isAlive)).toEqual([false, false]);
  child.start();
  await until('the third', () => lines().length === 3);
  await child.end();
  expect(lines()[3]).toBe('end');
  expect(isAlive(lines()[2])).toBe(false);
  rmSync(folder, { recursive: true });
});
