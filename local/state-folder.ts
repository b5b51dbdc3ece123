/** The runtime's folder: one runtime at a time, and emptied only if it is one. */
import { mkdir, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { takeInstanceLock } from '../adapters/node/instance-lock.ts';
import type { InstanceLock } from '../adapters/node/instance-lock.ts';
import { HaError } from '../core/failures/failures.ts';

/** Says that a folder belongs to a runtime, so that `--reset` never empties another. */
const MARKER = 'HOLDFAST';

export interface StateFolder {
  readonly path: string;
  readonly lock: InstanceLock;
}

export async function openStateFolder(path: string, options: { reset: boolean }): Promise<StateFolder> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const real = await realpath(path);
  const lock = await takeInstanceLock(`runtime ${real}`);
  if (lock === 'held') {
    throw new HaError(
      'conflict',
      `another runtime works in ${real}: end it, or give this one another folder by --state`,
    );
  }
  try {
    await claim(real, options);
  } catch (error) {
    await lock.release();
    throw error;
  }
  return { path: real, lock };
}

async function claim(real: string, options: { reset: boolean }): Promise<void> {
  const entries = await readdir(real);
  if (entries.length > 0 && !entries.includes(MARKER)) {
    throw new HaError('conflict', `${real} holds other files: give an empty or a new folder by --state`);
  }
  if (options.reset) await Promise.all(entries.map((entry) => rm(join(real, entry), { recursive: true })));
  await writeFile(
    join(real, MARKER),
    'State of a local Holdfast runtime; `npm start -- --reset` empties this folder.\n',
  );
}
