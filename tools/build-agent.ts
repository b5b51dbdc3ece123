/**
 * Builds what is installed on a host: `node tools/build-agent.ts [FOLDER]` (default dist/agent). One archive, and its
 * SHA256SUMS. The same sources give the same bytes, wherever and whenever it is built, so that a deployment of unchanged
 * sources changes nothing; the CDK app calls this at synth.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import * as z from 'zod';
import { HOST_BUNDLE, HOST_ENTRIES } from '../local/fleet/build.ts';
import { tarOf, type TarFile } from './tar.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const DEFAULT_FOLDER = join(ROOT, 'dist', 'agent');

const { guard, agent, command, service } = HOST_ENTRIES;
/** Scripts of an installed host: all but the init of local instances. */
export const AGENT_ENTRIES = { guard, agent, command, service } as const;

/** Name in the archive by file in packaging/agent/. */
const PACKAGED = {
  'install.sh': 'install.sh',
  'uninstall.sh': 'uninstall.sh',
  'bin/holdfast-agent': 'holdfast-agent',
  'systemd/holdfast.service': 'holdfast.service',
  'host.yaml.example': 'host.yaml.example',
} as const;
const EXECUTABLE = new Set(['install.sh', 'uninstall.sh', 'bin/holdfast-agent']);

export interface AgentArchive {
  readonly path: string;
  /** Of the package, and a few digits of what is in it: two builds that differ never share a folder on a host. */
  readonly version: string;
  readonly sha256: string;
}

/** Writes `holdfast-agent.tgz` and `SHA256SUMS` into `folder`. */
export async function buildAgent(folder: string): Promise<AgentArchive> {
  const files = [...(await scripts()), ...(await packaged())];
  const version = `${await packageVersion()}-${digestOf(sumsOf(files)).slice(0, 12)}`;
  files.push(textFile('VERSION', `${version}\n`));
  files.push(textFile('SHA256SUMS', sumsOf(files)));
  const archive = zipped(tarOf(files));
  const path = join(folder, 'holdfast-agent.tgz');
  const sha256 = digestOf(archive);
  await mkdir(folder, { recursive: true });
  await replace(path, archive);
  await replace(join(folder, 'SHA256SUMS'), `${sha256}  ${basename(path)}\n`);
  return { path, version, sha256 };
}

async function scripts(): Promise<TarFile[]> {
  const { outputFiles } = await build({
    ...HOST_BUNDLE,
    entryPoints: Object.entries(AGENT_ENTRIES).map(([out, entry]) => ({ in: entry, out })),
    // Never written to; a fixed one, since paths in source maps are relative to it.
    outdir: DEFAULT_FOLDER,
    write: false,
    sourcesContent: false,
  });
  return outputFiles.map(({ path, contents }) => ({
    ...{ name: `lib/${basename(path)}`, content: contents, isExecutable: false },
  }));
}

function packaged(): Promise<TarFile[]> {
  return Promise.all(
    Object.entries(PACKAGED).map(async ([name, file]) => ({
      ...{ name, content: await readFile(join(ROOT, 'packaging', 'agent', file)) },
      isExecutable: EXECUTABLE.has(name),
    })),
  );
}

async function packageVersion(): Promise<string> {
  const json: unknown = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  return z.object({ version: z.string() }).parse(json).version;
}

const textFile = (name: string, text: string): TarFile => ({ name, content: Buffer.from(text), isExecutable: false });

const digestOf = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** As `sha256sum -c` reads it. */
function sumsOf(files: readonly TarFile[]): string {
  return [...files]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, content }) => `${digestOf(content)}  ${name}\n`)
    .join('');
}

/** Byte 9 names the system that it was made on: 255, none. */
function zipped(tar: Buffer): Buffer {
  const archive = gzipSync(tar, { level: 9 });
  archive[9] = 255;
  return archive;
}

/** Two builds may be under way; whoever reads sees one of them whole. */
async function replace(path: string, content: string | Uint8Array): Promise<void> {
  const draft = `${path}.${String(process.pid)}`;
  await writeFile(draft, content);
  await rename(draft, path);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${JSON.stringify(await buildAgent(process.argv[2] ?? DEFAULT_FOLDER))}\n`);
}
