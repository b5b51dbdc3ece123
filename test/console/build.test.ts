import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildConsole } from '../../tools/build-console.ts';

const SCRIPT_BYTES_MAX = 60 * 1024;

describe('the built console', () => {
  let folder = '';
  const files = new Map<string, string>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-build-'));
    await buildConsole(folder);
    for (const name of await readdir(folder)) files.set(name, await readFile(join(folder, name), 'utf8'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const named = (ending: string): readonly [string, string] => {
    const found = [...files].filter(([name]) => name.endsWith(ending));
    expect(found).toHaveLength(1);
    return found[0] ?? ['', ''];
  };

  test('is one page with one script, one style sheet and an icon, named by their content', () => {
    const html = files.get('index.html') ?? '';
    for (const ending of ['.js', '.css', '.svg']) {
      const [name] = named(ending);
      expect(name).toMatch(/^[a-z]+-[A-Za-z0-9]{8}\.[a-z]+$/);
      expect(html).toContain(`"${name}"`);
    }
    expect(files.size).toBe(4);
  });

  test('has a script of at most 60 KB, compressed', () => {
    expect(gzipSync(named('.js')[1], { level: 9 }).length).toBeLessThanOrEqual(SCRIPT_BYTES_MAX);
  });

  test('has nothing inline that a content policy would have to allow', () => {
    const html = files.get('index.html') ?? '';
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)/);
    expect(html).not.toMatch(/<style|\bstyle=|\bon[a-z]+=/);
  });

  test('asks no other host for anything', () => {
    expect(files.get('index.html')).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(named('.css')[1]).not.toMatch(/url\(|https?:|@import/);
    expect(named('.js')[1]).not.toMatch(/fetch\(["'`]https?:|import\(/);
  });

  test('is the same, byte for byte, when it is built again', async () => {
    const again = await mkdtemp(join(tmpdir(), 'holdfast-build-'));
    await buildConsole(again);
    for (const [name, text] of files) expect(await readFile(join(again, name), 'utf8')).toBe(text);
    await rm(again, { recursive: true });
  });
});
