/** The command line of the benchmarks. */
import { parseArgs } from 'node:util';
import { messageOf } from '../core/failures/failures.ts';
import { parseThinSize } from '../local/thin/thin-definition.ts';
import { argumentProblem } from '../tools/argument-problem.ts';
import type { BenchOptions } from './figure.ts';

/** What each measures, and which options are for it. */
const BENCHES = {
  agent: 'memory and processor time of an idle host, each profile for a minute',
  api: 'answers of the API about a large cluster (--size)',
  bundles: 'size and cold start of the packages of the Lambdas',
  cost: 'what a deployment costs a month (--hosts, from 3 to 300)',
  placement: 'time to place 10,000 slots on 10,000 hosts',
  simulate: 'what the what-if foretells against what then happens (--cases, --seed)',
} as const;
export type BenchName = keyof typeof BENCHES;

export interface BenchAsk extends Omit<BenchOptions, 'seed'> {
  readonly names: readonly BenchName[];
  /** null: not said. */
  readonly seed: number | null;
  readonly isJson: boolean;
}

const OPTIONS = `
  --size HxG   hosts x groups (200x200)
  --hosts N    hosts (3)
  --cases N    random cases (20)
  --seed N     of the random cases (drawn, and said)
  --json       after each, one line with one JSON object
`;

export function usage(names: readonly BenchName[]): string {
  const lines = names.map((name) => `  ${name.padEnd(10)} ${BENCHES[name]}`);
  return `usage: npm run bench -- [NAME ...] [options]; without a name: each in turn\n\n${lines.join('\n')}\n${OPTIONS}`;
}

const isBench = (name: string): name is BenchName => Object.hasOwn(BENCHES, name);
const ALL = Object.keys(BENCHES).filter(isBench);

type Read = BenchAsk | { readonly help: string } | { readonly problem: string };

/** What to do, or what is wrong with the command line and how to mend it. */
export function parseBench(words: readonly string[]): Read {
  try {
    return read(words);
  } catch (error) {
    const problem = error instanceof ArgumentError ? error.message : argumentProblem(error);
    if (problem === undefined) throw error;
    return { problem };
  }
}

class ArgumentError extends Error {}

function read(words: readonly string[]): Read {
  const { values, positionals } = parseArgs({
    // `npm run bench -- cost -- --hosts N` passes a second `--` on: what follows it are options all the same.
    args: words.filter((word) => word !== '--'),
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      json: { type: 'boolean', default: false },
      size: { type: 'string', default: '200x200' },
      cases: { type: 'string', default: '20' },
      hosts: { type: 'string', default: '3' },
      seed: { type: 'string' },
    },
    allowPositionals: true,
  });
  const unknown = positionals.find((name) => !isBench(name));
  if (unknown !== undefined) throw new ArgumentError(`there is no benchmark "${unknown}"; there are ${ALL.join(', ')}`);
  const names = positionals.length === 0 ? ALL : positionals.filter(isBench);
  if (values.help) return { help: usage(names) };
  return {
    ...{ names, isJson: values.json, size: size(values.size) },
    ...{ cases: whole('--cases', values.cases, 1), hosts: whole('--hosts', values.hosts, 1) },
    seed: values.seed === undefined ? null : whole('--seed', values.seed, 0),
  };
}

function whole(option: string, text: string, least: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number >= least) return number;
  throw new ArgumentError(`${option} must be a whole number from ${String(least)}, got "${text}"`);
}

function size(text: string): string {
  try {
    parseThinSize(text);
    return text;
  } catch (error) {
    // It is an option of the local system under another name.
    throw new ArgumentError(messageOf(error).replace('--thin', '--size'));
  }
}
