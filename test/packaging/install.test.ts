/** The archive as a host gets it: built, unpacked, installed below a folder, configured, and run against the emulator. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { CONTROL_LIMITS, createDynamo, type Dynamo } from '../../adapters/aws/dynamodb-client.ts';
import { dynamoHeartbeats } from '../../adapters/aws/dynamodb-heartbeats.ts';
import { dynamoRegistry } from '../../adapters/aws/dynamodb-registry.ts';
import { ensureTables } from '../../adapters/aws/dynamodb-tables.ts';
import { readHostConfig } from '../../adapters/node/host-config.ts';
import { mark } from '../../adapters/node/marks.ts';
import { endMarked, findMarked } from '../../adapters/node/processes.ts';
import { TIMING_PROFILES } from '../../core/config/timing-profiles.ts';
import { type Assignment, keys } from '../../core/protocol/records.ts';
import { type Emulator, startEmulator } from '../../local/emulator.ts';
import { buildAgent } from '../../tools/build-agent.ts';
import { DOCUMENT, type LoopbackImds, loopbackImds } from '../adapters/node/loopback-imds.ts';

jest.setTimeout(120_000);

const TABLES = { heartbeats: 'heartbeats', registry: 'registry' };

let built = '';
let version = '';
beforeAll(async () => {
  built = mkdtempSync(join(tmpdir(), 'holdfast-package-'));
  version = (await buildAgent(built)).version;
});
afterAll(() => rmSync(built, { recursive: true }));

let root = '';
let unpacked = '';
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'holdfast-root-'));
  unpacked = join(root, 'unpacked');
  mkdirSync(unpacked);
  await run('tar', ['xzf', join(built, 'holdfast-agent.tgz'), '-C', unpacked]);
});
afterEach(() => rmSync(root, { recursive: true }));

interface Ran {
  readonly status: number;
  readonly output: string;
}

function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(file, args, { env: { PATH: process.env['PATH'], ...env } }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code ?? -1), output: stdout + stderr });
    });
  });
}

const install = (...args: string[]) =>
  run(join(unpacked, 'install.sh'), args, { DESTDIR: root, HOLDFAST_NODE: process.execPath });
const at = (...path: string[]) => join(root, ...path);

test('the same sources give the same bytes, wherever they are built', async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'holdfast-elsewhere-'));
  const again = await buildAgent(elsewhere);
  expect(again.version).toBe(version);
  expect(readFileSync(again.path).equals(readFileSync(join(built, 'holdfast-agent.tgz')))).toBe(true);
  expect(readFileSync(join(built, 'SHA256SUMS'), 'utf8')).toBe(`${again.sha256}  holdfast-agent.tgz\n`);
  expect(await run('sh', ['-c', `cd ${built} && sha256sum -c SHA256SUMS`])).toMatchObject({ status: 0 });
  rmSync(elsewhere, { recursive: true });
});

describe('install.sh', () => {
  test('puts a version in its place, and a second run changes nothing', async () => {
    for (let times = 0; times < 2; times += 1) {
      const ran = await install();
      expect(ran).toMatchObject({ status: 0, output: expect.stringContaining(`${version} is installed, with v24`) });
      expect(readdirSync(at('opt/holdfast')).sort()).toEqual([version, 'current', 'node'].sort());
      expect(readlinkSync(at('opt/holdfast/current'))).toBe(version);
      expect(readlinkSync(at('usr/local/bin/holdfast-agent'))).toBe('/opt/holdfast/current/bin/holdfast-agent');
      expect(statSync(at('opt/holdfast/current/bin/holdfast-agent')).mode & 0o111).toBe(0o111);
      expect(statSync(at('etc/holdfast')).mode & 0o777).toBe(0o700);
    }
    const unit = readFileSync(at('etc/systemd/system/holdfast.service'), 'utf8');
    expect(unit).toContain('KillMode=control-group\nKillSignal=SIGKILL\n');
  });

  /** The same files under another version. */
  const become = (name: string): void => {
    writeFileSync(join(unpacked, 'VERSION'), `${name}\n`);
    const sums = readFileSync(join(unpacked, 'SHA256SUMS'), 'utf8').replaceAll(/^.* {2}VERSION\n/gm, '');
    writeFileSync(join(unpacked, 'SHA256SUMS'), sums);
  };
  const installed = () => readdirSync(at('opt/holdfast')).sort();

  test('keeps the version before, and no older one', async () => {
    await install();
    become('0.2.0');
    expect((await install()).status).toBe(0);
    expect(installed()).toEqual([version, '0.2.0', 'current', 'node'].sort());
    become('0.3.0');
    expect((await install('--reload')).status).toBe(0);
    expect(installed()).toEqual(['0.2.0', '0.3.0', 'current', 'node']);
    expect(readlinkSync(at('opt/holdfast/current'))).toBe('0.3.0');
  });

  test('run again, it keeps the version before all the same, also after somebody went back to it', async () => {
    become('0.2.0');
    await install();
    become('0.3.0');
    for (let times = 0; times < 3; times += 1) {
      expect((await install()).status).toBe(0);
      expect(installed()).toEqual(['0.2.0', '0.3.0', 'current', 'node']);
    }
    await run('ln', ['-sfn', '0.2.0', at('opt/holdfast/current')]);
    become('0.2.0');
    expect((await install()).status).toBe(0);
    expect(installed()).toEqual(['0.2.0', '0.3.0', 'current', 'node']);
    expect(readlinkSync(at('opt/holdfast/current'))).toBe('0.2.0');
  });

  test('removes nothing while it is not known what ran before', async () => {
    become('0.2.0');
    await install();
    rmSync(at('opt/holdfast/current'));
    become('0.3.0');
    expect((await install()).status).toBe(0);
    expect(installed()).toEqual(['0.2.0', '0.3.0', 'current', 'node']);
  });

  test('refuses files that are not those that were packed, and installs none of them', async () => {
    appendFileSync(join(unpacked, 'lib', 'guard.mjs'), '\n// something else\n');
    const ran = await install();
    expect(ran.status).toBe(1);
    expect(ran.output).toContain('fetch the archive again');
    expect(existsSync(at('opt'))).toBe(false);
  });

  test('says what is missing where no Node is new enough', async () => {
    const fake = at('node-20');
    writeFileSync(fake, '#!/bin/sh\necho 20\n', { mode: 0o755 });
    const tools = at('tools');
    mkdirSync(tools);
    for (const tool of ['sh', 'cat', 'id', 'dirname', 'sha256sum', 'readlink']) {
      await run('ln', ['-s', `/usr/bin/${tool}`, join(tools, tool)]);
    }
    const env = { PATH: tools, DESTDIR: root, HOLDFAST_NODE: fake };
    const ran = await run(join(unpacked, 'install.sh'), [], env);
    expect(ran).toMatchObject({ status: 1, output: expect.stringContaining('no Node 24 or later here: name one') });
    expect(existsSync(at('opt'))).toBe(false);
  });

  test('refuses what it does not know, and uninstall.sh removes what it did', async () => {
    expect(await install('--force')).toMatchObject({ status: 1, output: expect.stringContaining('--force') });
    await install();
    mkdirSync(at('var/lib/holdfast'), { recursive: true });
    const env = { DESTDIR: root };
    expect((await run(join(unpacked, 'uninstall.sh'), [], env)).status).toBe(0);
    expect(existsSync(at('opt/holdfast'))).toBe(false);
    expect(existsSync(at('etc/systemd/system/holdfast.service'))).toBe(false);
    expect(existsSync(at('etc/holdfast')) && existsSync(at('var/lib/holdfast'))).toBe(true);
    expect((await run(join(unpacked, 'uninstall.sh'), ['--purge'], env)).status).toBe(0);
    expect(existsSync(at('etc/holdfast')) || existsSync(at('var/lib/holdfast'))).toBe(false);
  });
});

