/**
 * One small JSON value on disk that survives power cuts: written beside, synced, renamed over, and the folder synced.
 * A reader sees the old value or the new one, never half of one.
 */
import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '../../core/failures/failures.ts';
import type { FileStore, FileStoreRead } from '../../core/ports.ts';

export type { FileStore, FileStoreRead };

/** `parse` turns parsed JSON into T and throws on anything else. */
export function fileStore<T>(path: string, parse: (json: unknown) => T): FileStore<T> {
  let last: Promise<void> = Promise.resolve();
  return {
    read: () => readValue(path, parse),
    write(value) {
      const text = JSON.stringify(value);
      const written = last.then(() => replaceFile(path, text));
      last = written.catch(() => undefined); // Reported to that caller; the next write is tried on its own.
      return written;
    },
  };
}

async function readValue<T>(path: string, parse: (json: unknown) => T): Promise<FileStoreRead<T>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { state: 'absent' };
    return { state: 'unreadable', why: messageOf(error) };
  }
  try {
    const json: unknown = JSON.parse(text);
    return { state: 'read', value: parse(json) };
  } catch (error) {
    return { state: 'unreadable', why: messageOf(error) };
  }
}

/** Replaces a file's whole content durably. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const beside = `${path}.new`;
  const file = await open(beside, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
