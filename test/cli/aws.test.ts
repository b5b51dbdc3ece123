/** The command line against the real API behind API Gateway: signed or with a token, and what it says when that fails. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ofCluster, takesCluster } from '../../adapters/node/api-cluster.ts';
import { apiAddress } from '../../cli/api-address.ts';
import { API_ROUTES, api } from '../../lambdas/api/handler.ts';
import { type Gateway, type GatewayOptions, startGateway } from '../gateway/gateway.ts';
import { SIGNED, signIn } from '../gateway/operator.ts';
import { PAIR } from '../lambdas/definitions.ts';
import { ACCOUNT, createWorld, type World } from '../lambdas/world.ts';
import { holdfast } from './stage.ts';

jest.setTimeout(60_000);

let world: World;
let gateway: Gateway | undefined;

beforeAll(async () => {
  world = await createWorld({ yaml: PAIR });
  await world.whole();
});
beforeEach(signIn);
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});

async function behind(options: Partial<GatewayOptions> = {}): Promise<string> {
  gateway = await startGateway({ api: api(world.ports, { account: ACCOUNT, refusesUnnamed: true }), ...options });
  return gateway.url;
}

describe('signed by AWS credentials', () => {
  test('looks and acts, also at a stage, and is recorded by its principal', async () => {
    const url = await behind({ stage: 'prod' });
    const status = await holdfast(['status', '--api', url, ...SIGNED]);
    expect(status).toMatchObject({ exit: 0, err: '' });
    expect(status.out).toContain('Cluster pair');
    const done = await holdfast(['disable', 'h1', '--reason', 'a test', '--api', url, ...SIGNED]);
    expect(done.exit).toBe(0);
    expect((await holdfast(['events', '--json', '--api', url, ...SIGNED])).out).toContain(
      'assumed-role/Operators/alice',
    );
    expect((await holdfast(['enable', 'h1', '--api', url, ...SIGNED])).exit).toBe(0);
  });

  test('a policy that may only look: said as such, with the plan still to be seen', async () => {
    const url = await behind({ mayChange: false });
    expect((await holdfast(['status', '--api', url, ...SIGNED])).exit).toBe(0);
    expect((await holdfast(['simulate', '--down', 'h1', '--api', url, ...SIGNED])).err).toBe('');
    const refused = await holdfast(['disable', 'h1', '--reason', 'x', '--api', url, ...SIGNED]);
    expect(refused.exit).toBe(5);
    expect(refused.err).toMatch(/AWS refuses POST \/api\/v1\/hosts\/h1\/disable .*execute-api:Invoke.*\[forbidden\]/);
  });

  test.each([
    [
      'a wrong secret',
      { AWS_SECRET_ACCESS_KEY: 'guessed' },
      /does not take these credentials.*signature we calculated/,
    ],
    ['an unknown key', { AWS_ACCESS_KEY_ID: 'AKIDNOBODY' }, /does not take these credentials.*token included/],
    ['a session that is over', { AWS_SESSION_TOKEN: 'old' }, /does not take these credentials.*aws sso login/],
  ])('%s', async (_, env, words) => {
    Object.assign(process.env, env);
    const url = await behind();
    const refused = await holdfast(['status', '--api', url, ...SIGNED]);
    expect(refused.exit).toBe(4);
    expect(refused.err).toMatch(words);
    expect(refused.err).not.toContain('alice/secret');
    expect(gateway?.letIn).toEqual([]);
  });

  test.each([
    ['ahead', 12 * 60_000, /clock is 12 min behind that of AWS.*set the clock/],
    ['behind', -7 * 60_000, /clock is 7 min ahead of that of AWS.*set the clock/],
  ])("AWS's clock is %s", async (_, skewMs, words) => {
    const refused = await holdfast(['status', '--api', await behind({ skewMs }), ...SIGNED]);
    expect(refused.exit).toBe(4);
    expect(refused.err).toMatch(words);
  });

  test('a region is needed, and taken from an address of API Gateway', async () => {
    const here = { env: {}, directory: tmpdir() };
    await expect(apiAddress({ api: 'https://ha.example.com', auth: 'iam' }, here)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('--region'),
    });
    const api = 'https://abc123.execute-api.eu-central-1.amazonaws.com';
    const signed = await apiAddress({ api }, here);
    const added = await signed.authorize?.({ method: 'GET', url: new URL(api), headers: {} });
    expect(added?.['authorization']).toContain('/eu-central-1/execute-api/aws4_request');
    expect((await apiAddress({ api, token: 'x' }, here)).authorize).toBeUndefined();
    expect((await apiAddress({ api: 'https://abc.execute-api.evil.example' }, here)).authorize).toBeUndefined();
    await expect(apiAddress({ api, auth: 'sigv4' }, here)).rejects.toThrow(/must be iam or token, got "sigv4"/);
  });
});

describe('with a token', () => {
  const jwt = new Map([
    ['operator.token', { sub: 'ann', scope: 'holdfast/operate' }],
    ['reader.token', { sub: 'rob', scope: 'openid' }],
  ]);

  test('of a command, run once for many requests', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-token-'));
    const command = `echo x >> ${folder}/runs; echo operator.token`;
    const url = await behind({ jwt });
    const done = await holdfast(['drain', 'h1', '--dry-run', '--api', url, '--token-command', command]);
    expect(done).toMatchObject({ exit: 0, err: '' });
    const { stdout } = await promisify(execFile)('wc', ['-l', `${folder}/runs`]);
    expect(stdout.trim().split(' ')[0]).toBe('1');
    await rm(folder, { recursive: true });
  });

  test.each([
    ['that fails', 'echo not signed in >&2; exit 3', /token command .* failed \(not signed in\)/],
    ['that prints two lines', 'echo a; echo b', /printed no token/],
    ['that prints nothing', 'true', /printed no token/],
  ])('of a command %s', async (_, command, words) => {
    const refused = await holdfast(['status', '--api', await behind({ jwt }), '--token-command', command]);
    expect(refused.exit).toBe(4);
    expect(refused.err).toMatch(words);
  });

  test('that has ended, and one that may only look', async () => {
    const url = await behind({ jwt });
    const ended = await holdfast(['status', '--api', url, '--token', 'old']);
    expect(ended.exit).toBe(4);
    expect(ended.err).toMatch(/does not take this token.*the token has expired.*--token-command/);
    const reader = await holdfast(['switch', 'off', '--yes', '--api', url, '--token', 'reader.token']);
    expect(reader.exit).toBe(5);
    expect(reader.err).toContain('holdfast/operate');
  });
});

describe('several clusters', () => {
  test('every route that takes ?cluster= is given it, and no other', () => {
    for (const { path, method, query } of API_ROUTES) {
      const real = path.replaceAll(/\{\w+\}/g, 'x');
      expect([method, path, takesCluster(real, method)]).toEqual([method, path, 'cluster' in query]);
    }
    expect(ofCluster({ cluster: 'a b' }, '/api/v1/runs?limit=1')).toBe('/api/v1/runs?limit=1&cluster=a%20b');
    expect(ofCluster({ cluster: 'a' }, '/api/v1/runs?cluster=b')).toBe('/api/v1/runs?cluster=b');
    expect(ofCluster({}, '/api/v1/runs')).toBe('/api/v1/runs');
  });

  test('--cluster, HOLDFAST_CLUSTER', async () => {
    const url = await behind();
    const wrong = await holdfast(['status', '--api', url, ...SIGNED, '--cluster', 'other']);
    expect(wrong).toMatchObject({ exit: 3 });
    const right = await holdfast(['status', '--api', url, ...SIGNED], { env: { HOLDFAST_CLUSTER: 'pair' } });
    expect(right.exit).toBe(0);
  });
});

test('commands that sign nothing do not read the SDK', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-loads-'));
  const hook = join(folder, 'hook.mjs');
  const said =
    "import { registerHooks } from 'node:module';\nregisterHooks({ load: (url, context, next) => { if (/@aws-sdk|@smithy/.test(url)) process.stderr.write(`SDK ${url}\\n`); return next(url, context); } });\n";
  await writeFile(hook, said);
  const run = (argv: readonly string[]) =>
    promisify(execFile)(process.execPath, ['--import', hook, 'cli/main.ts', ...argv]).catch(
      (error: unknown) => error as { stderr: string },
    );
  expect((await run(['--help'])).stderr).toBe('');
  const api = ['--api', 'http://127.0.0.1:1'];
  expect((await run(['status', ...api, '--token', 'x'])).stderr).not.toContain('SDK');
  expect((await run(['status', ...api, ...SIGNED])).stderr).toContain('SDK');
  await rm(folder, { recursive: true });
});
