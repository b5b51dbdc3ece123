import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { readDefinition } from '../../adapters/node/definition-file.ts';
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
    ['YAML in a name', ['--cluster', 'c', '--group', 'a, b: [', ...PAIR], 'got "a, b: ["'],
  ])('refuses %s, and writes nothing', async (_what, argv, words) => {
    const { exit, err } = await init(...argv);
    expect(exit).toBe(2);
    expect(err).toContain(words);
    expect(await readdir(directory)).toEqual([]);
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
