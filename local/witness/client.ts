/** The harness's side of the witness: marks moments on its clock and reads its log. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import * as z from 'zod';
import { WitnessEntry, lineSplitter } from './protocol.ts';

const Marked = z.strictObject({ marked: z.number() });

export interface WitnessClient {
  /** Puts a named moment into the log; answers its time (µs) once the log up to it is on file. */
  mark(name: string): Promise<number>;
  close(): void;
}

export async function connectWitness(socketPath: string): Promise<WitnessClient> {
  const socket = createConnection(socketPath);
  await once(socket, 'connect');
  const waiting: ((t: number) => void)[] = [];
  const onLine = lineSplitter((line) => waiting.shift()?.(Marked.parse(JSON.parse(line)).marked));
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    onLine(chunk);
  });
  return {
    mark: (name) =>
      new Promise((resolve, reject) => {
        if (socket.destroyed) reject(new Error('the witness is gone'));
        waiting.push(resolve);
        socket.write(`${JSON.stringify({ mark: name })}\n`);
      }),
    close: () => {
      socket.destroy();
    },
  };
}

/** Whole lines only: the last one may still be on its way to the file. */
export function readWitnessLog(path: string): WitnessEntry[] {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => WitnessEntry.parse(JSON.parse(line)));
}
