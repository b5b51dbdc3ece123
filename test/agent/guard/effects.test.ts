/** What the guard does to real processes. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { HostConfig } from '../../../adapters/node/host-config.ts';
import { mark } from '../../../adapters/node/marks.ts';
import { endMarked, findMarked, signalAll } from '../../../adapters/node/processes.ts';
import { createEnding, type Ending } from '../../../agent/guard/effects.ts';
import type { LedgerEntry } from '../../../core/lease/ledger.ts';
import type { CleanupCommand } from '../../../core/protocol/guard-link.ts';
import { until } from '../../local/fleet/until.ts';

/** Real processes on a busy machine. */
jest.setTimeout(30_000);

const DB = { group: 'db', slot: 0 };

let folder: string;
let instance: string;
let ending: Ending;
let warnings: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-ending-'));
  instance = randomUUID();
  warnings = [];
  ending = createEnding(hostConfig(), (_, text) => void warnings.push(text));
});

afterEach(async () => {
  await endMarked(mark('instance', instance));
  rmSync(folder, { recursive: true });
});

function hostConfig(): HostConfig {
  return {
    cluster: 'c',
    host: 'h1',
    principal: 'p-h1',
    machine: 'm',
    bootId: 'b',
    launchTime: 't',
    stateDir: folder,
    region: 'local',
    tables: { heartbeats: 'h', registry: 'r' },
    instanceMark: instance,
    watchdog: { kind: 'none' },
    guardEntry: '',
    agentEntry: '',
    sampleCommand: ['true'],
  };
}

/** Runs a script with this instance's mark and others. */
function run(script: string, marks: Readonly<Record<string, string>>) {
  const env = { PATH: process.env['PATH'] ?? '', HOLDFAST_INSTANCE: instance, ...marks };
  return spawn('sh', ['-c', script], { env, detached: true, stdio: 'ignore' });
}

const slotMark = (name: string): Record<string, string> => ({ HOLDFAST_SLOT: `c/${name}`, HOLDFAST_ROLE: 'service' });
const alive = (name: string): number => findMarked([mark('instance', instance), mark('slot', `c/${name}`)]).length;

function cleanup(service: string, script: string, timeoutMs = 20_000): CleanupCommand {
  return { service, argv: ['sh', '-c', script], env: { WHERE: folder }, timeoutMs };
}

describe('ending a slot', () => {
  test('ends a double-forked child in a session of its own, and nothing of another slot', async () => {
    const db = run('(setsid sh -c "trap \'\' TERM; sleep 1000 & sleep 1000" &)', slotMark('db/0'));
    run('exec sleep 1000', slotMark('web/0'));
    await once(db, 'exit');
    await until('both slots', () => alive('db/0') === 3 && alive('web/0') === 1);
    expect(await ending.end(DB, [])).toBe(true);
    expect(alive('db/0')).toBe(0);
    expect(alive('web/0')).toBe(1);
  });

  test('ends what is stopped by SIGSTOP', async () => {
    run('exec sleep 1000', slotMark('db/0'));
    await until('the slot', () => alive('db/0') === 1);
    signalAll(findMarked(mark('slot', 'c/db/0')), 'SIGSTOP');
    expect(await ending.end(DB, [])).toBe(true);
    expect(alive('db/0')).toBe(0);
  });

  test('cleans up after the kill, in reverse order of start, with the environment that was left for it', async () => {
    run('exec sleep 1000', slotMark('db/0'));
    await until('the slot', () => alive('db/0') === 1);
    const commands = [cleanup('ip', 'echo ip >> $WHERE/log'), cleanup('disk', 'echo disk >> $WHERE/log')];
    expect(await ending.end(DB, commands)).toBe(true);
    expect(readFileSync(join(folder, 'log'), 'utf8')).toBe('disk\nip\n');
  });

  test.each<[string, CleanupCommand, string]>([
    ['fails', cleanup('ip', 'exit 5'), 'cleanup of ip failed: exit 5'],
    ['is killed', cleanup('ip', 'kill -9 $$'), 'cleanup of ip failed: exit SIGKILL'],
    [
      'is not there',
      { ...cleanup('ip', ''), argv: ['/nonexistent/holdfast'] },
      'cleanup of ip failed: spawn /nonexistent/holdfast ENOENT',
    ],
    [
      'takes too long',
      cleanup('ip', 'sleep 1000; touch $WHERE/late', 50),
      'cleanup of ip failed: timed out after 50 ms',
    ],
  ])('a cleanup that %s: not proven, said, and the others still run', async (_, command, warning) => {
    const other = cleanup('disk', 'touch $WHERE/disk');
    expect(await ending.end(DB, [other, command])).toBe(false);
    expect(warnings).toEqual([warning]);
    expect(existsSync(join(folder, 'disk'))).toBe(true);
    expect(existsSync(join(folder, 'late'))).toBe(false);
  });

  test('what a cleanup starts in the slot is ended too', async () => {
    const starting = { ...cleanup('ip', 'sleep 1000 &'), env: { HOLDFAST_INSTANCE: instance, ...slotMark('db/0') } };
    expect(await ending.end(DB, [starting])).toBe(true);
    expect(alive('db/0')).toBe(0);
  });

  test('of nothing: proven', async () => {
    expect(await ending.end(DB, [])).toBe(true);
  });
});

test('terminate asks, and leaves time to end in order', async () => {
  const child = run('trap "touch $WHERE/ended; exit 0" TERM; touch $WHERE/up; while :; do sleep 0.02; done', {
    ...slotMark('db/0'),
    WHERE: folder,
  });
  await until('the service', () => existsSync(join(folder, 'up')));
  const entry: LedgerEntry = { ...DB, epoch: 1, session: 's', covered: true, cleanup: [] };
  ending.terminate([entry]);
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(existsSync(join(folder, 'ended'))).toBe(true);
});

test('the agent and all services are told apart by their roles', async () => {
  run('exec sleep 1000', { HOLDFAST_ROLE: 'agent' });
  run('exec sleep 1000', slotMark('db/0'));
  run('exec sleep 1000', slotMark('web/0'));
  await until('all', () => findMarked(mark('instance', instance)).length === 3);
  expect(await ending.endAgent()).toBe(true);
  expect(alive('db/0') + alive('web/0')).toBe(2);
  expect(await ending.endServices()).toBe(true);
  expect(findMarked(mark('instance', instance))).toEqual([]);
});
