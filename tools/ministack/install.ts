/** MiniStack in a virtual environment of its own, at the version that the launcher and the list of limits are about. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { messageOf } from '../../core/failures/failures.ts';

const REQUIREMENTS = fileURLToPath(new URL('./requirements.txt', import.meta.url));
/** Generous: a slow mirror is no failure. */
const INSTALL_MS = 300_000;

const run = promisify(execFile);

/** Ignores itself: nothing of it is part of the project. */
export async function workFolder(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, '.gitignore'), '*\n');
  return folder;
}

export async function ministackVersion(): Promise<string> {
  const text = await readFile(REQUIREMENTS, 'utf8');
  const version = /^ministack==(\S+)$/m.exec(text)?.[1];
  if (version === undefined) throw new Error(`${REQUIREMENTS} does not pin ministack`);
  return version;
}

/** The environment's Python. What is there is used again if the very same requirements were installed whole. */
export async function installMinistack(folder: string): Promise<string> {
  const wanted = await readFile(REQUIREMENTS, 'utf8');
  const venv = join(folder, 'venv');
  const python = join(venv, 'bin', 'python');
  const stamp = join(venv, 'installed.txt');
  if ((await readFile(stamp, 'utf8').catch(() => '')) === wanted) return python;
  await rm(venv, { recursive: true, force: true });
  const options = { timeout: INSTALL_MS };
  try {
    await run('python3', ['-m', 'venv', venv], options);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', REQUIREMENTS];
    await run(python, pip, options);
  } catch (error) {
    await rm(venv, { recursive: true, force: true });
    const lines = messageOf(error).split('\n').filter(Boolean);
    const why = lines.find((line) => line.startsWith('ERROR')) ?? lines.at(-1) ?? '';
    throw new Error(
      `MiniStack ${await ministackVersion()} cannot be installed: are python3 with venv, and PyPI, there? ${why}`,
      {
        cause: error,
      },
    );
  }
  await writeFile(stamp, wanted);
  return python;
}
