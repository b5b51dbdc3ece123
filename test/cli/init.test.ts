import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { readDefinition } from '../../adapters/node/definition-file.ts';
import { FAILURES } from '../../core/failures/failures.ts';
import { readSettings } from '../../lib/read-settings.ts';
import { holdfast } from './stage.ts';

const PAIR = ['--host', 'db-1=i-0abc12345def67890@eu-west-1a', '--host', 'db-2=db-2.example.com'];

let root = '';
let directory = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-init-'));
});
beforeEach(async () => {
  directory = await mkdtemp(join(root, 'in-'));
});
afterAll(() => rm(root, { recursive: true }));

const init = (...argv: string[]) => holdfast(['init', ...argv], { directory });
const text = (name: string) => readFile(join(directory, name), 'utf8');

describe('init', () => {
  test.each(['fast', 'standard', 'conservative'])(
    'writes a definition and settings that are valid, %s',
    async (profile) => {
      const { exit, out } = await init(
        '--cluster',
        'payments',
        '--profile',
        profile,
        '--email',
        'ops@example.com',
        ...PAIR,
      );
      expect(exit).toBe(0);
      expect(out).toMatch(/^Written: cluster.yaml and holdfast.yaml: cluster payments: 2 hosts, .*\nNext:\n/);
      const read = readDefinition([{ content: await text('cluster.yaml') }]);
      if (!read.ok) throw new Error(JSON.stringify(read.problems));
      expect(read.warnings).toEqual([]);
      expect(read.definition.hosts.map(({ name, fencing }) => [name, fencing])).toEqual([
        ['db-1', [['ec2'], ['lease']]],
        ['db-2', [['lease']]],
      ]);
      const settings = readSettings(parse(await text('holdfast.yaml')));
      if (!settings.ok) throw new Error(JSON.stringify(settings.problems));
      expect(settings.settings).toMatchObject({
        pages: { emails: ['ops@example.com'] },
        definitions: ['cluster.yaml'],
      });
    },
  );

  test('overwrites nothing, and then writes nothing', async () => {
    await writeFile(join(directory, 'holdfast.yaml'), 'mine');
    const { exit, err } = await init('--cluster', 'payments', ...PAIR);
    expect(exit).toBe(10);
    expect(err).toContain('holdfast.yaml is there already');
    expect(await readdir(directory)).toEqual(['holdfast.yaml']);
    expect(await text('holdfast.yaml')).toBe('mine');
  });

  test.each([
    ['a cluster name that is none', ['--cluster', 'Pay', ...PAIR], 'cluster: got "Pay"'],
    ['a host without identity', ['--cluster', 'c', '--host', 'db-1'], 'host: got "db-1"; must be NAME='],
    [
      'an instance that is none',
      ['--cluster', 'c', ...PAIR, '--host', 'db-3=i-1'],
      'must be i- and 8 or 17 hex digits',
    ],
    ['one host', ['--cluster', 'c', '--host', 'db-1=i-0abc12345def67890'], 'makes no definition'],
    ['nobody to ask', [], 'nobody can be asked here: add --cluster NAME'],
    ['an address that is none', ['--cluster', 'c', '--email', 'ops', ...PAIR], '--email: got "ops"; must be an e-mail'],
    [
      'an address that is there twice',
      ['--cluster', 'c', '--email', 'ops@example.com', '--email', 'Ops@Example.com', ...PAIR],
      '--email: got "Ops@Example.com" twice; give each address once',
    ],
    ['YAML in a name', ['--cluster', 'c', '--group', 'a, b: [', ...PAIR], 'got "a, b: ["'],
  ])('refuses %s, and writes nothing', async (_what, argv, words) => {
    const { exit, err } = await init(...argv);
    expect(exit).toBe(2);
    expect(err).toContain(words);
    expect(await readdir(directory)).toEqual([]);
  });

  test('makes the folder that it is given, and names the files as they are typed from here', async () => {
    const { exit, out } = await init('sites/one', '--cluster', 'payments', ...PAIR);
    expect(exit).toBe(0);
    expect(await readdir(join(directory, 'sites/one'))).toEqual(['cluster.yaml', 'holdfast.yaml']);
    expect(out).toMatch(/^Written: sites\/one\/cluster\.yaml and sites\/one\/holdfast\.yaml: /);
    expect(out).toContain('holdfast validate sites/one/cluster.yaml\n');
    expect(out).toContain('-c holdfast=sites/one/holdfast.yaml\n');
  });

  test('a folder that cannot be made is said to be that', async () => {
    await writeFile(join(directory, 'taken'), 'a file');
    const { exit, err } = await init('taken/one', '--cluster', 'payments', ...PAIR);
    expect(exit).toBe(FAILURES.not_found.exit);
    expect(err).toContain(`folder ${join(directory, 'taken/one')} cannot be made: `);
    expect(err).toContain('; name another one');
  });

  test('a dry run makes no folder; an address is refused before anybody is asked', async () => {
    expect((await init('later', '--dry-run', '--cluster', 'payments', ...PAIR)).exit).toBe(0);
    expect(await readdir(directory)).toEqual([]);
    const { exit, err } = await holdfast(['init', '--email', 'ops'], { directory, isInteractive: true, says: 'c' });
    expect({ exit, err }).toEqual({ exit: 2, err: expect.stringMatching(/^holdfast: --email: got "ops"/) });
  });

  test('asks for what is not given', async () => {
    const says = 'payments';
    const { exit, err } = await holdfast(['init', ...PAIR], { directory, isInteractive: true, says });
    expect({ exit, err }).toEqual({ exit: 0, err: 'Name of the cluster: ' });
    expect(await text('cluster.yaml')).toContain('cluster: payments\n');
    const hosts = await holdfast(['init', '--cluster', 'c', 'elsewhere'], { directory, isInteractive: true, says: '' });
    expect(hosts).toMatchObject({ exit: 2, err: expect.stringContaining('Host 1, NAME=INSTANCE-ID@ZONE: ') });
  });

  test('as JSON names what it wrote; a dry run shows it', async () => {
    const { out } = await init('--cluster', 'payments', '--json', '--dry-run', ...PAIR);
    expect(Object.keys((JSON.parse(out) as { files: object }).files)).toEqual(['cluster.yaml', 'holdfast.yaml']);
    expect(await readdir(directory)).toEqual([]);
    const written = await init('--cluster', 'payments', '--json', ...PAIR);
    expect(JSON.parse(written.out)).toEqual({ written: ['cluster.yaml', 'holdfast.yaml'], folder: directory });
  });
});
