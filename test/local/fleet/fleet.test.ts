import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { readHostConfig } from '../../../adapters/node/host-config.ts';
import { mark } from '../../../adapters/node/marks.ts';
import { findMarked, signalAll } from '../../../adapters/node/processes.ts';
import { buildHostScripts, HOST_ENTRIES } from '../../../local/fleet/build.ts';
import type { HostScripts } from '../../../local/fleet/build.ts';
import type { StateChangeEvent } from '../../../local/fleet/ec2/state-events.ts';
import { startFleet } from '../../../local/fleet/fleet.ts';
import type { Fleet } from '../../../local/fleet/fleet.ts';
import { startFleetServer } from '../../../local/fleet/server.ts';
import type { FleetServer } from '../../../local/fleet/server.ts';
import { until } from './until.ts';

/** Real processes on a busy machine. */
jest.setTimeout(30_000);

const GUARD = 'test/local/fleet/stand-in-guard.ts';
const TOKEN = 'secret';

let scripts: HostScripts;
let buildFolder = '';
let folder = '';
let fleet: Fleet;
let server: FleetServer;
let controlCalls: string[] = [];
let events: StateChangeEvent[] = [];

const startTestFleet = () =>
  startFleet({
    cluster: 'test',
    hosts: [
      { name: 'h1', machine: 'i-1', principal: 'arn:i-1' },
      { name: 'h2', machine: 'i-2', principal: 'arn:i-2' },
    ],
    stateDir: folder,
    region: 'local',
    emulatorPort: 9,
    tables: { heartbeats: 'heartbeats', registry: 'registry' },
    scripts,
    witness: '/nowhere',
    onStateChange: (event) => void events.push(event),
    log: () => undefined,
  });

const starts = (host: string): string[][] => {
  try {
    const text = readFileSync(join(folder, 'hosts', host, 'state', 'starts'), 'utf8').trim();
    return text.split('\n').map((line) => line.split(' '));
  } catch {
    return [];
  }
};
const instanceOf = (host: string): string => {
  const { instanceMark } = readHostConfig(join(folder, 'hosts', host, 'config.json'));
  return mark('instance', instanceMark);
};
const servicesOf = (host: string) => findMarked([instanceOf(host), mark('role', 'service')]);
/** The guard has started for the nth time, and so have all three processes of its service. */
const isUp = (host: string, n: number) =>
  until(`start ${String(n)} of ${host}`, () => starts(host).length >= n && servicesOf(host).length === 3);
