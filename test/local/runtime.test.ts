import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readHostConfig } from '../../adapters/node/host-config.ts';
import { mark } from '../../adapters/node/marks.ts';
import { findMarked } from '../../adapters/node/processes.ts';
import { openStateFolder } from '../../local/state-folder.ts';
import { until } from './fleet/until.ts';

const MAIN = fileURLToPath(new URL('../../local/main.ts', import.meta.url));
const LIMIT_MS = 60_000;

let folder = '';
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-runtime-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await until('the end of every process', () => processesOf(folder).length === 0);
  rmSync(folder, { recursive: true });
});

function start(...args: string[]) {
  const child = spawn(process.execPath, [MAIN, '--state', folder, '--port', '0', '--no-control', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let text = '';
  child.stdout.on('data', (chunk) => (text += String(chunk)));
  child.stderr.on('data', (chunk) => (text += String(chunk)));
  return { child, said: () => text };
}

/** Pids of everything that works for a runtime on this folder, by command line or mark; the test itself left out. */
function processesOf(path: string): number[] {
  const named = readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid && commandLine(pid).includes(path));
  const hosts = join(path, 'hosts');
  const configs = existsSync(hosts) ? readdirSync(hosts).map((host) => join(hosts, host, 'config.json')) : [];
  const marked = configs
    .filter((file) => existsSync(file))
    .flatMap((file) => findMarked(mark('instance', readHostConfig(file).instanceMark)));
  return [...new Set([...named, ...marked])];
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

describe('local runtime', () => {
  test(
    'runs one at a time on a folder, says where it is, and ends everything in order',
    async () => {
      const first = start();
      await until('the runtime', () => first.said().includes('Ctrl-C ends everything'), LIMIT_MS);
      const found = JSON.parse(readFileSync(join(folder, 'runtime.json'), 'utf8')) as {
        pid: number;
        fleetUrl: string;
        token: string;
      };
      expect(found.pid).toBe(first.child.pid);
      const answer = await fetch(`${found.fleetUrl}/instances`, {
        headers: { authorization: `Bearer ${found.token}` },
      });
      const { instances } = (await answer.json()) as {
        instances: { host: string; state: string; principal: string }[];
      };
      expect(instances.map(({ host, state }) => `${host} ${state}`)).toEqual([
        'h1 running',
        'h2 running',
        'h3 running',
      ]);
      expect(instances[0]?.principal).toBe('arn:aws:ec2:local:000000000000:instance/i-00000000000000001');

      const second = start();
      expect(await once(second.child, 'exit')).toEqual([10, null]);
      expect(second.said()).toContain('another runtime works in');

      await until('agents', () => processesOf(folder).length >= 9, LIMIT_MS);
      first.child.kill('SIGTERM');
      expect(await once(first.child, 'exit')).toEqual([0, null]);
      expect(processesOf(folder)).toEqual([]);
      expect(existsSync(join(folder, 'runtime.json'))).toBe(false);
    },
    LIMIT_MS * 2,
  );

  test(
    'killed, it takes everything with it',
    async () => {
      const { child, said } = start();
      await until('the runtime', () => said().includes('Ctrl-C ends everything'), LIMIT_MS);
      await until('agents', () => processesOf(folder).length >= 9, LIMIT_MS);
      child.kill('SIGKILL');
      await once(child, 'exit');
      await until('the end of every process', () => processesOf(folder).length === 0);
    },
    LIMIT_MS * 2,
  );

  test('bad options are refused with the usage', async () => {
    const { child, said } = start('--port', 'x');
    expect(await once(child, 'exit')).toEqual([2, null]);
    expect(said()).toContain('--port x is not a port');
    expect(said()).toContain('usage: npm start');
  });
});

describe('state folder', () => {
  test('is never taken over from somebody else, and reset empties its own only', async () => {
    const foreign = join(folder, 'foreign');
    mkdirSync(foreign);
    writeFileSync(join(foreign, 'thesis.txt'), 'precious');
    await expect(openStateFolder(foreign, { reset: true })).rejects.toMatchObject({ code: 'conflict' });
    expect(readdirSync(foreign)).toEqual(['thesis.txt']);

    const own = join(folder, 'own');
    const first = await openStateFolder(own, { reset: false });
    await expect(openStateFolder(own, { reset: true })).rejects.toMatchObject({ code: 'conflict' });
    await first.lock.release();
    mkdirSync(join(own, 'data'));
    const kept = await openStateFolder(own, { reset: false });
    expect(readdirSync(own).toSorted()).toEqual(['HOLDFAST', 'data']);
    await kept.lock.release();
    const reset = await openStateFolder(own, { reset: true });
    expect(readdirSync(own)).toEqual(['HOLDFAST']);
    await reset.lock.release();
  });
});
