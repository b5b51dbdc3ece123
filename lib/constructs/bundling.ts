import { type BundlingOptions, OutputFormat, SourceMapMode } from 'aws-cdk-lib/aws-lambda-nodejs';

/** Bundled as ES modules; packages that still call require() get one. */
const REQUIRE_BANNER = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** How every Lambda is bundled: read by the construct, and by the test that watches their size. */
export const BUNDLING = {
  format: OutputFormat.ESM,
  banner: REQUIRE_BANNER,
  mainFields: ['module', 'main'],
  target: 'node24',
  minify: true,
  // The workflow matches on names of errors.
  keepNames: true,
  sourceMap: true,
  sourceMapMode: SourceMapMode.DEFAULT,
  sourcesContent: false,
  // The SDK goes into the bundle: what was tested is what runs, whatever the runtime ships.
  externalModules: [],
} satisfies BundlingOptions;
