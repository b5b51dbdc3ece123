import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceDefinition } from '../../../core/config/model.ts';
import { service } from '../../core/supervision/fixtures.ts';
import { type Bench, OCF_ROOT, openBench, orderOf, QUICK, until } from './bench.ts';

let bench: Bench;
let state: string;
beforeEach(() => {
  bench = openBench();
  state = join(bench.folder, 'state');
});
afterEach(() => bench.end());

function dummy(
  params: Readonly<Record<string, string>> = {},
  change: Partial<ServiceDefinition> = {},
): ServiceDefinition {
  return service('address', {
    ...QUICK,
    agent: { kind: 'ocf', provider: 'holdfast', type: 'dummy' },
    command: [],
    params: { state, journal: bench.journal, ...params },
    ...change,
  });
}

const reported = (line: string) => until(() => bench.reports.includes(line), line);

test('probe, start, stop, probe: as the standard has it', async () => {
  const supervisors = bench.supervisors();
  supervisors.obey(orderOf('start', 3, [dummy()]));
  await reported('start-3 started');
  expect(readFileSync(state, 'utf8')).toBe('3\n');
  expect(bench.leaves[0]?.cleanup).toMatchObject([
    {
      service: 'address',
      argv: [join(OCF_ROOT, 'resource.d/holdfast/dummy'), 'stop'],
      env: { OCF_RESKEY_state: state },
      timeoutMs: 5_000,
    },
  ]);
  supervisors.obey(orderOf('release', 3, [dummy()]));
  await reported('release-3 released');
  expect(existsSync(state)).toBe(false);
  expect(bench.lines()).toEqual(['monitor', 'start', 'stop', 'monitor'].map((action) => `shop-0-address ${action}`));
});

test('a stop that leaves it standing is a failed stop, whatever it says', async () => {
  const supervisors = bench.supervisors();
  supervisors.obey(orderOf('start', 1, [dummy({ stubborn: '1' })]));
  await reported('start-1 started');
  supervisors.obey(orderOf('release', 1, [dummy({ stubborn: '1' })]));
  await reported('release-1 failed: stop_failed: still running: address');
  expect(supervisors.reports()[0]?.phase).toBe('Failed');
});

test('what ran before this slot was heard of is stopped first, not taken over', async () => {
  writeFileSync(state, 'by hand');
  bench.supervisors().obey(orderOf('start', 2, [dummy()]));
  await reported('start-2 started');
  expect(bench.lines().slice(0, 4)).toEqual(
    ['monitor', 'stop', 'monitor', 'start'].map((action) => `shop-0-address ${action}`),
  );
  expect(readFileSync(state, 'utf8')).toBe('2\n');
});

test.each([
  ['says failed', () => writeFileSync(`${state}.broken`, '')],
  ['says not running', () => rmSync(state)],
])('a monitor that %s leads to a restart', async (_, harm) => {
  const supervisors = bench.supervisors();
  supervisors.obey(orderOf('start', 1, [dummy({}, { monitor: { everyMs: 50, timeoutMs: 2_000, failures: 1 } })]));
  await reported('start-1 started');
  harm();
  await until(() => bench.lines().includes('shop-0-address stop'), 'the stop of the restart');
  rmSync(`${state}.broken`, { force: true });
  await until(() => bench.lines().filter((line) => line.endsWith('start')).length === 2, 'started again');
  await until(() => supervisors.reports()[0]?.health === 'ok', 'healthy again');
});

test('an action that times out is killed with everything it started', async () => {
  const quick = { start: { timeoutMs: 300, attempts: 1 }, stop: { timeoutMs: 5_000, attempts: 1 } };
  bench.supervisors().obey(orderOf('start', 1, [dummy({ hang: 'start' }, { actions: quick })]));
  await until(() => bench.pids('address').length >= 3, 'its tree');
  await reported('start-1 failed: address: start_failed: start timed out: no end within 300 ms, killed');
  expect(bench.pids('address')).toEqual([]);
});

test('a start in flight is ended before the stop begins', async () => {
  const supervisors = bench.supervisors();
  supervisors.obey(orderOf('start', 1, [dummy({ hang: 'start' })]));
  await until(() => bench.pids('address').length >= 3, 'its tree');
  supervisors.obey(orderOf('release', 1, [dummy({ hang: 'start' })]));
  await reported('release-1 released');
  expect(bench.pids('address')).toEqual([]);
});

test('an agent that is not installed fails the start, and the slot can be released', async () => {
  const missing = dummy({}, { agent: { kind: 'ocf', provider: 'holdfast', type: 'nothing' } });
  const supervisors = bench.supervisors();
  supervisors.obey(orderOf('start', 1, [missing]));
  await until(() => bench.reports.length === 1, 'one report');
  expect(bench.reports[0]).toContain('resource.d/holdfast/nothing is not installed');
  supervisors.obey(orderOf('release', 1, [missing]));
  await reported('release-1 released');
});
