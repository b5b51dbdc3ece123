#!/usr/bin/env node
/** Gives the command line its terminal. */
import { createInterface } from 'node:readline/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { CliIo } from './io.ts';
import { run } from './program.ts';

const stop = new AbortController();
process.once('SIGINT', () => {
  stop.abort();
  // Watching ends by itself; whatever else is under way is not waited for.
  setTimeout(() => process.exit(130), 500).unref();
});
// The reader of a pipe has seen enough (`holdfast events | head`).
process.stdout.on('error', () => process.exit(0));

const io: CliIo = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTerminal: process.stdout.isTTY === true,
  isInteractive: process.stdin.isTTY === true,
  env: process.env,
  directory: process.cwd(),
  now: () => Date.now(),
  ask: async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return await lines.question(question, { signal: stop.signal });
    } catch {
      return ''; // Ctrl-C or the end of input is a no.
    } finally {
      lines.close();
    }
  },
  sleep: (ms) => delay(ms, undefined, { signal: stop.signal }).catch(() => undefined),
  stopped: stop.signal,
};

process.exitCode = await run(process.argv.slice(2), io);