const view = (host: string) => fleet.instances().find((instance) => instance.host === host);
const call = async (path: string, init: RequestInit = {}) => {
  const response = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${TOKEN}` }, ...init });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const breakIt = (body: object | string) =>
  call('/break', { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });

beforeAll(async () => {
  buildFolder = mkdtempSync(join(tmpdir(), 'holdfast-build-'));
  const entries = { ...HOST_ENTRIES, guard: GUARD, agent: GUARD };
  scripts = await buildHostScripts(buildFolder, entries);
});
afterAll(() => {
  rmSync(buildFolder, { recursive: true });
});
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-fleet-'));
  for (const host of ['h1', 'h2']) {
    mkdirSync(join(folder, 'hosts', host, 'state'), { recursive: true });
    writeFileSync(join(folder, 'hosts', host, 'state', 'behaviour'), 'fed');
  }
  controlCalls = [];
  events = [];
  fleet = await startTestFleet();
  const control = {
    kill: () => void controlCalls.push('kill'),
    stop: () => Promise.resolve(void controlCalls.push('stop')),
    start: () => void controlCalls.push('start'),
  };
  server = await startFleetServer({ fleet, control, token: TOKEN });
});
afterEach(async () => {
  await server.close();
  await fleet.close();
  rmSync(folder, { recursive: true });
});

describe('local fleet', () => {
  test('a power cut ends everything at once and leaves the state folder; the next launch is a later one', async () => {
    expect(view('h1')).toMatchObject({ state: 'stopped', bootId: '' });
    await fleet.powerOn('h1');
    await fleet.powerOn('i-2');
    await Promise.all([isUp('h1', 1), isUp('h2', 1)]);
    const first = view('h1');
    expect(first).toMatchObject({ state: 'running', id: 'i-1', principal: 'arn:i-1' });
    const others = findMarked(instanceOf('h2')).toSorted();
    const off = fleet.powerOff('h1');
    expect(await off).toBeUndefined();
    expect(findMarked(instanceOf('h1'))).toEqual([]);
    expect(view('h1')).toMatchObject({ state: 'stopped', launchTime: first?.launchTime, bootId: first?.bootId });
    expect(findMarked(instanceOf('h2')).toSorted()).toEqual(others);

    await fleet.powerOn('h1');
    await isUp('h1', 2);
    expect(Date.parse(view('h1')?.launchTime ?? '')).toBeGreaterThan(Date.parse(first?.launchTime ?? ''));
    expect(starts('h1').map((start) => start.slice(1))).toEqual([
      [first?.bootId, first?.launchTime],
      [view('h1')?.bootId, view('h1')?.launchTime],
    ]);
  });

  test('a reboot is a new boot of the same launch, and only for what runs', async () => {
    await expect(fleet.reboot('h1')).rejects.toMatchObject({ code: 'conflict' });
    await fleet.powerOn('h1');
    await isUp('h1', 1);
    const before = view('h1');
    await fleet.reboot('h1');
    await isUp('h1', 2);
    expect(view('h1')?.launchTime).toBe(before?.launchTime);
    expect(view('h1')?.bootId).not.toBe(before?.bootId);
  });

  test('a launch is later than every one before it, also over lives of the runtime', async () => {
    const future = '2100-01-01T00:00:00.000Z';
    await fleet.close();
    writeFileSync(join(folder, 'launches.json'), JSON.stringify({ h1: future }));
    fleet = await startTestFleet();
    expect(view('h1')?.launchTime).toBe(future);
    await fleet.powerOn('h1');
    expect(view('h1')?.launchTime).toBe('2100-01-01T00:00:00.001Z');
  });

  test('an instance whose init dies is off, and nothing of it is left', async () => {
    await fleet.powerOn('h1');
    await isUp('h1', 1);
    const marked = findMarked(instanceOf('h1'));
    const guards = findMarked([instanceOf('h1'), mark('role', 'guard')]);
    const services = findMarked([instanceOf('h1'), mark('role', 'service')]);
    const [init] = marked.filter((pid) => !guards.includes(pid) && !services.includes(pid));
    signalAll([init ?? 0], 'SIGKILL');
    await until('it to be off', () => view('h1')?.state === 'stopped');
    expect(findMarked(instanceOf('h1'))).toEqual([]);
  });

  test('signals reach processes by role, group, slot and service', async () => {
    await fleet.powerOn('h1');
    await isUp('h1', 1);
    expect(fleet.signalRole('h1', 'guard', 'SIGCONT')).toBe(1);
    expect(fleet.signalRole('h1', 'agent', 'SIGCONT')).toBe(0);
    expect(fleet.signalRole('h1', 'service', 'SIGCONT', { group: 'ledger', slot: 0, service: 'db' })).toBe(3);
    expect(fleet.signalRole('h1', 'service', 'SIGCONT', { group: 'other' })).toBe(0);
    expect(fleet.signalRole('h1', 'service', 'SIGCONT', { slot: 1 })).toBe(0);
    expect(fleet.signalRole('h1', 'service', 'SIGCONT', { service: 'web' })).toBe(0);
    expect(() => fleet.signalRole('h9', 'agent', 'SIGCONT')).toThrow(
      'no host "h9" in the local fleet; there are h1, h2',
    );
  });
});

describe('EC2 of the fleet', () => {
  const SKIP = { skipOsShutdown: true, force: false };
  const guardsOf = (host: string) => findMarked([instanceOf(host), mark('role', 'guard')]);

  test('a crash is the end of every process, while EC2 goes on saying running; power-on is a new launch', async () => {
    await fleet.powerOn('h1');
    await isUp('h1', 1);
    await until('EC2 to call it running', () => fleet.ec2.stateOf('i-1') === 'running');
    const launched = view('h1')?.launchTime ?? '';
    expect((await breakIt({ fault: 'crash', host: 'h1' })).status).toBe(200);
    expect([findMarked(instanceOf('h1')), fleet.ec2.stateOf('i-1')]).toEqual([[], 'running']);
    expect((await breakIt({ fault: 'power-on', host: 'h1' })).status).toBe(200);
    await isUp('h1', 2);
    expect(Date.parse(view('h1')?.launchTime ?? '')).toBeGreaterThan(Date.parse(launched));
  });

  test('a power cut is known to EC2 at once, with its event', async () => {
    await fleet.powerOn('h1');
    await isUp('h1', 1);
    await breakIt({ fault: 'power-off', host: 'h1' });
    expect(fleet.ec2.stateOf('i-1')).toBe('stopped');
    expect(events.at(-1)?.detail).toEqual({ 'instance-id': 'i-1', state: 'stopped' });
  });

  test('a reboot that comes after a power cut does not bring back what EC2 calls stopped', async () => {
    await fleet.powerOn('h1');
    await isUp('h1', 1);
    await until('EC2 to call it running', () => fleet.ec2.stateOf('i-1') === 'running');
    const bootId = view('h1')?.bootId;
    const off = fleet.powerOff('h1');
    fleet.ec2.reboot('i-1');
    await off;
    await fleet.powerOff('h1'); // Takes its turn behind the reboot.
    expect([view('h1')?.bootId, view('h1')?.state, fleet.ec2.stateOf('i-1')]).toEqual([bootId, 'stopped', 'stopped']);
  });

  test('stolen: another launch and another boot', async () => {
    await fleet.powerOn('h1');
    await isUp('h1', 1);
    await until('EC2 to call it running', () => fleet.ec2.stateOf('i-1') === 'running');
    const before = view('h1');
    expect((await breakIt({ fault: 'stolen', host: 'h1' })).status).toBe(200);
    await isUp('h1', 2);
    expect(view('h1')?.launchTime).not.toBe(before?.launchTime);
    expect(view('h1')?.bootId).not.toBe(before?.bootId);
  });

  test('a stop through EC2 ends every process before EC2 says stopped', async () => {
    await fleet.powerOn('h1');
    await isUp('h1', 1);
    await until('EC2 to call it running', () => fleet.ec2.stateOf('i-1') === 'running');
    fleet.ec2.stop('i-1', SKIP);
    await until('EC2 to call it stopped', () => fleet.ec2.stateOf('i-1') === 'stopped');
    expect([findMarked(instanceOf('h1')), view('h1')?.state]).toEqual([[], 'stopped']);
  });

  test('a guard that hangs in an orderly shutdown is cut short by SkipOsShutdown', async () => {
    writeFileSync(join(folder, 'hosts', 'h1', 'state', 'behaviour'), 'lingers');
    await fleet.powerOn('h1');
    await isUp('h1', 1);
    await until('EC2 to call it running', () => fleet.ec2.stateOf('i-1') === 'running');
    fleet.ec2.stop('i-1', { skipOsShutdown: false, force: false });
    await until('the guard to be told', () => existsSync(join(folder, 'hosts', 'h1', 'state', 'told')));
    expect([guardsOf('h1').length, fleet.ec2.stateOf('i-1')]).toEqual([1, 'stopping']);
    fleet.ec2.stop('i-1', SKIP);
    await until('EC2 to call it stopped', () => fleet.ec2.stateOf('i-1') === 'stopped', 5_000);
    expect(findMarked(instanceOf('h1'))).toEqual([]);
  });

  test('the modes of EC2 are faults like others', async () => {
    await fleet.powerOn('h1');
    expect((await breakIt({ fault: 'ec2', mode: 'no-capacity' })).body).toEqual({
      ...{ fault: 'ec2', mode: 'no-capacity', signalled: null },
    });
    expect(await breakIt({ fault: 'power-on', host: 'h2' })).toMatchObject({
      status: 502,
      body: { error: 'power_refused', message: expect.stringContaining('InsufficientInstanceCapacity') },
    });
    await breakIt({ fault: 'ec2', mode: 'well' });
    expect((await breakIt({ fault: 'power-on', host: 'h2' })).status).toBe(200);
    expect((await breakIt({ fault: 'ec2', mode: 'throttled', host: 'h1' })).status).toBe(200);
    expect([fleet.ec2.modes.has('throttled', 'i-1'), fleet.ec2.modes.has('throttled', 'i-2')]).toEqual([true, false]);
    expect((await breakIt({ fault: 'crash', host: 'h9' })).status).toBe(404);
    await breakIt({ fault: 'power-off', host: 'h2' });
    expect((await breakIt({ fault: 'crash', host: 'h2' })).body['error']).toBe('conflict');
  });
});

describe('breaking things over HTTP', () => {
  test('faults reach their host', async () => {
    expect(await breakIt({ fault: 'power-on', host: 'h1' })).toEqual({
      status: 200,
      body: { fault: 'power-on', host: 'h1', signalled: null },
    });
    await isUp('h1', 1);
    expect((await breakIt({ fault: 'cut', host: 'h1' })).status).toBe(200);
    expect((await call('/instances')).body['instances']).toMatchObject([
      { host: 'h1', state: 'running', isCut: true },
      { host: 'h2', id: 'i-2', state: 'stopped', isCut: false },
    ]);
    await breakIt({ fault: 'heal', host: 'h1' });
    expect(view('h1')?.isCut).toBe(false);
    expect((await breakIt({ fault: 'freeze-guard', host: 'h1' })).body['signalled']).toBe(1);
    await isUp('h1', 2); // Init ended the stopped guard.
    expect((await breakIt({ fault: 'stop-control' })).status).toBe(200);
    await breakIt({ fault: 'start-control' });
    await breakIt({ fault: 'kill-control' });
    expect(controlCalls).toEqual(['stop', 'start', 'kill']);
  });

  test.each([
    ['broken JSON', '{', 'config_invalid', 400],
    ['an unknown fault', '{"fault":"burn","host":"h1"}', 'config_invalid', 400],
    ['a missing host', '{"fault":"cut"}', 'config_invalid', 400],
    ['a group where none belongs', '{"fault":"cut","host":"h1","group":"ledger"}', 'config_invalid', 400],
    ['an unknown host', '{"fault":"cut","host":"h9"}', 'not_found', 404],
    ['a reboot of what is off', '{"fault":"reboot","host":"h1"}', 'conflict', 409],
    ['a mode that EC2 has not', '{"fault":"ec2","mode":"asleep"}', 'config_invalid', 400],
    ['a long body', `"${'x'.repeat(5_000)}"`, 'limit_exceeded', 413],
  ])('%s is refused with a reason', async (_what, body, code, status) => {
    expect(await breakIt(body)).toMatchObject({
      status,
      body: { error: code, message: expect.stringMatching(/.{10}/) },
    });
  });

  test('nothing without the token, nothing elsewhere', async () => {
    for (const authorization of ['', 'Bearer', 'Bearer other', TOKEN]) {
      expect((await call('/instances', { headers: { authorization } })).status).toBe(401);
    }
    expect((await call('/break')).status).toBe(404);
  });
});
