import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openLogFile } from '../../../local/fleet/log-file.ts';

test('a log beyond its bound is kept once aside, and writers that hold it open go on', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-log-'));
  const path = join(folder, 'instance.log');
  const log = openLogFile(path, 10);
  appendFileSync(path, '0123456789');
  log.rotate();
  expect(readFileSync(path, 'utf8')).toBe('0123456789');
  writeSync(log.fd, 'A');
  log.rotate();
  expect([readFileSync(path, 'utf8'), readFileSync(`${path}.1`, 'utf8')]).toEqual(['', '0123456789A']);
  writeSync(log.fd, 'next');
  expect(readFileSync(path, 'utf8')).toBe('next');
  log.close();
  rmSync(folder, { recursive: true });
});
