/** Runs a scene in the real world of this simulator. */
import type { Scene } from '../contract/scene.ts';
import { assemble } from './assemble.ts';
import type { RunResult } from './result.ts';
import { runWorld } from './run-world.ts';
import type { RunOptions } from './world.ts';

export async function runScene(scene: Scene, options: RunOptions): Promise<RunResult> {
  return await runWorld(scene, options, assemble);
}
