import { describe, expect, test } from '@jest/globals';
import { parseBench } from '../../bench/arguments.ts';

const ALL = ['agent', 'api', 'bundles', 'cost', 'placement', 'simulate'];

test('without a word: each benchmark, as the docs were measured', () => {
  expect(parseBench([])).toEqual({ names: ALL, isJson: false, size: '200x200', cases: 20, hosts: 3, seed: null });
});

test('options before, after and behind a second --', () => {
  const asked = { names: ['cost'], isJson: true, size: '2x1', cases: 20, hosts: 12, seed: 0 };
  expect(parseBench(['--seed', '0', 'cost', '--', '--hosts', '12', '--json', '--size=2x1'])).toEqual(asked);
});

describe('help', () => {
  test('names every benchmark and every option', () => {
    const read = parseBench(['--help']);
    if (!('help' in read)) throw new Error(JSON.stringify(read));
    for (const word of [...ALL, '--size', '--hosts', '--cases', '--seed', '--json']) expect(read.help).toContain(word);
  });

  test('of one is about that one', () => {
    const read = parseBench(['cost', '-h']);
    if (!('help' in read)) throw new Error(JSON.stringify(read));
    expect(read.help).toMatch(/^ {2}cost /m);
    expect(read.help).not.toMatch(/^ {2}agent /m);
  });
});

test.each([
  [['--hots', '3'], "unknown option '--hots'"],
  [['-x'], "unknown option '-x'"],
  [['cots'], 'there is no benchmark "cots"; there are agent, api, bundles, cost, placement, simulate'],
  [['constructor'], /^there is no benchmark "constructor"/],
  [['cots', '--help'], /^there is no benchmark "cots"/],
  [['--hosts'], "option '--hosts <value>' argument missing"],
  [['--json=yes'], "option '--json' does not take an argument"],
  [['--hosts', '0'], '--hosts must be a whole number from 1, got "0"'],
  [['--hosts', ''], '--hosts must be a whole number from 1, got ""'],
  [['--cases', '1e2'], '--cases must be a whole number from 1, got "1e2"'],
  [['--seed', '-1'], /^option '--seed' argument is ambiguous/],
  [['--seed=-1'], '--seed must be a whole number from 0, got "-1"'],
  [['--size', '1x1'], '--size 1x1: give hosts x groups, such as 200x200, from 2x1 to 500x1000'],
])('%j is refused', (words, says) => {
  const read = parseBench(words);
  expect(read).toEqual({ problem: typeof says === 'string' ? says : expect.stringMatching(says) });
});
