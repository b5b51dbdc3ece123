import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { service } from '../../core/supervision/fixtures.ts';
import { type Bench, environmentOfService, openBench, orderOf, QUICK, readLines, shell, until } from './bench.ts';

let bench: Bench;
beforeEach(() => {
  bench = openBench();
});
afterEach(() => bench.end());

const pair = () => [shell('base', bench.journal), shell('top', bench.journal, { dependsOn: ['base'] })];
const started = (count = 1) =>
  until(() => bench.reports.filter((line) => line.includes(' started')).length === count, 'started');
const reported = (line: string) => until(() => bench.reports.includes(line), line);

describe('start and release', () => {
  test('bottom up, and top down again', async () => {
    const supervisors = bench.supervisors();
    supervisors.obey(orderOf('start', 1, pair()));
    await started();
    await until(() => bench.lines().length === 2, 'both wrote');
    expect(supervisors.reports()).toEqual([{ group: 'shop', slot: 0, epoch: 1, phase: 'Active', health: 'ok' }]);
    supervisors.obey(orderOf('release', 1, pair()));
    await reported('release-1 released');
    expect(bench.lines()).toEqual(['base up', 'top up', 'top down', 'base down']);
    expect([...bench.pids('base'), ...bench.pids('top')]).toEqual([]);
    expect(bench.leaves.map(({ epoch, covered, cleanup }) => ({ epoch, covered, cleanup }))).toEqual([
      { epoch: 1, covered: true, cleanup: [] },
      { epoch: 1, covered: true, cleanup: [] },
    ]);
  });

  test('a service is told who it is, and nothing of the agent', async () => {
    process.env['AWS_SECRET_ACCESS_KEY'] = 'not for services';
    bench.supervisors().obey(orderOf('start', 7, [shell('base', bench.journal, { params: { 'max-size': '9' } })]));
    await started();
    const environment = environmentOfService(bench, 'base');
    delete process.env['AWS_SECRET_ACCESS_KEY'];
    expect(environment).toMatchObject({
      HOLDFAST_ROLE: 'service',
      HOLDFAST_SLOT: 'test/shop/0',
      HOLDFAST_UNIT: 'test/shop/0/base',
      HOLDFAST_SERVICE: 'base',
      HOLDFAST_EPOCH: '7',
      HOLDFAST_HOST: 'h1',
      HOLDFAST_SESSION: 's1',
      HOLDFAST_PARAM_MAX_SIZE: '9',
    });
    expect(environment['AWS_SECRET_ACCESS_KEY']).toBeUndefined();
  });

  test('without leave nothing is started', async () => {
    bench.guard.grants = false;
    const supervisors = bench.supervisors();
    supervisors.obey(orderOf('start', 1, pair()));
    await until(() => bench.leaves.length === 2, 'asked twice');
    expect(supervisors.reports()[0]).toMatchObject({
      phase: 'Starting',
      detail: 'no leave to start: the bench says so',
    });
    expect(bench.lines()).toEqual([]);
    bench.guard.grants = true;
    await started();
  });

  test.each([
    ['a command that does not exist', ['/no/such/command'], 'ENOENT'],
    ['one that ends at once', ['sh', '-c', 'exit 3'], 'exit 3'],
  ])('%s fails the start, once', async (_, command, words) => {
    bench
      .supervisors()
      .obey(orderOf('start', 1, [shell('base', bench.journal), service('bad', { ...QUICK, command })]));
    await until(() => bench.reports.length === 1, 'one report');
    expect(bench.reports[0]).toContain('start-1 failed: bad: start_failed');
    expect(bench.reports[0]).toContain(words);
    expect(bench.pids('base')).toEqual([]);
  });

  test('a guard without a proof: never reported released', async () => {
    bench.guard.proves = false;
    const supervisors = bench.supervisors();
    supervisors.obey(orderOf('start', 1, [shell('base', bench.journal)]));
    await started();
    supervisors.obey(orderOf('release', 1, [shell('base', bench.journal)]));
    await reported('release-1 failed: stop_failed: the guard could not prove the slot stopped');
    expect(supervisors.reports()[0]?.phase).toBe('Failed');
    bench.guard.proves = true;
    supervisors.obey(orderOf('release', 1, [shell('base', bench.journal)]));
    await reported('release-1 released');
  }, 20_000);

  test('kinds that cannot be driven are refused with the reason', () => {
    const unit = service('db', { agent: { kind: 'systemd', unit: 'postgresql' } });
    bench.supervisors().obey(orderOf('start', 1, [unit]));
    expect(bench.reports).toEqual(['start-1 failed: db: systemd:postgresql: this agent does not drive systemd units']);
  });

  test('a standby runs nothing', async () => {
    const supervisors = bench.supervisors();
    supervisors.obey(orderOf('standby', 1, pair()));
    await reported('standby-1 standing-by');
    expect(supervisors.reports()).toEqual([{ group: 'shop', slot: 0, epoch: 1, phase: 'Standby', health: 'ok' }]);
    supervisors.keepOnly([]);
    expect(supervisors.reports()).toEqual([]);
  });
});

