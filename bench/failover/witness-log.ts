/** The witness's log as it grows: each line is read once, and what no later figure needs is dropped between runs. */
import { closeSync, openSync, readSync } from 'node:fs';
import { WitnessEntry, lineSplitter } from '../../local/witness/protocol.ts';

const CHUNK_BYTES = 64 * 1024;

export class WitnessLog {
  readonly #file: number;
  readonly #buffer = Buffer.alloc(CHUNK_BYTES);
  readonly #take: (chunk: string) => void;
  #entries: WitnessEntry[] = [];
  #offset = 0;

  constructor(path: string) {
    this.#file = openSync(path, 'r');
    this.#take = lineSplitter((line) => this.#entries.push(WitnessEntry.parse(JSON.parse(line))));
  }

  /** Everything on file by now. */
  read(): readonly WitnessEntry[] {
    for (;;) {
      const bytes = readSync(this.#file, this.#buffer, 0, CHUNK_BYTES, this.#offset);
      if (bytes === 0) return this.#entries;
      this.#offset += bytes;
      this.#take(this.#buffer.toString('latin1', 0, bytes)); // The log is ASCII: a chunk may end anywhere.
    }
  }

  /** Keeps open connections and the last write of each service; the rest belongs to runs that are over. */
  forget(): void {
    const closed = new Set(this.#entries.flatMap((entry) => (entry.e === 'close' ? [entry.c] : [])));
    const lastWrites = new Map<string, WitnessEntry>();
    for (const entry of this.#entries) if (entry.e === 'write') lastWrites.set(`${entry.slot} ${entry.service}`, entry);
    const kept = new Set(lastWrites.values());
    this.#entries = this.#entries.filter(
      (entry) => kept.has(entry) || ((entry.e === 'open' || entry.e === 'hello') && !closed.has(entry.c)),
    );
  }

  close(): void {
    closeSync(this.#file);
  }
}
