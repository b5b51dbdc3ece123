import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { HostConfig } from '../../../adapters/node/host-config.ts';
import { mark } from '../../../adapters/node/marks.ts';
import { endMarked, findMarked, signalAll } from '../../../adapters/node/processes.ts';
import { until } from './until.ts';

/** Real processes on a busy machine. */
jest.setTimeout(30_000);

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const INIT = path('../../../local/fleet/init.ts');
const GUARD = path('./stand-in-guard.ts');

let folder = '';
let instance = '';
let init: ChildProcess;

function powerOn(behaviour: 'fed' | 'unfed' | 'exits' | 'disarmed'): void {
  const instanceMark = randomUUID();
  instance = mark('instance', instanceMark);
  const config: HostConfig = {
    cluster: 'test',
    host: 'h1',
    principal: 'arn:h1',
    machine: 'i-1',
    bootId: 'boot-1',
    launchTime: '2026-01-01T00:00:00.000Z',
    stateDir: join(folder, 'state'),
    region: 'local',
    tables: { heartbeats: 'heartbeats', registry: 'registry' },
    instanceMark,
    watchdog: { kind: 'init' },
    guardEntry: GUARD,
    agentEntry: GUARD,
    sampleCommand: [],
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  writeFileSync(join(config.stateDir, 'behaviour'), behaviour);
  init = spawn(process.execPath, [INIT, '--config', join(folder, 'config.json')], {
    env: { PATH: process.env['PATH'], HOLDFAST_INSTANCE: instanceMark },
    detached: true,
    stdio: ['pipe', 'inherit', 'inherit'],
  });
}

const starts = (): number[] => {
  try {
    return readFileSync(join(folder, 'state', 'starts'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => Number(line.split(' ')[0]));
  } catch {
    return [];
  }
};
const services = (): number[] => findMarked([instance, mark('role', 'service')]);
const guards = (): number[] => findMarked([instance, mark('role', 'guard')]);
const started = (n: number) =>
  until(`start ${String(n)} of the guard`, () => starts().length >= n && services().length === 3);
const logged = (): string => readFileSync(join(folder, 'instance.log'), 'utf8');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-init-'));
  mkdirSync(join(folder, 'state'));
});
afterEach(async () => {
  await endMarked(instance);
  rmSync(folder, { recursive: true });
});

describe('init', () => {
  test('leaves a guard that feeds it alone', async () => {
    powerOn('fed');
    await started(1);
    const before = findMarked(instance).toSorted();
    expect(before).toHaveLength(5); // Init, guard, and a service of three.
    await until('some time-outs to pass', () => uptimePassed(1_000));
    expect(findMarked(instance).toSorted()).toEqual(before);
  });

  test('a killed guard takes everything with it before the next one starts', async () => {
    powerOn('fed');
    await started(1);
    const first = services();
    signalAll(guards(), 'SIGKILL');
    await started(2);
    expect(services().filter((pid) => first.includes(pid))).toEqual([]);
    expect(logged()).toContain('guard ended (SIGKILL); everything ended');
  });

  test('a stopped guard is ended with everything else', async () => {
    powerOn('fed');
    await started(1);
    const first = [...guards(), ...services()];
    signalAll(guards(), 'SIGSTOP');
    await started(2);
    expect(findMarked(instance).filter((pid) => first.includes(pid))).toEqual([]);
    expect(logged()).toContain('guard did not feed the watchdog for 400 ms');
  });

  test('a guard that never feeds is ended; one that disarmed is not', async () => {
    powerOn('unfed');
    await started(2);
    await endMarked(instance);
    rmSync(join(folder, 'state', 'starts'));
    powerOn('disarmed');
    await started(1);
    const before = guards();
    await until('some time-outs to pass', () => uptimePassed(1_000));
    expect(guards()).toEqual(before);
  });

  test('a guard that keeps exiting is started again and again, with one set of services at most', async () => {
    powerOn('exits');
    await until('three starts', () => {
      expect(services().length).toBeLessThanOrEqual(4); // Three, and the shell that double forks.
      return starts().length >= 3;
    });
    expect(logged()).toContain('guard ended (exit status 7)');
    expect(logged()).toContain('starts again in 200 ms');
  });

  test.each(['the end of its standard input', 'SIGTERM'])('%s powers off', async (how) => {
    powerOn('fed');
    await started(1);
    const exit = once(init, 'exit');
    if (how === 'SIGTERM') init.kill('SIGTERM');
    else init.stdin?.end();
    expect(await exit).toEqual([0, null]);
    expect(findMarked(instance)).toEqual([]);
    expect(starts()).toHaveLength(1);
  });
});

/** True once the given time has passed since the first call of a test: nothing can be awaited where nothing may happen. */
let since: number | undefined;
function uptimePassed(ms: number): boolean {
  since ??= performance.now();
  if (performance.now() - since < ms) return false;
  since = undefined;
  return true;
}