describe('an installed host', () => {
  const instanceId = `i-${randomBytes(8).toString('hex')}0`;
  const principal = `arn:aws:ec2:eu-west-1:123456789012:instance/${instanceId}`;
  let imds: LoopbackImds;
  let store: Emulator;
  let dynamo: Dynamo;
  let unit: ChildProcess | undefined;

  beforeEach(async () => {
    imds = await loopbackImds({ ...DOCUMENT, instanceId });
    store = await startEmulator();
    const place = { region: 'eu-west-1', endpoint: store.url, credentials: { accessKeyId: 'k', secretAccessKey: 's' } };
    await ensureTables(place, TABLES);
    dynamo = createDynamo(place, CONTROL_LIMITS);
    await install();
    writeFileSync(
      at('etc/holdfast/host.yaml'),
      `cluster: c\nhost: h1\ntables: { heartbeats: heartbeats, registry: registry }\nstateDir: ${at('state')}\nendpoint: ${store.url}\n`,
    );
  });
  afterEach(async () => {
    unit?.kill('SIGKILL');
    unit = undefined;
    await endMarked(mark('instance', instanceId));
    dynamo.close();
    await store.close();
    await imds.close();
  });

  const environment = () => ({
    PATH: process.env['PATH'],
    AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.url,
    HOLDFAST_CONFIG: at('run/host.json'),
  });
  const agent = (...args: string[]) => run(at('opt/holdfast/current/bin/holdfast-agent'), args, environment());
  const configure = () => agent('configure', '--host-file', at('etc/holdfast/host.yaml'));
  const assign = () => {
    const timing = TIMING_PROFILES.fast;
    const body: Assignment = { n: 1, cluster: 'c', host: 'h1', rev: 1, incarnation: 'i', timing, orders: [] };
    return dynamoRegistry({ dynamo, table: 'registry' }).put(keys.assignment(principal), body, null);
  };
  const heartbeat = () => dynamoHeartbeats({ dynamo, table: 'heartbeats' }).read(principal);

  async function until<T>(what: () => Promise<T | undefined>): Promise<T> {
    for (let round = 0; round < 600; round += 1) {
      const found = await what();
      if (found !== undefined) return found;
      await delay(50);
    }
    throw new Error('it did not come to that');
  }

  async function running(): Promise<ChildProcess> {
    expect((await configure()).status).toBe(0);
    await assign();
    const child = spawn(at('opt/holdfast/current/bin/holdfast-agent'), ['run'], {
      env: environment(),
      stdio: 'ignore',
    });
    unit = child;
    await until(async () => ((await agent('check')).output.includes('its lease stands') ? true : undefined));
    return child;
  }

  const of = (role: 'guard' | 'agent') => findMarked([mark('instance', instanceId), mark('role', role)]);

  test('configure writes what the guard is started with, for its eyes only', async () => {
    expect(await configure()).toEqual({ status: 0, output: `${at('run/host.json')}: h1 of c is ${principal}\n` });
    expect(statSync(at('run/host.json')).mode & 0o777).toBe(0o600);
    const scripts = at('opt/holdfast/current/lib');
    expect(readHostConfig(at('run/host.json'))).toEqual({
      ...{ cluster: 'c', host: 'h1', principal, machine: instanceId, instanceMark: instanceId },
      ...{ launchTime: '2026-11-20T09:08:07.000Z', region: 'eu-west-1', tables: TABLES },
      bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
      ...{ stateDir: at('state'), endpoint: store.url, watchdog: { kind: 'init' } },
      ...{ guardEntry: `${scripts}/guard.mjs`, agentEntry: `${scripts}/agent.mjs` },
      sampleCommand: [process.execPath, `${scripts}/service.mjs`],
    });
  });

  test('configure refuses by name, and leaves what was there', async () => {
    await configure();
    const before = readFileSync(at('run/host.json'), 'utf8');
    appendFileSync(at('etc/holdfast/host.yaml'), 'hots: h2\n');
    const ran = await configure();
    expect(ran.status).toBe(2);
    expect(ran.output).toContain('host.yaml:6:1 hots: got unknown key "hots"');
    writeFileSync(at('etc/holdfast/host.yaml'), 'cluster: c\nhost: h1\nregion: eu-west-1\ncertificate: "h1:x"\n');
    const named = await configure();
    expect(named.status).toBe(2);
    expect(named.output).toContain('host.yaml:4:1 certificate: got "h1:x"; must be a letter or digit, then letters');
    expect(readFileSync(at('run/host.json'), 'utf8')).toBe(before);
  });

  test('off EC2 the certificate names the host, and a boot has one launch time', async () => {
    appendFileSync(at('etc/holdfast/host.yaml'), 'certificate: h1.example.com\nregion: eu-west-1\n');
    expect((await configure()).status).toBe(0);
    const first = readHostConfig(at('run/host.json'));
    expect(first).toMatchObject({ principal: 'h1.example.com', region: 'eu-west-1' });
    expect(first.machine).toBe(first.instanceMark);
    writeFileSync(at('run/host.json'), JSON.stringify({ ...first, launchTime: '2026-01-01T00:00:00.000Z' }));
    await configure();
    expect(readHostConfig(at('run/host.json')).launchTime).toBe('2026-01-01T00:00:00.000Z');
    writeFileSync(at('run/host.json'), JSON.stringify({ ...first, bootId: 'before', launchTime: 'before' }));
    await configure();
    expect(Date.parse(readHostConfig(at('run/host.json')).launchTime)).not.toBeNaN();
    expect(imds.asked).toEqual([]);
  });

  test('registers under its own principal with keys from the metadata service, drains, and ends', async () => {
    const child = await running();
    expect(await heartbeat()).toMatchObject({
      machine: instanceId,
      launchTime: '2026-11-20T09:08:07.000Z',
      guardLevel: 'init',
    });
    const ended = once(child, 'exit');
    const drain = (pid: string) =>
      run(at('opt/holdfast/current/bin/holdfast-agent'), ['drain'], { ...environment(), MAINPID: pid });
    expect(await drain('')).toEqual({ status: 0, output: '' }); // As systemd calls it when the guard is gone.
    expect(child.exitCode).toBeNull();
    expect(await drain(String(child.pid))).toEqual({ status: 0, output: '' });
    expect(await ended).toEqual([0, null]);
    expect(findMarked(mark('instance', instanceId))).toEqual([]);
  });

  test('without a watchdog to stand in for, the guard takes the place of the main process', async () => {
    appendFileSync(at('etc/holdfast/host.yaml'), 'watchdog: none\n');
    const child = await running();
    expect(of('guard')).toEqual([child.pid]);
    expect((await heartbeat())?.guardLevel).toBe('none');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('a watchdog device that is not there is refused before anything starts', async () => {
    appendFileSync(at('etc/holdfast/host.yaml'), 'watchdog: device\nwatchdogDevice: /dev/watchdog77\n');
    const ran = await configure();
    expect(ran.status).toBe(2);
    expect(ran.output).toContain('/dev/watchdog77 is not there; load its module');
    expect(existsSync(at('run/host.json'))).toBe(false);
  });

  test('an upgrade replaces the agent alone: the session goes on', async () => {
    await running();
    const before = await heartbeat();
    const [old] = of('agent');
    expect(await agent('reload')).toMatchObject({ status: 0 });
    const seq = await until(async () => {
      const now = await heartbeat();
      const isNew = of('agent').length === 1 && of('agent')[0] !== old;
      return isNew && (now?.seq ?? 0) > (before?.seq ?? 0) + 1 ? now?.session : undefined;
    });
    expect(seq).toBe(before?.session);
  });

  test.each([
    ['S4: a guard that dies', 'SIGKILL'],
    ['S5: a guard that stands still', 'SIGSTOP'],
  ] as const)('%s takes everything of the host with it, and the unit ends', async (_what, signal) => {
    const child = await running();
    const [guard] = of('guard');
    if (guard === undefined) throw new Error('no guard');
    const service = spawn('sleep', ['600'], {
      env: { HOLDFAST_INSTANCE: instanceId, HOLDFAST_ROLE: 'service' },
      stdio: 'ignore',
      detached: true,
    });
    await once(service, 'spawn');
    const ended = once(child, 'exit');
    process.kill(guard, signal);
    expect((await ended)[0]).toBe(1);
    expect(findMarked(mark('instance', instanceId))).toEqual([]);
  });
});
