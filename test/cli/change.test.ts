import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { readDefinition } from '../../adapters/node/definition-file.ts';
import { STATUS } from './samples.ts';
import { holdfast, serve, type Api, type Asked, type Reply } from './stage.ts';

const open: Api[] = [];
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-cli-'));
  await writeFile(join(directory, 'good.yaml'), await readFile('local/samples/cluster.yaml'));
  await writeFile(
    join(directory, 'bad.yaml'),
    'apiVersion: holdfast/v1\ncluster: demo\ntiming: { profile: demo, takerWait: 3s }\nhosts:\n  - name: H1\n',
  );
  await writeFile(
    join(directory, 'hosts.yaml'),
    'apiVersion: holdfast/v1\ncluster: demo\nhosts: [{ name: h1, certificateName: h1 }]\n',
  );
  await writeFile(
    join(directory, 'web.yaml'),
    'apiVersion: holdfast/v1\ncluster: demo\ngroups: [{ name: web, redundancy: { model: n, active: 1 }, services: [{ name: w, agent: "driver:x" }] }]\n',
  );
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((api) => api.close()));
});
afterAll(() => rm(directory, { recursive: true }));

async function api(answer: (asked: Asked) => Reply): Promise<Api> {
  const started = await serve(answer);
  open.push(started);
  return started;
}

describe('validate', () => {
  /** The real command in a process of its own, as a shell or a pipeline runs it. */
  const shell = (...argv: string[]) =>
    new Promise<{ exit: number | string | null; out: string }>((done) => {
      const child = execFile(process.execPath, ['cli/main.ts', 'validate', ...argv], (_error, out) =>
        done({ exit: child.exitCode, out }),
      );
    });

  test('a valid definition, with what an operator should know', async () => {
    const { exit, out } = await shell('local/samples/cluster.yaml');
    expect(exit).toBe(0);
    expect(out).toContain('Valid: cluster demo: 3 hosts, 3 groups; a silent owner is replaced within 3.9 s');
  });

  test.each([
    ['as often as hosts beat', '', '3.9 s'],
    ['every second and a half', ', sweepPeriod: 1.5s', '5.1 s'],
  ])('V10: who looks %s, finds out that late', async (_how, sweep, bound) => {
    const sample = await readFile('local/samples/cluster.yaml', 'utf8');
    expect(sample).toContain('profile: demo }');
    await writeFile(join(directory, 'swept.yaml'), sample.replace('profile: demo }', `profile: demo${sweep} }`));
    const { out } = await holdfast(['validate', 'swept.yaml'], { directory });
    expect(out).toContain(`a silent owner is replaced within ${bound} of its last beat, starts not counted`);
  });

  test('a bad one: every problem with file, line, value and what to write', async () => {
    const { exit, out } = await shell(join(directory, 'bad.yaml'));
    expect(exit).toBe(2);
    expect(out).toContain('bad.yaml:5:5 hosts[0].name: got "H1"; must be a name of a-z, 0-9');
    expect(out).toContain('bad.yaml:3:26 timing.takerWait: got takerWait 3s; must be takerWait at least 3.307s');
    expect(out).toContain('2 problems; nothing was changed.');
  });

  test.each([
    ['a missing file', ['none.yaml'], 3],
    ['no file', [], 2],
  ])('%s', async (_, argv, expected) => {
    expect((await shell(...argv)).exit).toBe(expected);
  });

  test('--json', async () => {
    const { exit, out } = await holdfast(['validate', 'bad.yaml', '--json'], { directory });
    expect(exit).toBe(2);
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      problems: [
        { file: 'bad.yaml', line: 5 },
        { line: 3, rule: 'V3' },
      ],
    });
  });
});

