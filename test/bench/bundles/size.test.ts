import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { zippedBytes } from '../../../bench/bundles/zip.ts';
import { BUNDLING } from '../../../lib/constructs/bundling.ts';
import { LAMBDAS } from '../../../lib/stacks/control-stack.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const OUT = join(REPOSITORY, 'out');
const NAMES = Object.values(LAMBDAS);
/** The promise to users, in docs/operating/cost.md. */
const MIB_MAX = 1.5;

/** Each bundle with its source map, as the construct has it made; all in one go, which reads what they share once. */
async function bundles(): Promise<ReadonlyMap<string, { name: string; bytes: Uint8Array }[]>> {
  const { banner, sourceMapMode: _mode, sourceMap: sourcemap, externalModules: external, ...options } = BUNDLING;
  const { outputFiles } = await build({
    ...options,
    ...{ banner: { js: banner }, sourcemap, external, bundle: true, platform: 'node', write: false },
    absWorkingDir: REPOSITORY,
    entryPoints: NAMES.map((name) => ({ in: `lambdas/${name}/index.ts`, out: `${name}/index` })),
    outdir: OUT,
    outExtension: { '.js': '.mjs' },
    logLevel: 'silent',
  });
  const files = outputFiles.map(({ path, contents }) => ({ path: relative(OUT, path), bytes: contents }));
  return new Map(
    NAMES.map((name) => {
      const own = files.filter(({ path }) => path.startsWith(`${name}/`));
      return [name, own.map(({ path, bytes }) => ({ name: path.slice(name.length + 1), bytes }))];
    }),
  );
}

describe('the bundle of each Lambda', () => {
  let built: Awaited<ReturnType<typeof bundles>>;

  beforeAll(async () => {
    built = await bundles();
  }, 120_000);

  test.each(NAMES)('%s is at most 1.5 MiB zipped, its source map included', (name) => {
    const files = built.get(name) ?? [];
    const mib = zippedBytes(files) / 2 ** 20;

    expect(files.map((file) => file.name).toSorted()).toEqual(['index.mjs', 'index.mjs.map']);
    expect(mib).toBeGreaterThan(0.05);
    expect(mib).toBeLessThanOrEqual(MIB_MAX);
  });
});

describe('the size of a zip', () => {
  test('counts headers and names, and what cannot be packed as it is', () => {
    // End record 22; for the file 30 + 46 + its name twice, and its one byte, which deflating would make longer.
    expect(zippedBytes([{ name: 'a', bytes: Uint8Array.of(1) }])).toBe(22 + 30 + 46 + 2 + 1);
    expect(zippedBytes([])).toBe(22);
  });

  test('is far smaller than what repeats', async () => {
    const text = await readFile(join(REPOSITORY, 'package.json'));
    const long = Buffer.concat(Array.from({ length: 50 }, () => text));

    expect(zippedBytes([{ name: 'b', bytes: long }])).toBeLessThan(long.length / 20);
  });
});
