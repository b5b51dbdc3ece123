import { describe, expect, test } from '@jest/globals';
import { parseArguments } from '../../../sim/run/arguments.ts';

describe('the command line of the simulator', () => {
  test('says what to run', () => {
    expect(parseArguments(['--seeds', '2000', '--from', '7', '--workers', '2', '--json'])).toMatchObject({
      seeds: 2000,
      from: 7,
      seed: null,
      workers: 2,
      isJson: true,
      replayCheck: 0.01,
      starts: 5,
      mutations: [],
    });
    expect(parseArguments(['--seed', '0', '--trace', '--host', 'h1'])).toMatchObject({
      seed: 0,
      isTrace: true,
      host: 'h1',
    });
    expect(parseArguments(['--mutate', 'forget-m'])).toMatchObject({ mutations: ['forget-m'] });
    expect(parseArguments(['--minutes', '0.5'])).toMatchObject({ minutes: 0.5, seeds: null });
  });

  test('of all mutations names each', () => {
    const ask = parseArguments(['--mutate', 'all']);
    expect('mutations' in ask ? ask.mutations.length : 0).toBe(16);
  });

  test.each([
    [['--seeds'], '--seeds needs a number of seeds, as in --seeds 2000'],
    [['--seeds', '--json'], '--seeds needs a number of seeds, as in --seeds 2000'],
    [['--seeds', '0'], '--seeds must be a whole number from 1, got "0"'],
    [['--seeds', '1e3'], '--seeds must be a whole number from 1, got "1e3"'],
    [['--from', '-1'], '--from must be a whole number from 0, got "-1"'],
    [['--replay-check', '2'], '--replay-check must be a number from 0 to 1, got "2"'],
    [['--minutes', 'ten'], '--minutes must be a number from 0 to 100000, got "ten"'],
    [['--quick'], 'unknown option --quick; see --help'],
    [['--seed', '1', '--seed', '2'], '--seed is given twice'],
    [['--seeds', '5', '--seed', '2'], '--seeds and --seed exclude each other'],
    [['--scenario', 'a', '--mutate', 'forget-m'], '--scenario and --mutate exclude each other'],
    [['--trace'], '--trace needs --seed or --scenario'],
    [['--seed', '1', '--mutate', 'all'], '--seed takes one mutation, not all'],
  ])('refuses %j', (words, problem) => {
    expect(parseArguments(words)).toEqual({ problem });
  });

  test('names the mutations there are', () => {
    const ask = parseArguments(['--mutate', 'nothing']);
    expect('problem' in ask && ask.problem).toMatch(
      /^there is no mutation "nothing"; there are all, feed-at-1w, lease-from-ack/,
    );
  });
});
