#!/usr/bin/env node
/** Gives the simulator its terminal, its clocks and its threads; in a thread, runs what it is told to. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { program } from './run/program.ts';
import { runScene } from './run/run-scene.ts';
import { serve, threads } from './run/threads.ts';
import type { Strays } from './run/world.ts';
import { drawScene } from './scene/draw.ts';

/** Rejections that nobody awaits, as Node finds them: in the turn in which they were left alone. */
const strays: Strays = (listener) => {
  process.on('unhandledRejection', listener);
  return () => void process.off('unhandledRejection', listener);
};

if (isMainThread) {
  // The reader of a pipe has seen enough (`npm run sim | head`).
  process.stdout.on('error', () => process.exit(0));
  process.exitCode = await program(process.argv.slice(2), {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    readFile: (path) => readFileSync(path, 'utf8'),
    now: () => performance.now(),
    cpuMs: () => process.cpuUsage().user / 1000,
    cores: availableParallelism(),
    crew: (size) => threads(new URL(import.meta.url), size),
    drawScene,
    runScene: (scene, options) => runScene(scene, { ...options, strays }),
  });
} else {
  serve((seed, mutation) => runScene(drawScene(seed), { mutation, keep: false, strays }));
}
