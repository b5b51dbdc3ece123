/** The app as `cdk` calls it: with a file of settings on disk, and a folder to synthesise into. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadSettings } from '../../bin/settings-file.ts';

const APP = fileURLToPath(new URL('../../bin/holdfast.ts', import.meta.url));

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'holdfast-app-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const cluster = (timing: string) => `apiVersion: holdfast/v1
cluster: shop
timing: ${timing}
hosts:
  - { name: h1, certificateName: h1 }
groups:
  - { name: web, redundancy: { model: n-plus-m, active: 1, standby: 0 }, services: [ { name: web, agent: 'systemd:web' } ] }
`;

describe('the file of settings', () => {
  test('none: the defaults', async () => {
    expect(await loadSettings(undefined)).toMatchObject({ name: 'Holdfast', definitions: [] });
  });

  test('an empty one, too', async () => {
    expect(await loadSettings(written('empty.yaml', '# nothing yet\n'))).toMatchObject({ name: 'Holdfast' });
  });

  test('definitions are found beside it, and judged with it', async () => {
    written('shop.yaml', cluster('{ profile: fast }'));
    const settings = await loadSettings(written('good.yaml', 'name: Ha\ndefinitions: [ shop.yaml ]\n'));
    expect(settings).toMatchObject({ name: 'Ha', definitions: ['shop.yaml'] });
    const minute = written('minute.yaml', 'findBehind: { every: minute }\ndefinitions:\n  - shop.yaml\n');
    await expect(loadSettings(minute)).rejects.toThrow(
      /minute\.yaml:3:5 definitions\[0\]: got cluster shop, timing\.sweepPeriod 1s; must be at least 60s .*\[V10\]/,
    );
  });

  test('what is wrong is said with its line', async () => {
    const file = written('bad.yaml', 'name: Ha\napi:\n  auth: jwt\n  issuer: https://issuer.example\n');
    await expect(loadSettings(file)).rejects.toThrow(/bad\.yaml:2:1 api\.audience: got nothing; must be a list/);
  });

  test('a definition that is not valid by itself', async () => {
    written('broken.yaml', cluster('{ profile: fast, takerWait: 2s }'));
    const file = written('names-broken.yaml', 'definitions: [ broken.yaml ]\n');
    await expect(loadSettings(file)).rejects.toThrow(/broken\.yaml:3:\d+ timing\.takerWait: got takerWait 2s; must be/);
  });

  test('definitions that cannot be read: each by its place in the settings, with what stands there', async () => {
    written('shop.yaml', cluster('{ profile: fast }'));
    mkdirSync(join(folder, 'parts'));
    const lines = ['definitions:', '  - shop.yaml', '  - absent.yaml', '  - [ shop.yaml, parts, ../no/hosts.yaml ]'];
    const file = written('names-absent.yaml', `${lines.join('\n')}\n`);
    const rule = 'name a file that can be read, relative to these settings';
    const says = [
      'the settings of this deployment are not valid',
      `  ${file}:3:5 definitions[1]: got "absent.yaml"; ${rule}: there is no ${join(folder, 'absent.yaml')}`,
      `  ${file}:4:18 definitions[2][1]: got "parts"; ${rule}: cannot read ${join(folder, 'parts')}: EISDIR: illegal operation on a directory, read`,
      `  ${file}:4:25 definitions[2][2]: got "../no/hosts.yaml"; ${rule}: there is no ${join(folder, '../no/hosts.yaml')}`,
    ];
    const refused = loadSettings(file).catch((error: unknown) => error);
    expect(await refused).toMatchObject({ code: 'config_invalid', message: says.join('\n') });
  });

  test.each([
    ['that is not there', undefined, 'name the file of settings: -c holdfast=FILE'],
    ['that is no YAML', 'name: [', 'correct the YAML'],
    ['with two documents', 'name: A\n---\nname: B\n', 'write all settings as one document'],
  ])('one %s', async (name, text, says) => {
    const file = text === undefined ? join(folder, 'absent.yaml') : written(`${name.replaceAll(' ', '-')}.yaml`, text);
    await expect(loadSettings(file)).rejects.toThrow(says);
  });
});

interface Ended {
  readonly code: number;
  readonly stderr: string;
  readonly files: string[];
}

/** As `cdk synth` does: the context and the folder come by the environment. */
function app(file: string, outdir: string): Promise<Ended> {
  const context = JSON.stringify({ holdfast: file, 'aws:cdk:bundling-stacks': [] });
  const env = { ...process.env, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: context };
  return new Promise((resolve) => {
    execFile(process.execPath, [APP], { env }, (error, _, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, stderr, files: readdirSync(outdir).sort() });
    });
  });
}

const outdir = () => mkdtempSync(join(folder, 'out-'));

describe('the app', () => {
  test('synthesises the stacks of the file', async () => {
    const { code, files } = await app(written('named.yaml', 'name: Ha\ndashboard: false\n'), outdir());
    expect(code).toBe(0);
    expect(files.filter((name) => name.endsWith('.template.json'))).toEqual([
      'HaControl.template.json',
      'HaObservability.template.json',
      'HaState.template.json',
    ]);
  }, 120_000);

  test('synthesises nothing from settings that are not valid, says why, and ends with the status of such a failure', async () => {
    const { code, stderr, files } = await app(written('refused.yaml', 'findBehind: { memoryMb: 64 }\n'), outdir());
    expect(stderr).toContain('refused.yaml:1:15 findBehind.memoryMb: got 64; must be a whole number from 128 to 3008');
    expect(code).toBe(2);
    expect(files).toEqual([]);
  }, 120_000);
});
