import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readAssertion, readSearch, readTrace, type Search } from './output.ts';

const MODELS = fileURLToPath(new URL('../../model/', import.meta.url));
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
const MEMORY_MB = 5500;

/**
 * Breadth first, so that the first counterexample is a shortest one. Every state is
 * kept in full, and NOREDUCE leaves none out because it looks alike.
 */
const COMPILE = ['-O1', '-w', '-DBFS', '-DSAFETY', '-DNOREDUCE', `-DMEMLIM=${String(MEMORY_MB)}`];

export interface Outcome extends Search {
  readonly seconds: number;
  readonly trace: readonly string[];
  readonly assertion: string;
}

/** The programs that are missing, by the name of the Debian package that holds them. */
export function missingPackages(): readonly string[] {
  const answers = (program: string, flag: string): boolean => spawnSync(program, [flag]).status === 0;
  return [...(answers('spin', '-V') ? [] : ['spin']), ...(answers('gcc', '--version') ? [] : ['gcc', 'libc6-dev'])];
}

/** Searches one configuration of a model in a folder of its own, which is gone afterwards. */
export function search(model: string, defines: readonly string[]): Outcome {
  const started = process.hrtime.bigint();
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-model-'));
  try {
    copyFileSync(join(MODELS, model), join(folder, model));
    run(folder, 'spin', [...defines.map((define) => `-D${define}`), '-a', model]);
    run(folder, 'gcc', [...COMPILE, '-o', 'pan', 'pan.c']);
    const text = verify(folder, ['-E']);
    const found = existsSync(join(folder, `${model}.trail`));
    const replay = found ? verify(folder, ['-r']) : '';
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    return { ...readSearch(text), seconds, trace: readTrace(replay), assertion: readAssertion(text) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** -E: a model in which everything is over is no error. The verifier's exit status says less than its words. */
function verify(folder: string, flags: readonly string[]): string {
  const { stdout, stderr, error, signal } = spawnSync(join(folder, 'pan'), flags, {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  if (error !== undefined) throw error;
  return `${stdout}${stderr}${signal === null ? '' : `\nSearch not completed: ${signal}\n`}`;
}

function run(folder: string, program: string, words: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(program, words, { cwd: folder, encoding: 'utf8' });
  if (status === 0 && !/syntax error|^Error/m.test(`${stdout}${stderr}`)) return;
  throw new Error(`${program} ${words.join(' ')} failed (${String(status)}):\n${stdout}${stderr}`);
}
