import { relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { filesOf } from './files.ts';
import { REPOSITORY } from './plants.ts';

/** These names say that nobody decided what belongs there. */
const SAYS_NOTHING = /^(utils?|helpers?|managers?|common|misc)$/i;
const isKebabCase = (word: string) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(word);

/** What is wrong with a path of the tree; undefined if nothing is. */
function wrongName(path: string): string | undefined {
  const words = path.split('/').map((part) => part.replace(/(\.[a-z]+)?\.[a-z]+$/, ''));
  if (words.some((word) => SAYS_NOTHING.test(word))) return `${path}: name what it holds`;
  if (words.some((word) => !isKebabCase(word))) return `${path}: kebab-case`;
  return undefined;
}

describe('names of files and folders', () => {
  test.each([
    ['core/utils.ts', 'core/utils.ts: name what it holds'],
    ['agent/helpers/read.ts', 'agent/helpers/read.ts: name what it holds'],
    ['local/Manager.ts', 'local/Manager.ts: name what it holds'],
    ['core/common/time.ts', 'core/common/time.ts: name what it holds'],
    ['core/leaseState.ts', 'core/leaseState.ts: kebab-case'],
    ['core/lease_state.test.ts', 'core/lease_state.test.ts: kebab-case'],
    ['core/lease/lease-standing.ts', undefined],
    ['test/core/time/time.test.ts', undefined],
  ])('%s', (path, verdict) => {
    expect(wrongName(path)).toBe(verdict);
  });

  test('this repository has none that says nothing', () => {
    const paths = filesOf(REPOSITORY, '.ts').map((path) => relative(REPOSITORY, path));
    expect(paths.length).toBeGreaterThan(5);
    expect(paths.map(wrongName).filter((wrong) => wrong !== undefined)).toEqual([]);
  });
});
