import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { takeInstanceLock } from '../../adapters/node/instance-lock.ts';

jest.setTimeout(30_000);

const ENTRY = fileURLToPath(new URL('../../agent/command.ts', import.meta.url));
const instanceMark = randomUUID();
const CHECK = { session: 's-1', stands: true, running: ['ledger/0'] };

let folder = '';
let config = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-command-'));
  config = join(folder, 'host.json');
  const names = { cluster: 'test', host: 'h1', principal: 'arn:i-1', machine: 'i-1', bootId: 'b', launchTime: 'l' };
  const rest = { stateDir: folder, region: 'local', tables: { heartbeats: 'h', registry: 'r' }, instanceMark };
  const entries = { guardEntry: 'g', agentEntry: 'a', sampleCommand: ['s'], watchdog: { kind: 'init' } };
  writeFileSync(config, JSON.stringify({ ...names, ...rest, ...entries }));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(args: readonly string[], env: NodeJS.ProcessEnv = { HOLDFAST_CONFIG: config }) {
  const child = spawn(process.execPath, [ENTRY, ...args], { env: { PATH: process.env['PATH'], ...env } });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (output.stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (output.stderr += String(chunk)));
  await once(child, 'close');
  return { status: child.exitCode, ...output };
}

describe('holdfast-agent check', () => {
  test('says what the guard says, for programs and for people', async () => {
    const about = { state: 'standing', session: 's-1', check: CHECK, added: 'later' };
    const lock = await takeInstanceLock(instanceMark, () => JSON.stringify(about));
    if (lock === 'held') throw new Error('held');
    const json = await run(['check', '--json']);
    expect(json).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(json.stdout)).toEqual(CHECK);
    const words = await run(['check', '--config', config], {});
    expect(words).toMatchObject({ status: 0, stdout: 'session s-1, its lease stands; running: ledger/0\n' });
    await lock.release();
  });

  test('S8: no guard, one that is cleaning up, and one that does not answer say nothing', async () => {
    expect(await run(['check', '--json'])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: 'no guard answers on this host\n',
    });
    const lock = await takeInstanceLock(instanceMark, () => JSON.stringify({ state: 'cleaning' }));
    if (lock === 'held') throw new Error('held');
    expect(await run(['check', '--json'])).toMatchObject({ status: 1, stdout: '' });
    await lock.release();
  });

  test('S8: a guard that is stopped gives no answer', async () => {
    const module = fileURLToPath(new URL('../../adapters/node/instance-lock.ts', import.meta.url));
    const script = `import { takeInstanceLock } from ${JSON.stringify(module)};
      await takeInstanceLock(${JSON.stringify(instanceMark)}, () => ${JSON.stringify(JSON.stringify({ check: CHECK }))});
      console.log('taken'); setInterval(() => 0, 9999);`;
    const guard = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(guard.stdout, 'data');
    expect((await run(['check', '--json'])).status).toBe(0);
    guard.kill('SIGSTOP');
    expect(await run(['check', '--json'])).toMatchObject({ status: 1, stdout: '' });
    guard.kill('SIGKILL');
    await once(guard, 'exit');
  });

  test('anything else is refused', async () => {
    expect((await run([])).stderr).toContain('usage');
    expect((await run(['stop'])).status).toBe(2);
    expect(await run(['check'], { HOLDFAST_CONFIG: '/nowhere' })).toMatchObject({ status: 2, stdout: '' });
  });
});
