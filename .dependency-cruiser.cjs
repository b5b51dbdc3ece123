/**
 * Folders are rooms: what each may import. The plants in test/arch/ show that every rule here reports.
 */
const MAY_IMPORT = {
  core: [],
  adapters: ['core'],
  agent: ['core', 'adapters'],
  lambdas: ['core', 'adapters'],
  local: ['core', 'adapters', 'lambdas', 'agent'],
  sim: ['core', 'adapters', 'agent', 'lambdas'],
  cli: ['core', 'adapters', 'local'],
  console: ['core'],
  lib: ['core'],
  // The app reads its settings from disk, as the CLI reads definitions.
  bin: ['core', 'lib', 'adapters'],
};
const product = Object.keys(MAY_IMPORT);
// Measurements and tools look at everything, as operators do; nothing looks back at them.
const rooms = { ...MAY_IMPORT, bench: [...product, 'tools'], tools: [...product, 'bench'] };

const AWS = 'node_modules/(@aws-sdk|@smithy)/';
const folders = [...Object.keys(rooms), 'test'].join('|');
const error = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

const layers = Object.entries(rooms).map(([folder, allowed]) =>
  error(
    `layer:${folder}`,
    `${folder}/ may import ${[folder, ...allowed].map((name) => `${name}/`).join(', ')} and packages`,
    { path: `^${folder}/` },
    { path: `^(${folders})/`, pathNot: `^(${[folder, ...allowed].join('|')})/` },
  ),
);

const forbidden = [
  ...layers,
  error(
    'core-is-pure',
    'The same lines of core run in a Lambda, on a host, in the simulator: no Node built-in, no package but zod.',
    { path: '^core/' },
    { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: 'node_modules/zod/' },
  ),
  error(
    'aws-sdk-behind-adapters',
    'One importer of the SDK keeps its time-outs, retries and error names in one place.',
    { path: `^(${folders})/`, pathNot: '^(adapters/aws|test|tools/ministack)/' },
    { path: AWS },
  ),
  error(
    'pure-never-reaches-aws',
    'Whatever must be deterministic, or run in a browser, does not reach the SDK even through others.',
    { path: '^(core|sim|console)/' },
    { path: AWS, reachable: true },
  ),
  error(
    'wiring-is-an-entry',
    'lambdas/NAME/index.ts reads the environment and builds SDK clients when it is imported; take handler.ts and give it ports.',
    { path: `^(${folders})/`, pathNot: '^test/' },
    { path: '^lambdas/[^/]+/index[.]ts$' },
  ),
  error(
    'store-only-lambdas',
    'Lambdas without rights on machines do not load the clients for them: half of the bundle, and find-behind has 128 MB.',
    { path: '^lambdas/(find-behind|reconcile|ha-recover)/index[.]ts$' },
    { path: '^adapters/aws/(ec2|ssm|auto-scaling)', reachable: true },
  ),
  error(
    'resolvable',
    'An import that does not resolve is not judged by any other rule.',
    {},
    { couldNotResolve: true },
  ),
  error('no-cycles', 'In a cycle no file can be understood, or tested, before the others.', {}, { circular: true }),
];

module.exports = {
  forbidden,
  options: {
    // Counts `import type` as well: a type-only import of the SDK ties a room to it all the same.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(cdk[.]out|[.]holdfast|[.]ministack)/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
