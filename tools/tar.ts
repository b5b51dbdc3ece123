/** Writes ustar archives whose bytes depend on nothing but names, modes and contents: no owner, no time, no tool of the machine. */
import { HaError } from '../core/failures/failures.ts';

export interface TarFile {
  /** From the root of the archive, with `/`. */
  readonly name: string;
  readonly content: Uint8Array;
  readonly isExecutable: boolean;
}

const BLOCK = 512;
const NAME_BYTES_MAX = 100;

/** Files in the order of their names. */
export function tarOf(files: readonly TarFile[]): Buffer {
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : 1));
  const parts = sorted.flatMap((file) => [headerOf(file), Buffer.from(file.content), paddingOf(file.content.length)]);
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function headerOf({ name, content, isExecutable }: TarFile): Buffer {
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) {
    throw new HaError('limit_exceeded', `${name}: names in a ustar archive have at most ${NAME_BYTES_MAX} bytes`);
  }
  const header = Buffer.alloc(BLOCK);
  const put = (text: string, at: number): void => void header.write(text, at, 'utf8');
  put(name, 0);
  put(octal(isExecutable ? 0o755 : 0o644, 8), 100);
  put(octal(0, 8), 108); // owner
  put(octal(0, 8), 116); // group
  put(octal(content.length, 12), 124);
  put(octal(0, 12), 136); // time
  put('        ', 148); // The checksum counts itself as blanks.
  put('0', 156); // a regular file
  put('ustar\u000000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148);
  return header;
}

/** Digits and a closing NUL in a field of that width. */
function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\u0000`;
}

function paddingOf(length: number): Buffer {
  return Buffer.alloc((BLOCK - (length % BLOCK)) % BLOCK);
}
