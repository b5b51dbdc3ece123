/** The commands of `npm run`: help is an answer, and what is not known is refused before anything starts. */
import { spawnSync } from 'node:child_process';
import { describe, expect, jest, test } from '@jest/globals';
import { parseAwsTest } from '../../tools/ministack/arguments.ts';

jest.setTimeout(60_000);

function run(script: string, ...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...words], {
    encoding: 'utf8',
    timeout: 50_000,
  });
  return { status, stdout, stderr };
}

describe.each([
  ['bench', 'bench/main.ts'],
  ['failover', 'bench/failover/main.ts'],
  ['test:aws', 'tools/test-aws.ts'],
])('npm run %s', (name, script) => {
  test('--help prints usage, on standard output, and is no failure', () => {
    const usage = expect.stringMatching(new RegExp(`^usage: npm run ${name} `));
    expect(run(script, '--help')).toEqual({ status: 0, stdout: usage, stderr: '' });
  });

  test('an unknown option is named, the way out is said, and the exit status is 2', () => {
    const says = `${name}: unknown option '--helm'; see npm run ${name} -- --help\n`;
    expect(run(script, '--helm')).toEqual({ status: 2, stdout: '', stderr: says });
  });
});

describe('bench', () => {
  test('of one benchmark has help as well', () => {
    expect(run('bench/main.ts', 'cost', '--help')).toMatchObject({ status: 0, stderr: '' });
  });

  test('what a benchmark itself refuses is a fault of the command line, too', () => {
    const says = expect.stringContaining('--hosts 2: give a number from 3 to 300');
    expect(run('bench/main.ts', 'cost', '--hosts', '2')).toMatchObject({ status: 2, stderr: says });
  });
});

describe('test:aws', () => {
  const read = (...words: string[]) => parseAwsTest(words, ['kill', 'cut']);

  test('without a word everything, and what is given else', () => {
    expect(read()).toEqual({ only: ['kill', 'cut'], isProbes: false, isJson: false, isKept: false });
    expect(read('--', '--only', 'cut', '--json', '--keep', '--probes')).toEqual({
      ...{ only: ['cut'], isProbes: true, isJson: true, isKept: true },
    });
  });

  test.each([
    [['--only', 'cut,kil'], 'there is no scenario "kil"; there are kill, cut'],
    [['--only'], "option '--only <value>' argument missing"],
    [['--only', ''], 'there is no scenario ""; there are kill, cut'],
    [['kill'], "unexpected argument 'kill'"],
  ])('%j is refused', (words, problem) => {
    expect(read(...words)).toEqual({ problem });
  });
});
