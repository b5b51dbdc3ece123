/** Size of a folder as a zip: what Lambda takes in, without a tool that may not be there. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';

/** Headers of the format: a local one and a central one for each file, one at the end. */
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;

export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export function zippedBytes(files: readonly NamedBytes[]): number {
  const sizes = files.map(({ name, bytes }) => {
    const packed = Math.min(deflateRawSync(bytes, { level: 9 }).length, bytes.length);
    return LOCAL_BYTES + CENTRAL_BYTES + 2 * Buffer.byteLength(name) + packed;
  });
  return sizes.reduce((sum, size) => sum + size, END_BYTES);
}

export async function filesOf(folder: string): Promise<readonly NamedBytes[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(files.map(async (file) => ({ name: file.slice(folder.length + 1), bytes: await readFile(file) })));
}
