import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { filesOf } from './files.ts';
import { type PlantedTree, plant, REPOSITORY, runTool } from './plants.ts';

interface LintResult {
  filePath: string;
  messages: { ruleId: string | null }[];
}

const PLANTS = [
  {
    what: 'the clock in core',
    path: 'core/reads-clock.ts',
    text: 'export const now = (): number => Date.now();\n',
    rule: 'no-restricted-globals',
  },
  {
    what: 'the clock in core, behind globalThis',
    path: 'core/reads-clock-aside.ts',
    text: 'export const now = (): number => globalThis.Date.now();\n',
    rule: 'no-restricted-globals',
  },
  {
    what: 'randomness in core',
    path: 'core/rolls-dice.ts',
    text: 'export const dice = (): number => Math.random();\n',
    rule: 'no-restricted-properties',
  },
  {
    what: 'a timer in core',
    path: 'core/waits.ts',
    text: 'export const wait = (what: () => void): unknown => setTimeout(what, 10);\n',
    rule: 'no-restricted-globals',
  },
  {
    what: 'a timer in the simulator',
    path: 'sim/waits.ts',
    text: 'export const wait = (what: () => void): unknown => setTimeout(what, 10);\n',
    rule: 'no-restricted-globals',
  },
  {
    what: 'console in the simulator',
    path: 'sim/prints.ts',
    text: "export const say = (): void => console.log('x');\n",
    rule: 'no-restricted-globals',
  },
  {
    what: 'a timer in a loop of the agent',
    path: 'agent/waits.ts',
    text: 'export const soon = (then: () => void): void => void setTimeout(then, 1);\n',
    rule: 'no-restricted-globals',
  },
  {
    what: 'a Node built-in in a loop of the agent',
    path: 'agent/naps.ts',
    text: "import { setTimeout as nap } from 'node:timers/promises';\nexport const wait = (): Promise<void> => nap(1);\n",
    rule: 'no-restricted-imports',
  },
  {
    what: 'any',
    path: 'agent/trusts.ts',
    text: 'export function read(value: any): string {\n  return String(value);\n}\n',
    rule: '@typescript-eslint/no-explicit-any',
  },
  {
    what: 'a non-null assertion',
    path: 'agent/insists.ts',
    text: 'export const first = (list: readonly string[]): string => list[0]!;\n',
    rule: '@typescript-eslint/no-non-null-assertion',
  },
  {
    what: 'a promise nobody awaits',
    path: 'agent/forgets.ts',
    text: 'export function beat(send: () => Promise<void>): void {\n  send();\n}\n',
    rule: '@typescript-eslint/no-floating-promises',
  },
  {
    what: 'a promise where a condition is meant',
    path: 'agent/mistakes.ts',
    text: 'export const ready = (probe: () => Promise<boolean>): string => (probe() ? "yes" : "no");\n',
    rule: '@typescript-eslint/no-misused-promises',
  },
  {
    what: 'a switch that leaves a state out',
    path: 'agent/leaves-out.ts',
    text: 'export function say(phase: "a" | "b"): string {\n  switch (phase) {\n    case "a":\n      return "a";\n  }\n  return "";\n}\n',
    rule: '@typescript-eslint/switch-exhaustiveness-check',
  },
  {
    what: 'a type imported as a value',
    path: 'agent/imports-late.ts',
    text: "import { Shape } from './shape.ts';\nexport const keep = (shape: Shape): Shape => shape;\n",
    rule: '@typescript-eslint/consistent-type-imports',
  },
  {
    what: 'a default export',
    path: 'agent/exports-default.ts',
    text: 'export default 1;\n',
    rule: 'no-restricted-syntax',
  },
  {
    what: '== between values',
    path: 'agent/compares.ts',
    text: 'export const same = (a: number, b: number): boolean => a == b;\n',
    rule: 'eqeqeq',
  },
  {
    what: 'a function of 61 lines',
    path: 'agent/goes-on.ts',
    text: `export function goOn(): number {\n  let n = 0;\n${'  n += 1;\n'.repeat(57)}  return n;\n}\n`,
    rule: 'max-lines-per-function',
  },
  {
    what: 'a file of 401 lines',
    path: 'agent/sprawls.ts',
    text: Array.from({ length: 401 }, (_, n) => `export const a${n} = ${n};\n`).join(''),
    rule: 'max-lines',
  },
];

