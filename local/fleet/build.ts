/**
 * Bundles what runs on hosts, as packages ship it: one file each starts faster and takes less memory than the sources.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, stop, type BuildOptions } from 'esbuild';
import { HaError } from '../../core/failures/failures.ts';

/** Parts of the AWS SDK call `require`, which an ES module does not have. */
const REQUIRE = `import { createRequire as holdfastRequire } from 'node:module'; const require = holdfastRequire(import.meta.url);`;

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export const HOST_ENTRIES = {
  init: 'local/fleet/init.ts',
  guard: 'agent/guard/main.ts',
  agent: 'agent/main.ts',
  command: 'agent/command.ts',
  service: 'local/samples/service.ts',
} as const;

/** How everything that runs on hosts is bundled, here and in the package that is installed. */
export const HOST_BUNDLE = {
  absWorkingDir: ROOT,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  minify: false,
  sourcemap: true,
  banner: { js: REQUIRE },
  logLevel: 'warning',
} as const satisfies BuildOptions;

export type HostScripts = Readonly<Record<keyof typeof HOST_ENTRIES, string>>;

/** Returns the path of each bundle in `folder`. `entries` are paths from the root of the project. */
export async function buildHostScripts(
  folder: string,
  entries: Readonly<Record<keyof typeof HOST_ENTRIES, string>> = HOST_ENTRIES,
): Promise<HostScripts> {
  for (const entry of Object.values(entries)) {
    if (!existsSync(join(ROOT, entry)))
      throw new HaError('not_found', `${entry} is missing: is this a whole checkout?`);
  }
  await build({
    ...HOST_BUNDLE,
    entryPoints: Object.entries(entries).map(([out, entry]) => ({ in: entry, out })),
    outdir: folder,
  });
  await stop(); // Its service process would stay for as long as this one lives.
  return {
    init: join(folder, 'init.mjs'),
    guard: join(folder, 'guard.mjs'),
    agent: join(folder, 'agent.mjs'),
    command: join(folder, 'command.mjs'),
    service: join(folder, 'service.mjs'),
  };
}
