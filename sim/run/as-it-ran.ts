import type { Scene } from '../contract/scene.ts';
import type { RunResult } from './result.ts';

/** The scene with its fault phase as long as it came to be, so that it runs the same when it is written down for a person. */
export function asItRan(
  scene: Scene,
  result: Pick<RunResult, 'faultsFromMs' | 'faultsUntilMs' | 'simulatedMs' | 'lookedAfter'>,
): Scene {
  const { isFull, faultsForMs, ...rest } = scene;
  const { faultsFromMs, faultsUntilMs, simulatedMs, lookedAfter } = result;
  const lastedMs = faultsFromMs === null ? 0 : (faultsUntilMs ?? simulatedMs + 1) - faultsFromMs;
  const longer = isFull === true ? Math.max(0, lastedMs - faultsForMs) : 0;
  // What operators do when it is over is said by its distance from the end.
  const acts = scene.acts.map((act) => (act.at < faultsForMs ? act : { ...act, at: act.at + longer }));
  return { ...rest, faultsForMs: faultsForMs + longer, acts: [...acts, ...lookedAfter].sort((a, b) => a.at - b.at) };
}