const INNOCENT = {
  'agent/shape.ts': 'export interface Shape { readonly name: string }\n',
  'core/counts.ts': 'export const next = (n: number): number => n + 1;\n',
  'test/long.ts': `export function long(): number {\n  let n = 0;\n${'  n += 1;\n'.repeat(80)}  return n;\n}\n`,
};

describe('lint and types', () => {
  let tree: PlantedTree;
  const rulesOf = new Map<string, string[]>();
  let lintExit = 0;

  beforeAll(async () => {
    const planted = Object.fromEntries(PLANTS.map(({ path, text }) => [path, text]));
    tree = plant({ ...INNOCENT, ...planted });
    const run = await runTool('eslint/bin/eslint.js', ['.', '--format', 'json'], tree.folder);
    if (!run.stdout.startsWith('[')) throw new Error(`eslint gave no report: ${run.stderr}`);
    lintExit = run.exit;
    for (const { filePath, messages } of JSON.parse(run.stdout) as LintResult[]) {
      const path = filePath.slice(filePath.indexOf(tree.folder) + tree.folder.length + 1);
      rulesOf.set(path, [...new Set(messages.map(({ ruleId }) => ruleId ?? 'does not parse'))]);
    }
  }, 60_000);

  afterAll(() => tree.remove());

  test('a tree with violations fails the command', () => {
    expect(lintExit).toBeGreaterThan(0);
  });

  test.each(PLANTS)('$what is refused', ({ path, rule }) => {
    expect(rulesOf.get(path)).toContain(rule);
  });

  test.each(Object.keys(INNOCENT))('%s has nothing to report', (path) => {
    expect(rulesOf.get(path)).toEqual([]);
  });

  test('in core, a timer and process are not even names', async () => {
    const inCore = plant({
      'core/waits.ts': 'export const wait = (what: () => void): unknown => setTimeout(what, 10);\n',
      'core/reads-environment.ts': 'export const home = (): unknown => process.env;\n',
      'core/leaves.ts': "export { shape } from '../agent/shape.ts';\n",
      'agent/shape.ts': 'export const shape = 1;\n',
    });
    const run = await runTool('typescript/bin/tsc', ['-p', 'core', '--noEmit', '--pretty', 'false'], inCore.folder);
    inCore.remove();
    const errors = run.stdout.split('\n').filter((line) => line.includes('error TS'));
    const names = errors.map((line) => `${line.split('(')[0]} ${/TS\d+/.exec(line)?.[0]}`).sort();
    expect(names).toEqual(['core/leaves.ts TS6059', 'core/reads-environment.ts TS2591', 'core/waits.ts TS2304']);
  }, 60_000);
});

/** Everything that bundling these files would carry along. */
async function inputsOf(root: string, entries: readonly string[]): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [...entries],
    absWorkingDir: root,
    bundle: true,
    metafile: true,
    write: false,
    outdir: 'unused',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['node', 'import'],
    external: ['node:*'],
    logLevel: 'silent',
  });
  return Object.keys(metafile.inputs);
}

describe('bundle', () => {
  const isAws = (path: string) => /node_modules\/(@aws-sdk|@smithy)\//.test(path);

  test('core carries no AWS SDK', async () => {
    const inputs = await inputsOf(REPOSITORY, filesOf(join(REPOSITORY, 'core'), '.ts'));
    expect(inputs).toContain('core/time/time.ts');
    expect(inputs.filter(isAws)).toEqual([]);
  });

  test('an SDK that hides behind two imports is seen', async () => {
    const tree = plant({
      'core/start.ts': "export { client } from '../lambdas/client.ts';\n",
      'lambdas/client.ts': "export { DynamoDBClient as client } from '@aws-sdk/client-dynamodb';\n",
    });
    const inputs = await inputsOf(tree.folder, ['core/start.ts']);
    tree.remove();
    expect(inputs.filter(isAws).length).toBeGreaterThan(0);
  });
});
