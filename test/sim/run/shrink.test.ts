import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Scene } from '../../../sim/contract/scene.ts';
import { smallest } from '../../../sim/run/delta.ts';
import { shrink, type ShrinkLimits } from '../../../sim/run/shrink.ts';
import { fault, sceneWith } from './scenes.ts';

const NO_LIMIT: ShrinkLimits = { attempts: 10_000, isSpent: () => false };

describe('delta debugging', () => {
  test('keeps the few elements that are needed together', async () => {
    const list = Array.from({ length: 40 }, (_, index) => index);
    const needs = (part: readonly number[]) => Promise.resolve([3, 17, 38].every((one) => part.includes(one)));
    expect(await smallest(list, needs)).toEqual([3, 17, 38]);
  });

  test('keeps nothing if nothing is needed', async () => {
    expect(await smallest([1, 2, 3], () => Promise.resolve(true))).toEqual([]);
  });

  test('leaves a list from which no single element can be taken away', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(30), { minLength: 1, maxLength: 30 }), fc.nat(), async (list, pick) => {
        const wanted = list.filter((value) => (value * 7 + pick) % 3 === 0);
        const shows = (part: readonly number[]) => Promise.resolve(wanted.every((one) => part.includes(one)));
        expect(await smallest(list, shows)).toEqual(wanted);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a scene that fails', () => {
  /** A world with one bug: h2 is cut while h1 is off, if the network also loses something and somebody moved db. */
  function atMs(scene: Scene): number | null {
    const crash = scene.faults.find((one) => one.kind === 'crash' && one.subject === 'h1');
    const cut = scene.faults.find((one) => one.kind === 'cut' && one.subject === 'h2' && one.forMs >= 3000);
    if (crash === undefined || cut === undefined || (scene.noise.loss ?? 0) === 0) return null;
    if (!scene.acts.some((act) => act.do === 'move') || !scene.yaml.includes('name: db')) return null;
    const at = Math.max(crash.at, cut.at) + 5000;
    return at <= scene.faultsForMs ? at : null;
  }
  const reproduces = (scene: Scene) => {
    const at = atMs(scene);
    return Promise.resolve(at === null ? null : { atMs: at });
  };
  const failing = sceneWith({
    noise: { delay: 0.1, loss: 0.02, duplicate: 0.01, stale_scan: 0.2 },
    faults: [
      fault(1000, 'store_slow', '', 4000),
      fault(20_300, 'crash', 'h1'),
      fault(21_700, 'cut', 'h2', 60_000),
      fault(22_000, 'cut', 'h3', 60_000),
      fault(90_000, 'store_down', '', 4000),
      ...Array.from({ length: 20 }, (_, index) => fault(100_000 + index * 1000, 'service_dies', 'h3')),
    ],
    acts: [
      { at: 5000, do: 'switch', isOn: false },
      { at: 6000, do: 'move', where: 'db/0', to: null },
      { at: 200_000, do: 'host', host: 'h3', verb: 'maintenance' },
    ],
  });

  test('is cut down to what it fails by', async () => {
    const { scene, isComplete } = await shrink(failing, atMs(failing) ?? 0, reproduces, NO_LIMIT);
    expect(isComplete).toBe(true);
    expect(scene.faults).toEqual([fault(20_000, 'crash', 'h1'), fault(22_000, 'cut', 'h2', 4000)]);
    expect(scene.acts).toEqual([{ at: 6000, do: 'move', where: 'db/0', to: null }]);
    expect(scene.noise).toEqual({ loss: 0.02 });
    expect(scene.hosts.map((host) => host.name)).toEqual(['h1', 'h2']);
    expect(scene.yaml).not.toContain('name: web');
    expect(scene.faultsForMs).toBe(28_000);
  });

  test('is found again by the same attempts', async () => {
    const trail = async (): Promise<string[]> => {
      const tried: string[] = [];
      const noted = (scene: Scene) => {
        tried.push(JSON.stringify(scene));
        return reproduces(scene);
      };
      await shrink(failing, atMs(failing) ?? 0, noted, NO_LIMIT);
      return tried;
    };
    expect(await trail()).toEqual(await trail());
  });

  test('is given back as far as it got when its attempts are spent', async () => {
    const shrunk = await shrink(failing, atMs(failing) ?? 0, reproduces, { attempts: 3, isSpent: () => false });
    expect(shrunk.attempts).toBe(3);
    expect(shrunk.isComplete).toBe(false);
    expect(atMs(shrunk.scene)).not.toBeNull();
  });

  test('that does not fail again stays as it was', async () => {
    const { scene } = await shrink(failing, 10_000, () => Promise.resolve(null), NO_LIMIT);
    expect(scene).toEqual(failing);
  });
});
