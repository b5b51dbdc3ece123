/** Parts of the local runtime that are processes or files of their own. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { replaceFile } from '../adapters/node/file-store.ts';
import { loadDefinitionSources, readDefinition } from '../adapters/node/definition-file.ts';
import type { Definition } from '../core/config/model.ts';
import { HaError, messageOf } from '../core/failures/failures.ts';

import { type ConsoleFiles, readConsoleFiles } from './door/console-files.ts';
import { keepChild, type KeptChild } from './kept-child.ts';

/** Generous: on a busy machine only a failure takes so long. */
const CONSOLE_BUILD_MS = 60_000;
const WITNESS_LOG_BYTES_MAX = 16 * 1024 * 1024;

const run = promisify(execFile);

/** What was started, ended in reverse order whether the start succeeded or not. */
export type Ending = () => Promise<unknown>;

export async function loadDefinition(file: string): Promise<Definition> {
  const read = readDefinition(await loadDefinitionSources([file]));
  if (read.ok) return read.definition;
  const problems = read.problems.map((problem) => `${problem.path}: ${problem.got}; ${problem.change}`);
  throw new HaError('config_invalid', `${file} is refused:\n${problems.join('\n')}`);
}

/** By the tool that builds the console for everybody else, as a process of its own: it takes its bundler along when it ends. */
export async function buildConsoleFiles(folder: string): Promise<ConsoleFiles> {
  await rm(folder, { recursive: true, force: true });
  try {
    await run(process.execPath, [scriptPath('../tools/build-console.ts'), folder], { timeout: CONSOLE_BUILD_MS });
  } catch (error) {
    throw new HaError('not_found', `the console cannot be built: ${messageOf(error)}`, { cause: error });
  }
  return readConsoleFiles(folder);
}

export function controlProcess(stateDir: string, log: (text: string) => void): KeptChild {
  return keepChild({
    name: 'the control plane',
    args: [scriptPath('./control/main.ts'), '--config', join(stateDir, 'control.json')],
    logFile: join(stateDir, 'control.log'),
    log,
  });
}

/** Unix sockets have short names, state folders may not: the socket lives in the folder for temporary files. */
export function startWitnessProcess(stateDir: string, endings: Ending[], log: (text: string) => void): string {
  const name = createHash('sha256').update(stateDir).digest('hex').slice(0, 16);
  const socket = join(tmpdir(), `holdfast-witness-${name}.sock`);
  const witnessLog = ['--log', join(stateDir, 'witness.log'), '--log-bytes-max', String(WITNESS_LOG_BYTES_MAX)];
  const witness = keepChild({
    name: 'the witness',
    args: [scriptPath('./witness/main.ts'), '--socket', socket, ...witnessLog],
    logFile: join(stateDir, 'witness.out'),
    log,
  });
  witness.start();
  endings.push(() => witness.end());
  return socket;
}

/** Files by which others find this runtime; gone when it is. */
export async function announce(
  stateDir: string,
  endings: Ending[],
  files: Readonly<Record<string, object>>,
): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const file = join(stateDir, name);
    await replaceFile(file, JSON.stringify(content));
    endings.push(() => rm(file, { force: true }));
  }
}

function scriptPath(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
