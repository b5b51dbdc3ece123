/** The command line of `npm run test:aws`. */
import { parseArgs } from 'node:util';
import { argumentProblem } from '../argument-problem.ts';

export interface AwsTestAsk {
  readonly only: readonly string[];
  readonly isProbes: boolean;
  readonly isJson: boolean;
  readonly isKept: boolean;
}

type Read = AwsTestAsk | { readonly help: string } | { readonly problem: string };

function usage(scenarios: readonly string[]): string {
  return `usage: npm run test:aws [-- [--only ${scenarios.join(',')}] [--probes] [--json] [--keep]]
  --only    these scenarios alone; everything that needs no failover is checked all the same
  --probes  finds out what the emulator cannot do, instead (docs/internals/emulation.md)
  --json    ends with one line of JSON
  --keep    logs and state stay also when all is well
`;
}

/** What to do, or what is wrong with the command line and how to mend it. `scenarios`: all that there are. */
export function parseAwsTest(words: readonly string[], scenarios: readonly string[]): Read {
  try {
    const { values } = parseArgs({
      args: words.filter((word) => word !== '--'), // A second `--` after that of npm.
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        only: { type: 'string' },
        probes: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
      },
    });
    if (values.help) return { help: usage(scenarios) };
    const only = values.only?.split(',') ?? scenarios;
    const unknown = only.find((name) => !scenarios.includes(name));
    if (unknown !== undefined)
      return { problem: `there is no scenario "${unknown}"; there are ${scenarios.join(', ')}` };
    return { only, isProbes: values.probes, isJson: values.json, isKept: values.keep };
  } catch (error) {
    const problem = argumentProblem(error);
    if (problem === undefined) throw error;
    return { problem };
  }
}
