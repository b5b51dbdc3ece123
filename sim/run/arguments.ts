/** The command line of the simulator. */
import { type Mutation, MUTATIONS } from '../contract/mutations.ts';
import { STARTS } from './mutate.ts';
import { isMutation } from './scenario-parse.ts';

export interface Ask {
  /** Of --mutate. */
  readonly starts: number;
  /** null: not said. */
  readonly seeds: number | null;
  readonly from: number;
  /** One seed alone. */
  readonly seed: number | null;
  readonly isTrace: boolean;
  readonly isVerbose: boolean;
  /** Of the trace: only this host. */
  readonly host: string | null;
  readonly mutations: readonly Mutation[];
  /** As many seeds as fit, instead of a number of them. */
  readonly minutes: number | null;
  /** null: one for each core. */
  readonly workers: number | null;
  readonly isJson: boolean;
  readonly scenario: string | null;
  /** Part of the seeds that is run twice. */
  readonly replayCheck: number;
  /** After the first safety violation of a run, go on with it. */
  readonly isGoingOn: boolean;
}

export const USAGE = `npm run sim -- [options]

  --seeds N          run N seeds (100); with --mutate: at most so many from each start (2000)
  --from S           beginning with seed S (1)
  --minutes M        as many seeds as fit into M minutes instead
  --seed S           run seed S alone
  --scenario FILE    run a scenario of test/scenarios
  --trace            with --seed or --scenario: print the run as a timeline
  --host H           of the timeline, only what concerns host H
  --verbose          and lines of logs
  --mutate NAME|all  build the system wrong in this way and count the seeds until a checker sees it
  --starts N         with --mutate: starts for each (5)
  --workers W        threads (one for each core); the result does not depend on it
  --replay-check P   part of the seeds that is run twice and compared (0.01)
  --go-on            do not end a run at its first safety violation
  --json             the last line is one JSON object
`;

/** What to do, or what is wrong with the command line and how to mend it. */
export function parseArguments(words: readonly string[]): Ask | { readonly problem: string } {
  const given = new Map<string, string>();
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    const kind = OPTIONS[word];
    if (kind === undefined) return { problem: `unknown option ${word}; see --help` };
    if (given.has(word)) return { problem: `${word} is given twice` };
    if (kind === 'flag') given.set(word, '');
    else {
      index += 1;
      const value = words[index];
      if (value === undefined || value.startsWith('--')) return { problem: `${word} needs ${kind}` };
      given.set(word, value);
    }
  }
  try {
    return read(given);
  } catch (error) {
    if (error instanceof ArgumentError) return { problem: error.message };
    throw error;
  }
}

const OPTIONS: Readonly<Record<string, string>> = {
  '--seeds': 'a number of seeds, as in --seeds 2000',
  '--from': 'a seed, as in --from 1',
  '--minutes': 'a number of minutes, as in --minutes 10',
  '--seed': 'a seed, as in --seed 17',
  '--scenario': 'a file, as in --scenario test/scenarios/cut-host.txt',
  '--trace': 'flag',
  '--host': 'the name of a host',
  '--verbose': 'flag',
  '--mutate': `the name of a mutation, or all`,
  '--starts': 'a number of starts for --mutate, as in --starts 1',
  '--workers': 'a number of threads',
  '--replay-check': 'a part of the seeds, as in 0.01',
  '--go-on': 'flag',
  '--json': 'flag',
};

class ArgumentError extends Error {}

function read(given: ReadonlyMap<string, string>): Ask {
  const text = (name: string): string | null => given.get(name) ?? null;
  const whole = (name: string, least: number): number | null => {
    const value = text(name);
    if (value === null) return null;
    const number = Number(value);
    if (/^\d+$/.test(value) && Number.isSafeInteger(number) && number >= least) return number;
    throw new ArgumentError(`${name} must be a whole number from ${least}, got "${value}"`);
  };
  const fraction = (name: string, most: number): number | null => {
    const value = text(name);
    if (value === null) return null;
    const number = Number(value);
    if (value !== '' && number >= 0 && number <= most) return number;
    throw new ArgumentError(`${name} must be a number from 0 to ${most}, got "${value}"`);
  };
  const ask: Ask = {
    seeds: whole('--seeds', 1),
    from: whole('--from', 0) ?? 1,
    seed: whole('--seed', 0),
    isTrace: given.has('--trace'),
    isVerbose: given.has('--verbose'),
    host: text('--host'),
    mutations: mutationsOf(text('--mutate')),
    starts: whole('--starts', 1) ?? STARTS,
    minutes: fraction('--minutes', 100_000),
    workers: whole('--workers', 1),
    isJson: given.has('--json'),
    scenario: text('--scenario'),
    replayCheck: fraction('--replay-check', 1) ?? 0.01,
    isGoingOn: given.has('--go-on'),
  };
  const both = CLASHES.find(([one, other]) => given.has(one) && given.has(other));
  if (both !== undefined) throw new ArgumentError(`${both[0]} and ${both[1]} exclude each other`);
  if (ask.seed === null && ask.scenario === null)
    for (const needs of ['--trace', '--host', '--verbose', '--go-on'])
      if (given.has(needs)) throw new ArgumentError(`${needs} needs --seed or --scenario`);
  if (given.has('--starts') && !given.has('--mutate')) throw new ArgumentError('--starts needs --mutate');
  if (ask.seed !== null && ask.mutations.length > 1) throw new ArgumentError('--seed takes one mutation, not all');
  return ask;
}

const CLASHES = [
  ['--seeds', '--minutes'],
  ['--seeds', '--seed'],
  ['--seeds', '--scenario'],
  ['--seed', '--minutes'],
  ['--seed', '--scenario'],
  ['--seed', '--from'],
  ['--scenario', '--mutate'],
  ['--mutate', '--minutes'],
] as const;

function mutationsOf(word: string | null): readonly Mutation[] {
  if (word === null) return [];
  const all = Object.keys(MUTATIONS).filter(isMutation);
  if (word === 'all') return all;
  if (isMutation(word)) return [word];
  throw new ArgumentError(`there is no mutation "${word}"; there are all, ${all.join(', ')}`);
}
