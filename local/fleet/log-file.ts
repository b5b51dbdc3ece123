/** Log of one instance: written by several processes in append mode, kept in bounds by copying aside and emptying. */
import { closeSync, copyFileSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';

const BYTES_MAX = 4 * 1024 * 1024;

export interface LogFile {
  /** For the standard output of children. */
  readonly fd: number;
  line(text: string): void;
  /** Copies the log to `PATH.1` and empties it, if it has grown beyond its bound. Appending writers go on undisturbed. */
  rotate(): void;
  close(): void;
}

export function openLogFile(path: string, bytesMax = BYTES_MAX): LogFile {
  const fd = openSync(path, 'a', 0o600);
  return {
    fd,
    line(text) {
      writeSync(fd, `${new Date().toISOString()} init: ${text}\n`);
    },
    rotate() {
      if (fstatSync(fd).size <= bytesMax) return;
      copyFileSync(path, `${path}.1`);
      ftruncateSync(fd, 0);
    },
    close() {
      closeSync(fd);
    },
  };
}