describe('apply', () => {
  const accepted = (rev: number) => ({ rev, changed: true, warnings: [], diff: ['group web: added'] });

  test('shows the difference, asks, and saves on a yes', async () => {
    const { url, asked } = await api(() => ({ body: accepted(5) }));
    const shown = await holdfast(['apply', 'hosts.yaml', 'web.yaml', '--api', url], {
      directory,
      isInteractive: true,
      says: 'y',
    });
    expect(shown).toMatchObject({ exit: 0, err: 'Apply this? [y/N] ' });
    expect(shown.out).toContain('Changes:\n  group web: added\nSaved as definition 5.\n');
    expect(asked.map(({ method, url: path, type }) => [method, path, type])).toEqual([
      ['POST', '/api/v1/definition?dryRun=1', 'application/yaml'],
      ['POST', '/api/v1/definition', 'application/yaml'],
    ]);
    const sent = readDefinition([{ content: asked[1]?.body ?? '' }]);
    expect(sent.ok && [sent.definition.hosts.length, sent.definition.groups[0]?.name]).toEqual([1, 'web']);
  });

  test('saves nothing on a no, and nothing where nobody can be asked', async () => {
    const { url, asked } = await api(() => ({ body: accepted(5) }));
    expect(
      await holdfast(['apply', 'good.yaml', '--api', url], { directory, isInteractive: true, says: 'n' }),
    ).toMatchObject({ exit: 1 });
    const silent = await holdfast(['apply', 'good.yaml', '--api', url], { directory });
    expect(silent).toMatchObject({ exit: 2, err: expect.stringContaining('add --yes') });
    expect(asked.every(({ url: path }) => path.endsWith('dryRun=1'))).toBe(true);
  });

  test('--yes --json prints the answer alone', async () => {
    const { url } = await api(() => ({ body: accepted(5) }));
    const { exit, out } = await holdfast(['apply', 'good.yaml', '--yes', '--json', '--api', url], { directory });
    expect([exit, JSON.parse(out)]).toEqual([0, accepted(5)]);
  });

  test('the same definition again changes nothing and asks nothing', async () => {
    const { url, asked } = await api(() => ({ body: { rev: 4, changed: false, warnings: [], diff: [] } }));
    const shown = await holdfast(['apply', 'good.yaml', '--api', url], { directory });
    expect(shown.exit).toBe(0);
    expect(shown.out).toContain('Nothing to change.');
    expect(asked).toHaveLength(1);
  });

  test('--dry-run saves nothing', async () => {
    const { url, asked } = await api(() => ({ body: accepted(5) }));
    const shown = await holdfast(['apply', 'good.yaml', '--dry-run', '--yes', '--api', url], { directory });
    expect(shown.exit).toBe(0);
    expect(shown.out).toContain('Changes:\n  group web: added\nNothing was changed.\n');
    expect(asked.map(({ url: path }) => path)).toEqual(['/api/v1/definition?dryRun=1']);
  });

  test('a bad definition never leaves this machine', async () => {
    const { url, asked } = await api(() => ({ body: accepted(5) }));
    expect((await holdfast(['apply', 'bad.yaml', '--yes', '--api', url], { directory })).exit).toBe(2);
    expect(asked).toEqual([]);
  });

  test('what the API alone finds is shown alike', async () => {
    const problems = [
      { path: 'groups[0]', got: 'a deleted group that still runs', change: 'stop it first', rule: 'S20' },
    ];
    const body = {
      type: 'about:blank',
      title: 'invalid',
      status: 400,
      detail: 'refused',
      code: 'config_invalid',
      problems,
    };
    const { url } = await api(() => ({ status: 400, body }));
    const shown = await holdfast(['apply', 'good.yaml', '--yes', '--api', url], { directory });
    expect(shown.exit).toBe(2);
    expect(shown.out).toContain('groups[0]: got a deleted group that still runs; stop it first [S20]');
  });
});

describe('diff', () => {
  test.each([
    [true, ['group web: added'], 1],
    [false, [], 0],
  ])('changed %j exits as diff(1) does', async (changed, diff, exit) => {
    const { url, asked } = await api(() => ({ body: { rev: 5, changed, warnings: [], diff } }));
    const shown = await holdfast(['diff', 'good.yaml', '--api', url], { directory });
    expect(shown.exit).toBe(exit);
    expect(shown.out).toContain(changed ? 'Changes:\n  group web: added\n' : 'Nothing to change.\n');
    const json = await holdfast(['diff', 'good.yaml', '--json', '--api', url], { directory });
    expect([json.exit, JSON.parse(json.out)]).toEqual([exit, { rev: 5, changed, warnings: [], diff }]);
    expect(asked.every(({ url: path }) => path.endsWith('?dryRun=1'))).toBe(true);
  });

  test('a bad definition is no difference', async () => {
    expect((await holdfast(['diff', 'bad.yaml'], { directory })).exit).toBe(2);
  });
});

