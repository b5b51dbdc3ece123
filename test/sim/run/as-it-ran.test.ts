import { expect, jest, test } from '@jest/globals';
import { asItRan } from '../../../sim/run/as-it-ran.ts';
import { runScene } from '../../../sim/run/run-scene.ts';
import { parseScenario } from '../../../sim/run/scenario-parse.ts';
import { printScenario } from '../../../sim/run/scenario-print.ts';
import { drawScene } from '../../../sim/scene/draw.ts';

jest.setTimeout(60_000); // Tens of thousands of virtual events, on a machine that others use.

const PLAIN = { mutation: null, keep: false } as const;

/** Of a seed in which a host is replaced so late that it comes back only after it was looked after; another may take its place. */
const LOOKED_AFTER = 49;

test('a seed written down as a scenario runs the same, fact for fact, also where hosts were looked after', async () => {
  const scene = drawScene(LOOKED_AFTER);
  const result = await runScene(scene, PLAIN);
  expect(result.lookedAfter.length).toBeGreaterThan(0);
  expect(Math.min(...Object.values(result.beats))).toBe(200);
  const text = printScenario({ comment: [], scene: asItRan(scene, result), mutation: null, expectations: [] });
  const again = await runScene(parseScenario(text).scene, PLAIN);
  expect(again.traceHash).toBe(result.traceHash);
});
