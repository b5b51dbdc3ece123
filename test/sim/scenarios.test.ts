import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { unmet } from '../../sim/run/expectations.ts';
import { runScene } from '../../sim/run/run-scene.ts';
import { parseScenario } from '../../sim/run/scenario-parse.ts';

const FOLDER = new URL('../scenarios/', import.meta.url);
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));

describe('each scenario', () => {
  test('is there', () => {
    expect(files.length).toBeGreaterThanOrEqual(6);
  });

  test.each(files)('%s ends as it says', async (file) => {
    const { scene, mutation, expectations } = parseScenario(readFileSync(new URL(file, FOLDER), 'utf8'));
    expect(expectations.length).toBeGreaterThan(0);
    const result = await runScene(scene, { mutation, keep: true });
    expect(unmet(result, expectations)).toEqual([]);
  });
});