describe('move', () => {
  const plan = ['release ledger/0 on h1', 'start ledger/0 on h2'];
  const answers = ({ url, body }: Asked): Reply => {
    if (url === '/api/v1/status') return { body: STATUS };
    const isDry = (JSON.parse(body) as { dryRun?: boolean }).dryRun === true;
    return { body: { run: isDry ? null : 'move.ledger.0.e4.1', plan } };
  };

  test('shows the plan, asks, and starts the run; the only slot needs no name', async () => {
    const { url, asked } = await api(answers);
    const shown = await holdfast(['move', 'ledger', '--to', 'h2', '--api', url], { isInteractive: true, says: 'yes' });
    expect(shown.exit).toBe(0);
    expect(shown.out).toBe(
      'Plan for ledger/0:\n  release ledger/0 on h1\n  start ledger/0 on h2\n' +
        'Started move.ledger.0.e4.1. Follow it: holdfast run move.ledger.0.e4.1 --follow\n',
    );
    expect(asked.slice(1).map(({ url: path, body }) => [path, JSON.parse(body) as unknown])).toEqual([
      ['/api/v1/groups/ledger/move', { slot: 0, to: 'h2', dryRun: true }],
      ['/api/v1/groups/ledger/move', { slot: 0, to: 'h2' }],
    ]);
  });

  test('a no starts nothing', async () => {
    const { url, asked } = await api(answers);
    expect((await holdfast(['move', 'ledger', '--slot', '0', '--api', url], { isInteractive: true })).exit).toBe(1);
    expect(asked.map(({ body }) => JSON.parse(body) as unknown)).toEqual([{ slot: 0, dryRun: true }]);
  });

  test('--dry-run starts nothing', async () => {
    const { url, asked } = await api(answers);
    const shown = await holdfast(['move', 'ledger', '--slot', '0', '--dry-run', '--api', url]);
    expect([shown.exit, shown.out.endsWith('Nothing was changed.\n')]).toEqual([0, true]);
    expect(asked).toHaveLength(1);
  });

  test.each([
    ['broker', 2, 'group broker has 2 slots: say which with --slot (0, 1)'],
    ['nobody', 3, 'there is no group "nobody"; known: ledger, broker'],
  ])('%s', async (group, exit, expected) => {
    const { url } = await api(answers);
    const shown = await holdfast(['move', group, '--api', url]);
    expect(shown).toMatchObject({ exit, err: expect.stringContaining(expected) });
  });
});

describe('show', () => {
  const answers = async (): Promise<(asked: Asked) => Reply> => {
    const read = readDefinition([{ content: await readFile('local/samples/cluster.yaml') }]);
    return ({ url }) => ({
      body: url === '/api/v1/status' ? STATUS : { rev: 4, definition: read.ok ? read.definition : null },
    });
  };

  test('the definition in force', async () => {
    const { url } = await api(await answers());
    const { out } = await holdfast(['show', '--api', url]);
    expect(out).toContain('Definition 4 of cluster demo: 3 hosts, 3 groups;');
    expect(out).toContain('h1    i-00000000000000001  a     -       ec2, then lease\n');
    expect(out).toContain('ledger  1 active + 1 standby  10        lease-over, power-off  ledger-store, ledger-api\n');
  });

  test('a group and its services', async () => {
    const { url } = await api(await answers());
    const { out } = await holdfast(['show', 'group', 'ledger', '--api', url]);
    expect(out).toContain('Group ledger: ok, 1 active + 1 standby, priority 10. A lost lease stops it.\nStandby: h2\n');
    expect(out).toContain(
      'ledger-api    exec holdfast-sample --name ledger-api    ledger-store  critical  5s / 150ms\n',
    );
  });

  test('a host', async () => {
    const { url } = await api(await answers());
    const { out } = await holdfast(['show', 'host', 'h1', '--api', url]);
    expect(out).toContain('Host h1\n  status     Investigating');
    expect(out).toContain('SLOT      PHASE       EPOCH\nledger/0  was Active  3\n');
    expect((await holdfast(['show', 'host', 'h9', '--api', url])).exit).toBe(3);
  });
});
