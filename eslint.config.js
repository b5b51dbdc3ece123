import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * Lint, with types. Each rule that is not obvious says why it is here; style is left to prettier.
 * What these rules must refuse is planted and checked in test/arch/.
 */

const OUT_OF_CORE = 'a decision is given time, randomness and facts: take it as a parameter or through a port';

/** What would make two evaluations of the same decision differ, or make a decision wait. */
const AMBIENT = [
  'Date',
  'performance',
  'crypto',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'console',
  'process',
  'fetch',
];

/** The same refusal for every room whose loops must run in virtual time as well. */
const NO_AMBIENT = {
  'no-restricted-globals': [
    'error',
    { globals: AMBIENT.map((name) => ({ name, message: OUT_OF_CORE })), checkGlobalObject: true },
  ],
  'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: OUT_OF_CORE }],
};

/** A default export has a different name in every file that imports it; then a search does not find its users. */
const NO_DEFAULT_EXPORT = {
  selector: 'ExportDefaultDeclaration',
  message: 'export by name: a default export is called differently wherever it is imported',
};

export default defineConfig(
  { ignores: ['node_modules/', 'cdk.out/', 'coverage/', 'dist/', '.holdfast/', '.ministack/', '.fuzz/', '.cfn-lint/'] },
  eslint.configs.recommended,

  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      // The nearest tsconfig.json judges each file, so that core/ is linted without Node's types, as it is compiled.
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      eqeqeq: 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      // A promise that nobody awaits hides its failure, and the step after it runs too early.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      // A new state must be decided about at every switch; a `default` that ends in unreachable() counts as deciding.
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Node strips types file by file: an import that is only a type has to say so.
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // Ports are asynchronous; an in-process twin of one often has nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      // Aim for 150 and 40. Beyond these limits a file has two subjects, and a function two levels.
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': ['error', { max: 60, skipComments: true, skipBlankLines: true }],
      'no-restricted-syntax': ['error', NO_DEFAULT_EXPORT],
    },
  },

  {
    files: ['core/**/*.ts', 'sim/**/*.ts'],
    // The command line of the simulator is of this world.
    ignores: ['sim/main.ts', 'sim/run/threads.ts'],
    rules: NO_AMBIENT,
  },

  {
    // The loops of guard and agent, which the simulator runs; what is left out drives processes and files, or wires.
    files: ['agent/**/*.ts'],
    ignores: [
      'agent/main.ts',
      'agent/command.ts',
      'agent/guard/{main,agent-child,effects}.ts',
      'agent/services/{child,exec,leader,ocf,ocf-actions,ocf-environment,runners,service-log,slot-file}.ts',
    ],
    rules: {
      ...NO_AMBIENT,
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['node:*'], message: OUT_OF_CORE },
            {
              group: ['**/adapters/node/*', '!**/adapters/node/marks.ts'],
              allowTypeImports: true,
              message: OUT_OF_CORE,
            },
          ],
        },
      ],
    },
  },

  {
    // A describe block is a list, not a function with a level; its length says nothing.
    files: ['test/**/*.ts'],
    rules: { 'max-lines-per-function': 'off' },
  },

  {
    // A declaration describes a package as it is.
    files: ['**/*.d.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },

  {
    // Tools load a configuration by its default export, and the old ones by require().
    files: ['*.config.js', '**/*.cjs'],
    languageOptions: { globals: { module: 'writable', require: 'readonly' } },
  },
);