describe('crash', () => {
  const kill = (name: string) => process.kill(bench.main(name), 'SIGKILL');

  test('the dependant is stopped, then both start again', async () => {
    const supervisors = bench.supervisors();
    supervisors.obey(orderOf('start', 1, pair()));
    await started();
    await until(() => bench.lines().length === 2, 'both up');
    kill('base');
    await until(() => bench.lines().length === 5 && supervisors.reports()[0]?.health === 'ok', 'both up again');
    expect(bench.lines()).toEqual(['base up', 'top up', 'top down', 'base up', 'top up']);
  });

  test('after the last allowed restart the slot stops and fails', async () => {
    const supervisors = bench.supervisors();
    supervisors.obey(orderOf('start', 1, pair()));
    await started();
    for (let ups = 1; ups <= 3; ups += 1) {
      const isUp = () =>
        supervisors.reports()[0]?.health === 'ok' && bench.lines().filter((line) => line === 'base up').length === ups;
      await until(isUp, `up ${ups}`);
      kill('base');
    }
    await until(() => bench.reports.length === 2, 'failed');
    expect(bench.reports[1]).toContain('start-1 failed: base: crashed too often');
    expect(supervisors.reports()[0]?.phase).toBe('Failed');
    expect(bench.pids('top')).toEqual([]);
  });
});

test('a stubborn service is killed, with children that had left its group and session', async () => {
  const script = `trap '' TERM; (setsid sh -c 'trap "" TERM; while :; do sleep 1; done' &) ; echo up >> "$0"; while :; do sleep 1; done`;
  const stubborn = service('base', {
    ...QUICK,
    command: ['sh', '-c', script, bench.journal],
    actions: { start: { timeoutMs: 5_000, attempts: 1 }, stop: { timeoutMs: 200, attempts: 1 } },
  });
  const supervisors = bench.supervisors();
  supervisors.obey(orderOf('start', 1, [stubborn]));
  await started();
  await until(() => bench.pids('base').length >= 3, 'its family');
  supervisors.obey(orderOf('release', 1, [stubborn]));
  await reported('release-1 released');
  expect(bench.pids('base')).toEqual([]);
});

