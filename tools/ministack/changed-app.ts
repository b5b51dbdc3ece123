/** The same app, one change further: every bundle, the workflow and what names them differ, and nothing else does. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

const Assets = z.looseObject({
  files: z.record(z.string(), z.looseObject({ source: z.looseObject({ path: z.string() }) })),
});

const CHANGE = 'changed by the end-to-end test';

/** Copies the assembly of a synth to `to` and changes it as a new version of the sources would. */
export async function changeApp(from: string, to: string): Promise<string> {
  await cp(from, to, { recursive: true });
  const renamed = new Map<string, string>();
  for (const name of await readdir(to)) {
    const hash = /^asset\.([0-9a-f]{64})(\.json)?$/.exec(name)?.[1];
    if (hash !== undefined && (await changeAsset(join(to, name)))) renamed.set(hash, another(hash));
  }
  for (const name of await readdir(to)) {
    if (/\.(template|assets)\.json$/.test(name)) await rewrite(join(to, name), renamed, keyOf);
  }
  await renameTemplates(to);
  return to;
}

/** False: it is neither a bundle nor the workflow. */
async function changeAsset(path: string): Promise<boolean> {
  const bundle = join(path, 'index.mjs');
  if (existsSync(bundle)) {
    await appendFile(bundle, `\n// ${CHANGE}\n`);
    return true;
  }
  if (!path.endsWith('.json')) return false;
  const workflow: unknown = JSON.parse(await readFile(path, 'utf8'));
  if (typeof workflow !== 'object' || workflow === null || !('States' in workflow)) return false;
  await writeFile(path, JSON.stringify({ ...workflow, Comment: CHANGE }));
  return true;
}

/** A template is uploaded under a hash of its own, and not again under one that is there already. */
async function renameTemplates(folder: string): Promise<void> {
  const renamed = new Map<string, string>();
  for (const name of (await readdir(folder)).filter((each) => each.endsWith('.assets.json'))) {
    const { files } = Assets.parse(JSON.parse(await readFile(join(folder, name), 'utf8')));
    for (const [hash, { source }] of Object.entries(files)) {
      if (!source.path.endsWith('.template.json')) continue;
      if (sha256(await readFile(join(folder, source.path), 'utf8')) !== hash) renamed.set(hash, another(hash));
    }
  }
  for (const name of await readdir(folder)) {
    if (name === 'manifest.json' || name.endsWith('.assets.json')) await rewrite(join(folder, name), renamed, same);
  }
}

const same = (hash: string): string => hash;
/** Names of what is uploaded; the files themselves keep theirs. */
const keyOf = (hash: string): string => `(?<!asset\\.)${hash}`;

async function rewrite(
  file: string,
  renamed: ReadonlyMap<string, string>,
  pattern: (hash: string) => string,
): Promise<void> {
  let text = await readFile(file, 'utf8');
  for (const [old, hash] of renamed) text = text.replaceAll(new RegExp(pattern(old), 'g'), hash);
  await writeFile(file, text);
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const another = (hash: string): string => sha256(`${hash} ${CHANGE}`);
