/**
 * Executions on disk: one file each, with its state and its history, and one per definition they were started with.
 *
 * A file is written beside its place and then renamed over it, so that a process killed at any moment leaves the old
 * or the new one, never half of either. (Against SIGKILL that is enough; a power cut of the machine would need fsync.)
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { Execution, HistoryEvent, Json } from '../../core/workflow/workflow.ts';
import { messageOf } from '../../core/failures/failures.ts';
import { fileNameOf } from './execution-name.ts';

export interface Kept {
  /** Digest of the definition that this execution runs to its end, whatever is deployed meanwhile. */
  readonly definition: string;
  readonly state: Execution;
  readonly history: readonly HistoryEvent[];
}

/** The outline of a kept execution. The tree inside is our own writing: what it leads to is checked when it is used. */
const Outline = z.looseObject({
  definition: z.string().regex(/^[0-9a-f]{64}$/),
  state: z.looseObject({
    format: z.literal(1),
    name: z.string().min(1),
    startedAtMs: z.number(),
    status: z.enum(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED']),
    endedAtMs: z.number().nullable(),
    atMs: z.number(),
    tasks: z.int(),
    events: z.int(),
    root: z.looseObject({ where: z.literal(''), current: z.looseObject({ is: z.string() }) }),
  }),
  history: z.array(z.looseObject({ id: z.int(), type: z.string() })),
});

export interface ExecutionFiles {
  write(kept: Kept): Promise<void>;
  /** undefined: no such file, or it could not be read (then it has been set aside). */
  read(name: string): Promise<Kept | undefined>;
  remove(name: string): Promise<void>;
  /** One after the other, so that a thousand long histories are never in memory at once. */
  readAll(): AsyncIterable<Kept>;
  /** Keeps a definition; the answer is its digest. */
  writeDefinition(asl: Json): Promise<string>;
  readDefinition(digest: string): Promise<Json>;
  /** Takes a file that cannot be used out of the way, where a person finds it. */
  setAside(name: string, why: string): Promise<void>;
  /** Removes definitions that none of `used` names. */
  forgetDefinitions(used: ReadonlySet<string>): Promise<void>;
}

interface Folders {
  readonly executions: string;
  readonly definitions: string;
  readonly corrupt: string;
}

/** Opens the folder, makes what is missing in it, and clears away what a killed process left half written. */
export async function openExecutionFiles(folder: string, log: (text: string) => void): Promise<ExecutionFiles> {
  const folders: Folders = {
    executions: join(folder, 'executions'),
    definitions: join(folder, 'definitions'),
    corrupt: join(folder, 'corrupt'),
  };
  for (const path of Object.values(folders) as string[]) await mkdir(path, { recursive: true });
  for (const path of [folders.executions, folders.definitions]) {
    for (const file of await readdir(path)) if (file.endsWith('.tmp')) await rm(join(path, file));
  }
  return { ...executionsIn(folders, log), ...definitionsIn(folders) };
}

function executionsIn(
  folders: Folders,
  log: (text: string) => void,
): Omit<ExecutionFiles, 'writeDefinition' | 'readDefinition' | 'forgetDefinitions'> {
  const setAsideFile = async (file: string, why: string): Promise<void> => {
    await rename(join(folders.executions, file), join(folders.corrupt, file));
    log(`workflow: the execution file ${file} cannot be used and was moved to corrupt/: ${why}`);
  };
  const readFileOrSetAside = async (file: string): Promise<Kept | undefined> => {
    const text = await readOrMissing(join(folders.executions, file));
    if (text === undefined) return undefined;
    const kept = parseKept(text);
    if (typeof kept !== 'string' && fileNameOf(kept.state.name) === file) return kept;
    await setAsideFile(file, typeof kept === 'string' ? kept : `it holds the execution ${kept.state.name}`);
    return undefined;
  };
  return {
    write: (kept) => replaceFile(join(folders.executions, fileNameOf(kept.state.name)), JSON.stringify(kept)),
    read: (name) => readFileOrSetAside(fileNameOf(name)),
    remove: (name) => rm(join(folders.executions, fileNameOf(name)), { force: true }),
    setAside: (name, why) => setAsideFile(fileNameOf(name), why),
    async *readAll() {
      for (const file of (await readdir(folders.executions)).sort()) {
        const kept = file.endsWith('.json') ? await readFileOrSetAside(file) : undefined;
        if (kept !== undefined) yield kept;
      }
    },
  };
}

function definitionsIn(
  folders: Folders,
): Pick<ExecutionFiles, 'writeDefinition' | 'readDefinition' | 'forgetDefinitions'> {
  return {
    async writeDefinition(asl) {
      const text = JSON.stringify(asl);
      const digest = createHash('sha256').update(text).digest('hex');
      await replaceFile(join(folders.definitions, `${digest}.json`), text);
      return digest;
    },
    readDefinition: async (digest) =>
      JSON.parse(await readFile(join(folders.definitions, `${digest}.json`), 'utf8')) as Json,
    async forgetDefinitions(used) {
      for (const file of await readdir(folders.definitions)) {
        if (!used.has(file.replace(/\.json$/, ''))) await rm(join(folders.definitions, file));
      }
    },
  };
}

async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.tmp`, text);
  await rename(`${path}.tmp`, path);
}

async function readOrMissing(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A string says why the text is no execution. */
function parseKept(text: string): Kept | string {
  try {
    const raw: unknown = JSON.parse(text);
    const outline = Outline.safeParse(raw);
    return outline.success ? (raw as Kept) : z.prettifyError(outline.error);
  } catch (error) {
    return messageOf(error);
  }
}
