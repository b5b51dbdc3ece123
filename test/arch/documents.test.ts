import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { filesOf } from './files.ts';
import { REPOSITORY } from './plants.ts';

const LINK = /\[[^\]]*\]\(([^)\s]+)\)/g;
const NPM_RUN = /\bnpm run ([a-z][a-z:-]*)/g;
const NPM_SHORT = /\bnpm (start|test)\b/g;

/** The anchor that a heading gets when the page is rendered. */
const anchorOf = (heading: string) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s-]/gu, '')
    .replace(/\s/g, '-');

const anchorsOf = (markdown: string) =>
  [...markdown.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) => anchorOf(heading ?? ''));

/** Links of a page that lead nowhere: to a file that is not there, or to a heading that the file does not have. */
function brokenLinks(page: string, markdown: string): string[] {
  return [...markdown.matchAll(LINK)]
    .map(([, target]) => target ?? '')
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      if (!existsSync(file)) return true;
      if (anchor === undefined || !file.endsWith('.md')) return false;
      return !anchorsOf(file === page ? markdown : readFileSync(file, 'utf8')).includes(anchor);
    });
}

function unknownScripts(markdown: string, scripts: readonly string[]): string[] {
  const named = [...markdown.matchAll(NPM_RUN), ...markdown.matchAll(NPM_SHORT)].map(([, name]) => name ?? '');
  return [...new Set(named)].filter((name) => !scripts.includes(name));
}

const manifest = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
const pages = filesOf(REPOSITORY, '.md').map((path) => ({ path, name: relative(REPOSITORY, path) }));

describe('documents', () => {
  test('a link to a missing file or heading, and an unknown script, are seen', () => {
    const page = join(REPOSITORY, 'README.md');
    const text = '# One, two\n[a](#one-two) [b](#three) [c](nowhere.md) [d](package.json) [e](https://example.org)';
    expect(brokenLinks(page, text)).toEqual(['#three', 'nowhere.md']);
    expect(unknownScripts('`npm run no-such` and `npm run check`, `npm test`', ['check', 'test'])).toEqual(['no-such']);
  });

  test('the README is among them', () => {
    expect(pages.map(({ name }) => name)).toContain('README.md');
  });

  test.each(pages)('$name leads only to what exists', ({ path }) => {
    const markdown = readFileSync(path, 'utf8');
    expect(brokenLinks(path, markdown)).toEqual([]);
    expect(unknownScripts(markdown, Object.keys(manifest.scripts))).toEqual([]);
  });
});
