/** Where the control plane's process listens: a Unix socket that nobody else can take, whatever ports others use. */
import { createHash } from 'node:crypto';
import { lstat, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HaError } from '../core/failures/failures.ts';

/**
 * Sockets have short names, state folders may not: it lives in the folder for temporary files, in a folder of its own
 * that is closed to others. The same name for the same state folder, so that a killed runtime leaves no more than one.
 */
export async function controlSocket(stateDir: string, temporary: string = tmpdir()): Promise<string> {
  const name = createHash('sha256').update(stateDir).digest('hex').slice(0, 16);
  const folder = join(temporary, `holdfast-control-${name}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o077) !== 0) {
    throw new HaError('conflict', `${folder} is not a folder of this user alone: remove it, or set TMPDIR to another`);
  }
  return join(folder, 'api.sock');
}