describe('lease', () => {
  test('stopCovered resolves when all is down; resume starts the same epoch again', async () => {
    const supervisors = bench.supervisors();
    supervisors.obey(orderOf('start', 1, pair()));
    await started();
    await until(() => bench.lines().length === 2, 'both up');
    await supervisors.stopCovered('the lease runs out');
    expect([...bench.pids('base'), ...bench.pids('top')]).toEqual([]);
    expect(supervisors.reports()[0]?.phase).toBe('Stopped');
    supervisors.resume();
    await started(2);
    expect(supervisors.reports()[0]).toMatchObject({ phase: 'Active', epoch: 1 });
  });

  test('what is not covered runs on', async () => {
    const supervisors = bench.supervisors();
    const order = orderOf('start', 1, [shell('base', bench.journal)]);
    supervisors.obey({ ...order, spec: { ...order.spec, redundancy: { model: 'n', active: 1, exclusive: false } } });
    await started();
    const pids = bench.pids('base').slice(0, 1);
    await supervisors.stopCovered('the lease runs out');
    expect(bench.pids('base')).toEqual(expect.arrayContaining(pids));
    expect(supervisors.reports()[0]?.phase).toBe('Active');
  });
});

test('drain releases everything', async () => {
  const supervisors = bench.supervisors();
  supervisors.obey(orderOf('start', 1, pair()));
  await started();
  await supervisors.drain(10_000);
  expect(bench.reports.at(-1)).toBe('start-1 released');
  expect([...bench.pids('base'), ...bench.pids('top')]).toEqual([]);
});

describe('an agent that is killed', () => {
  const runAgent = async (order: ReturnType<typeof orderOf>) => {
    const output = join(bench.folder, 'agent-output');
    const script = join(import.meta.dirname, 'agent-process.ts');
    const agent = spawn(process.execPath, [script, bench.folder, bench.mark, JSON.stringify(order)], {
      env: { ...process.env, NODE_NO_WARNINGS: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    agent.stdout.on('data', (data: Buffer) => writeFileSync(output, data, { flag: 'a' }));
    await until(() => readLines(output).includes(`${order.id} started`), 'the other agent started it');
    agent.kill('SIGKILL');
    await new Promise((resolve) => agent.once('exit', resolve));
  };

  test('is invisible to its services: the next one adopts them, and sees their death', async () => {
    const order = orderOf('start', 1, pair());
    await runAgent(order);
    await until(() => bench.lines().length === 2, 'both up');
    const base = bench.main('base');

    const supervisors = bench.supervisors();
    await until(() => supervisors.reports()[0]?.phase === 'Active', 'both found running');
    supervisors.obey(order);
    await started();
    expect(bench.leaves).toEqual([]);
    expect(bench.lines()).toEqual(['base up', 'top up']);

    process.kill(base, 'SIGKILL');
    await until(() => bench.lines().length === 5, 'both restarted');
    expect(bench.lines().slice(2)).toEqual(['top down', 'base up', 'top up']);
  }, 20_000);

  test('a service that died meanwhile is started only when the order comes again', async () => {
    const order = orderOf('start', 1, [shell('base', bench.journal)]);
    await runAgent(order);
    for (const pid of bench.pids('base')) process.kill(pid, 'SIGKILL');
    await until(() => bench.pids('base').length === 0, 'gone');
    const supervisors = bench.supervisors();
    const file = join(bench.folder, 'slots', 'shop.0.json');
    await until(() => readFileSync(file, 'utf8').includes('"lives":{}'), 'probed, and found stopped');
    expect(supervisors.reports()[0]?.phase).toBe('Unknown');
    // Its slot may have gone elsewhere while this machine was off: nothing is left to be said of it here.
    supervisors.keepOnly([]);
    expect(supervisors.reports()).toEqual([]);
    expect(bench.leaves).toEqual([]);
    supervisors.obey(order);
    await started();
    expect(bench.leaves).toHaveLength(1);
  }, 20_000);

  test('the process left behind by a lost slot file is found by its marks', async () => {
    const order = orderOf('start', 1, [shell('base', bench.journal)]);
    await runAgent(order);
    const pids = bench.pids('base').slice(0, 1);
    writeFileSync(join(bench.folder, 'slots', 'shop.0.json'), '{ half');
    bench.supervisors().obey(order);
    await started();
    expect(bench.leaves).toEqual([]);
    expect(bench.pids('base')).toEqual(expect.arrayContaining(pids));
  }, 20_000);
});
