import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type PlantedTree, plant, REPOSITORY, runTool, type ToolRun } from './plants.ts';

const ROOMS = [
  'core',
  'adapters',
  'agent',
  'lambdas',
  'local',
  'sim',
  'cli',
  'console',
  'lib',
  'bin',
  'bench',
  'tools',
  'test',
];

function cruise(folder: string, outputType: 'err' | 'json'): Promise<ToolRun> {
  const rooms = ROOMS.filter((room) => existsSync(join(folder, room)));
  const rules = ['--config', '.dependency-cruiser.cjs', '--output-type', outputType];
  return runTool('dependency-cruiser/bin/dependency-cruiser.mjs', [...rules, ...rooms], folder);
}

interface Report {
  summary: { violations: { from: string; rule: { name: string } }[] };
}

interface Violation {
  readonly from: string;
  readonly rule: string;
}

async function violationsIn(folder: string): Promise<Violation[]> {
  const run = await cruise(folder, 'json');
  if (!run.stdout.startsWith('{')) throw new Error(`dependency-cruiser gave no report: ${run.stderr}`);
  const { summary } = JSON.parse(run.stdout) as Report;
  return summary.violations.map(({ from, rule }) => ({ from, rule: rule.name }));
}

const SDK_TYPE = "import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';\n";

/** Nothing here breaks a rule; each plant below adds one file that does. */
const INNOCENT = {
  'core/decide.ts': "import * as z from 'zod';\nexport const shape = z.string();\n",
  'adapters/aws/store.ts': `${SDK_TYPE}export interface Store { readonly client: DynamoDBClient }\n`,
  'lambdas/find-behind/handler.ts': "export { shape } from '../../core/decide.ts';\n",
  'lambdas/find-behind/index.ts':
    "import type { Store } from '../../adapters/aws/store.ts';\nexport interface Wired { readonly store: Store }\n",
  'local/run.ts': "export { shape } from '../lambdas/find-behind/handler.ts';\n",
  'bench/clock.ts': "export { shape } from '../local/run.ts';\n",
  'test/probe.ts': "export { shape } from '../local/run.ts';\n",
};

const PLANTS = [
  {
    what: 'a Node built-in in core',
    path: 'core/reads-files.ts',
    text: "import { readFileSync } from 'node:fs';\nexport const read = readFileSync;\n",
    reported: ['core-is-pure'],
  },
  {
    what: 'a package other than zod in core',
    path: 'core/reads-yaml.ts',
    text: "import { parse } from 'yaml';\nexport const read = parse;\n",
    reported: ['core-is-pure'],
  },
  {
    what: 'an adapter from core',
    path: 'core/knows-its-store.ts',
    text: "import type { Store } from '../adapters/aws/store.ts';\nexport interface Known { readonly store: Store }\n",
    reported: ['layer:core', 'pure-never-reaches-aws'],
  },
  {
    what: 'a type-only import of the SDK in the agent',
    path: 'agent/holds-a-client.ts',
    text: `${SDK_TYPE}export interface Held { readonly client: DynamoDBClient }\n`,
    reported: ['aws-sdk-behind-adapters'],
  },
  {
    what: "the SDK reached from local through a Lambda's wiring",
    path: 'local/borrows-wiring.ts',
    text: "import type { Wired } from '../lambdas/find-behind/index.ts';\nexport interface Borrowed { readonly wired: Wired }\n",
    reported: ['wiring-is-an-entry'],
  },
  {
    what: 'the SDK reached from the simulator through an adapter it may import',
    path: 'sim/borrows-store.ts',
    text: "import type { Store } from '../adapters/aws/store.ts';\nexport interface Simulated { readonly store: Store }\n",
    reported: ['pure-never-reaches-aws'],
  },
  {
    what: "EC2's client in a Lambda that has no rights on machines",
    path: 'lambdas/reconcile/index.ts',
    text: "import type { Power } from '../../adapters/aws/ec2-power.ts';\nexport interface Powered { readonly power: Power }\n",
    beside: { 'adapters/aws/ec2-power.ts': 'export interface Power { readonly machine: string }\n' },
    reported: ['store-only-lambdas'],
  },
  {
    what: 'a test from the command line',
    path: 'cli/asks-a-test.ts',
    text: "export { shape } from '../test/probe.ts';\n",
    reported: ['layer:cli'],
  },
  {
    what: 'a test from a benchmark',
    path: 'bench/asks-a-test.ts',
    text: "export { shape } from '../test/probe.ts';\n",
    reported: ['layer:bench'],
  },
  {
    what: 'a benchmark from the product',
    path: 'cli/asks-a-benchmark.ts',
    text: "export { shape } from '../bench/clock.ts';\n",
    reported: ['layer:cli'],
  },
  {
    what: 'a cycle',
    path: 'core/turns.ts',
    text: "import type { Turn } from './turns-back.ts';\nexport interface Start { readonly turn: Turn }\n",
    beside: {
      'core/turns-back.ts':
        "import type { Start } from './turns.ts';\nexport interface Turn { readonly start: Start }\n",
    },
    reported: ['no-cycles'],
  },
  {
    what: 'an import that leads nowhere',
    path: 'agent/lost.ts',
    text: "export { nothing } from '../core/not-there.ts';\n",
    reported: ['resolvable'],
  },
];

/** A cycle is reported at one of its files, whichever comes first. */
const plantedBy = ({ path, beside }: (typeof PLANTS)[number]) => [path, ...Object.keys(beside ?? {})];

describe('rooms', () => {
  let tree: PlantedTree;
  let found: Violation[];

  beforeAll(async () => {
    const planted = PLANTS.map(({ path, text, beside }) => ({ [path]: text, ...beside }));
    tree = plant(Object.assign({}, INNOCENT, ...planted) as Record<string, string>);
    found = await violationsIn(tree.folder);
  }, 60_000);

  afterAll(() => tree.remove());

  test('a tree with violations fails the command', async () => {
    const run = await cruise(tree.folder, 'err');
    expect(run.exit).toBeGreaterThan(0);
  }, 60_000);

  test.each(PLANTS)('$what is refused', (planted) => {
    const rules = found.filter(({ from }) => plantedBy(planted).includes(from)).map(({ rule }) => rule);
    expect([...new Set(rules)].sort()).toEqual(planted.reported);
  });

  test('what is allowed is not reported', () => {
    const planted = PLANTS.flatMap(plantedBy);
    expect(found.filter(({ from }) => !planted.includes(from))).toEqual([]);
  });

  test('this repository has no violation', async () => {
    const run = await cruise(REPOSITORY, 'err');
    expect(run.stdout).toContain('no dependency violations found');
    expect(run.exit).toBe(0);
  }, 60_000);
});
