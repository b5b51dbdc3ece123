import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createServiceLogs } from '../../../agent/services/service-log.ts';
import { unitOf } from '../../../agent/services/unit.ts';
import { service } from '../../core/supervision/fixtures.ts';
import { type Bench, openBench, orderOf } from './bench.ts';

let bench: Bench;
beforeEach(() => {
  bench = openBench();
});
afterEach(() => bench.end());

test('a log that has grown too large is cut under its writer, which goes on at the new end', () => {
  const one = service('one');
  const unit = unitOf({ cluster: 'test', host: 'h1', env: {} }, orderOf('start', 1, [one]), one);
  const logs = createServiceLogs(bench.folder);
  const file = join(bench.folder, 'shop.0.one.log');
  logs.lend(unit, (fd) => {
    writeSync(fd, 'x'.repeat(1_048_577));
    logs.bound(unit);
    writeSync(fd, 'after');
  });
  expect(readFileSync(file, 'utf8')).toBe('after');
  expect(statSync(`${file}.1`).size).toBe(1_048_577);
  logs.bound(unit);
  expect(readFileSync(file, 'utf8')).toBe('after');
});
