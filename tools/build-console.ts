/** Bundles the web console: `node tools/build-console.ts [FOLDER]`. The local front door calls it when it starts. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { invariant } from '../core/failures/invariant.ts';

const SOURCES = fileURLToPath(new URL('../console/', import.meta.url));
const DEFAULT_FOLDER = fileURLToPath(new URL('../dist/console/', import.meta.url));

/**
 * The page checks answers and never prints a schema: without its JSON Schema writer zod costs a fifth less. The names
 * that zod imports from there must exist, or the build fails; called they would throw.
 */
const WITHOUT_JSON_SCHEMA: Plugin = {
  name: 'without-json-schema',
  setup(bundle) {
    const absent = "() => { throw new Error('the console writes no JSON Schema'); }";
    const names = [
      ...['createToJSONSchemaMethod', 'createStandardJSONSchemaMethod', 'toJSONSchema', 'allProcessors'],
      ...['extractDefs', 'finalize', 'initializeContext', 'processSchema'],
    ];
    const contents = names.map((name) => `export const ${name} = ${absent};`).join('\n');
    bundle.onLoad({ filter: /zod[\\/]v4[\\/]core[\\/](to-json-schema|json-schema-processors)\.js$/ }, () => ({
      contents,
    }));
  },
};

/**
 * Writes index.html, and beside it script, style and icon whose names change with their content: the page is to be
 * served without caching, everything else may be kept for ever. Nothing is inline and nothing comes from another host,
 * so `default-src 'self'` is all that the page needs.
 */
export async function buildConsole(outDir: string): Promise<void> {
  const { outputFiles } = await build({
    absWorkingDir: SOURCES,
    entryPoints: { console: 'main.tsx', style: 'style/main.css' },
    outdir: outDir,
    entryNames: '[name]-[hash]',
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2022', 'chrome123', 'firefox120', 'safari17.5'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    charset: 'utf8',
    write: false,
    logLevel: 'silent',
    plugins: [WITHOUT_JSON_SCHEMA],
  });
  const [script, ...otherScripts] = outputFiles.filter(({ path }) => path.endsWith('.js'));
  const [style, ...otherStyles] = outputFiles.filter(({ path }) => path.endsWith('.css'));
  invariant(script !== undefined && otherScripts.length === 0, 'the console is one script');
  invariant(style !== undefined && otherStyles.length === 0, 'the console has one style sheet');
  const icon = await readFile(join(SOURCES, 'icon.svg'));
  const iconName = `icon-${createHash('sha256').update(icon).digest('hex').slice(0, 8)}.svg`;
  const html = (await readFile(join(SOURCES, 'index.html'), 'utf8'))
    .replace('{{icon}}', iconName)
    .replace('{{style}}', basename(style.path))
    .replace('{{script}}', basename(script.path));
  await mkdir(outDir, { recursive: true });
  await writeFile(script.path, script.contents);
  await writeFile(style.path, style.contents);
  await writeFile(join(outDir, iconName), icon);
  // Last: a page that is there finds what it names.
  await writeFile(join(outDir, 'index.html'), html);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? DEFAULT_FOLDER;
  await buildConsole(folder);
  process.stdout.write(`${folder}\n`);
}
