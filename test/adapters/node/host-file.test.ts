import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readDefinition } from '../../../adapters/node/definition-file.ts';
import { readHostFile } from '../../../adapters/node/host-file.ts';
import { problemText } from '../../../core/config/problem.ts';

const EXAMPLE = fileURLToPath(new URL('../../../packaging/agent/host.yaml.example', import.meta.url));
const ON_EC2 = 'cluster: payments\nhost: db-1\ntables: { heartbeats: h, registry: r }\n';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-host-file-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const read = (text: string) => {
  const file = join(folder, 'host.yaml');
  writeFileSync(file, text);
  return readHostFile(file);
};

describe('host file', () => {
  test('needs four facts on EC2', async () => {
    expect(await read(ON_EC2)).toEqual({
      ...{ cluster: 'payments', host: 'db-1', tables: { heartbeats: 'h', registry: 'r' } },
      ...{ stateDir: '/var/lib/holdfast', watchdog: 'init', watchdogDevice: '/dev/watchdog0' },
    });
    expect(await read(JSON.stringify({ cluster: 'c', host: 'h', tables: { heartbeats: 'h', registry: 'r' } }))).toEqual(
      expect.objectContaining({ cluster: 'c' }),
    );
  });

  test('the example is one, as it stands and with everything in it', async () => {
    expect((await readHostFile(EXAMPLE)).host).toBe('db-1');
    const all = (await readFile(EXAMPLE, 'utf8')).replaceAll(/^# ([a-zA-Z]+: [^ ].*)$/gm, '$1');
    expect(await read(all)).toEqual(
      expect.objectContaining({ certificate: 'db-1.example.com', region: 'eu-west-1', watchdog: 'init' }),
    );
  });

  test.each([
    ['an unknown key', `${ON_EC2}hots: h1\n`, 'host.yaml:4:1 hots: got unknown key "hots"'],
    ['a missing name', 'cluster: c\ntables: { heartbeats: h, registry: r }\n', 'host: got nothing; must be a name'],
    ['an empty name', ON_EC2.replace('db-1', '""'), 'host.yaml:2:1 host: got ""; must be a name'],
    ['a name that no definition has', ON_EC2.replace('db-1', 'Db.1'), 'host.yaml:2:1 host: got "Db.1"; must be a name'],
    [
      'a cluster that no definition is of',
      ON_EC2.replace('payments', 'Payments'),
      'host.yaml:1:1 cluster: got "Payments"; must be a name of a-z, 0-9 and inner dashes, at most 30 characters',
    ],
    ['no table', ON_EC2.replace('heartbeats: h', 'heartbeats: ""'), 'tables.heartbeats: got ""; must not be empty'],
    ['a relative folder', `${ON_EC2}stateDir: state\n`, 'must be an absolute path'],
    ['an unknown watchdog', `${ON_EC2}watchdog: soft\n`, 'got "soft"; must be init, device or none'],
    ['a device elsewhere', `${ON_EC2}watchdog: device\nwatchdogDevice: /dev/sda\n`, 'must be /dev/watchdogN'],
    ['a certificate without a region', `${ON_EC2}certificate: c\n`, 'region: got nothing; must be named off EC2'],
    ['credentials on EC2', `${ON_EC2}credentials: { profile: p }\n`, 'certificate: got nothing; must be named with'],
    ['no mapping', '- a\n', 'see host.yaml.example'],
    ['two documents', `${ON_EC2}---\n${ON_EC2}`, '2 documents; it must be one'],
    ['nothing', '# only a comment\n', '0 documents; it must be one'],
    ['broken YAML', 'cluster: "c\n', 'invalid YAML'],
  ])('%s is refused with its place, its value and the change', async (_what, text, words) => {
    await expect(read(text)).rejects.toEqual(
      expect.objectContaining({ code: 'config_invalid', message: expect.stringContaining(words) }),
    );
  });

  // It is the host's partition key, and what definitions take is all that can be one.
  test.each([
    ['arn:aws:ec2:eu-west-1:123456789012:instance/i-0', '"arn:aws:ec2:eu-west-1:123456789012:instance/i-0"'],
    ['db-1#ASSIGN', '"db-1#ASSIGN"'],
    ['db 1', '"db 1"'],
    ['db/1', '"db/1"'],
    ['*', '"*"'],
    ['.db', '".db"'],
    ['CN=db-1.example.com', '"CN=db-1.example.com"'],
    ['dürr', '"dürr"'],
    ['', '""'],
    ['a'.repeat(65), `"${'a'.repeat(58)}…`],
  ])('S16: the certificate name %j could not be a principal and is refused', async (name, got) => {
    const rule = 'must be a letter or digit, then letters, digits and . _ -, at most 64 characters';
    const written = `${ON_EC2}region: eu-west-1\ncertificate: ${JSON.stringify(name)}\n`;
    const message = expect.stringContaining(`host.yaml:5:1 certificate: got ${got}; ${rule}`);
    await expect(read(written)).rejects.toEqual(expect.objectContaining({ code: 'config_invalid', message }));
    const host = `{ name: h1, certificateName: ${JSON.stringify(name)} }`;
    const defined = readDefinition([{ content: `apiVersion: holdfast/v1\ncluster: c\nhosts: [${host}]\n` }]);
    if (defined.ok) throw new Error('a definition takes it');
    expect(defined.problems.map(problemText)).toEqual([
      expect.stringContaining(`hosts[0].certificateName: got ${got}; ${rule}`),
    ]);
  });

  test.each(['db-1.example.com', 'DB_1', '7', 'a'.repeat(64)])('the certificate name %j is one', async (name) => {
    const text = `${ON_EC2}region: eu-west-1\ncertificate: ${JSON.stringify(name)}\n`;
    expect((await read(text)).certificate).toBe(name);
  });

  test('a file that is not there is refused', async () => {
    await expect(readHostFile(join(folder, 'none'))).rejects.toEqual(expect.objectContaining({ code: 'not_found' }));
  });
});
