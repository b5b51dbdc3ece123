import { describe, expect, jest, test } from '@jest/globals';
import { readDefinition } from '../../../adapters/node/definition-file.ts';
import { TIMING_PROFILES } from '../../../core/config/timing-profiles.ts';
import { SCHEDULED_FAULTS, BACKGROUND_FAULTS } from '../../../sim/contract/faults.ts';
import type { Scene } from '../../../sim/contract/scene.ts';
import { drawScene } from '../../../sim/scene/draw.ts';
import { instanceIdOf, replacementOf } from '../../../sim/scene/instance-ids.ts';

jest.setTimeout(120_000); // Thousands of scenes, on a machine that others use.

const SCENES: readonly Scene[] = Array.from({ length: 2_000 }, (_, seed) => drawScene(seed));
const some = SCENES.slice(0, 300);

describe('drawn scenes', () => {
  test('the same seed draws the same scene, whatever was drawn before', () => {
    for (const seed of [3, 1_000, 17]) {
      expect(JSON.stringify(drawScene(seed))).toBe(JSON.stringify(SCENES[seed]));
    }
    expect(new Set(some.map((scene) => JSON.stringify({ ...scene, seed: 0 }))).size).toBe(300);
  });

  test('every definition passes the validator, the first one and each that is applied later', () => {
    let applied = 0;
    for (const { yaml, acts, seed } of some) {
      const later = acts.flatMap((act) => (act.do === 'apply' ? [act.yaml] : []));
      applied += later.length;
      for (const content of [yaml, ...later]) {
        const read = readDefinition([{ content }]);
        expect([seed, read.ok ? [] : read.problems]).toEqual([seed, []]);
      }
    }
    expect(applied).toBeGreaterThan(100);
  });

  test('every kind of fault is drawn somewhere', () => {
    const kinds = new Set<string>(SCENES.flatMap(({ faults }) => faults.map(({ kind }) => kind)));
    const noises = new Set<string>(SCENES.flatMap(({ noise }) => Object.keys(noise)));
    expect(Object.keys(SCHEDULED_FAULTS).filter((kind) => !kinds.has(kind))).toEqual([]);
    expect(Object.keys(BACKGROUND_FAULTS).filter((kind) => !noises.has(kind))).toEqual([]);
  });

  test('faults stay within the assumed bounds (SAFETY.md)', () => {
    for (const { profile, faults, faultsForMs, hosts } of SCENES) {
      const { freezeMs, wallGapMs, clockRateError, intervalMs } = TIMING_PROFILES[profile];
      expect(faultsForMs).toBeGreaterThanOrEqual(210 * intervalMs);
      for (const { clockRate } of hosts) expect(Math.abs(clockRate - 1)).toBeLessThanOrEqual(clockRateError + 1e-12);
      for (const { at, kind, forMs, amount = 0 } of faults) {
        expect(at >= 0 && at <= faultsForMs && forMs >= 0).toBe(true);
        if (kind === 'frozen_seen' || kind === 'frozen_unseen') expect(forMs).toBeLessThanOrEqual(freezeMs);
        if (kind === 'control_wall_step') expect(amount).toBeLessThanOrEqual(wallGapMs / 2);
        if (kind === 'wall_step') expect(Math.abs(amount)).toBeLessThanOrEqual(3_600_000);
      }
    }
  });

  test('clocks are at the ends of what is assumed more often than not, and faults follow each other closely', () => {
    const rates = SCENES.flatMap(({ hosts }) => hosts.map(({ clockRate }) => Math.abs(clockRate - 1)));
    expect(rates.filter((off) => off > 0.000_999).length / rates.length).toBeGreaterThan(0.6);
    const stormy = SCENES.filter(({ faults }) => faults.length > 1);
    const chained = stormy.filter(({ faults, profile }) =>
      faults.some(({ at }, i) => i > 0 && at - (faults[i - 1]?.at ?? 0) < TIMING_PROFILES[profile].takerWaitMs),
    );
    expect(chained.length / stormy.length).toBeGreaterThan(0.8);
  });

  test('every profile, size of cluster and redundancy is there; some runs are calm', () => {
    const profiles = new Set(SCENES.map(({ profile }) => profile));
    expect([...profiles].sort()).toEqual(['conservative', 'demo', 'fast', 'standard']);
    expect(new Set(SCENES.map(({ hosts }) => hosts.length))).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 9]));
    const yaml = SCENES.map((scene) => scene.yaml).join('');
    for (const words of [
      '"n-plus-m","active":1,"standby":1',
      '"n-plus-m","active":2',
      '"exclusive":true',
      '"exclusive":false',
    ])
      expect(yaml).toContain(words);
    for (const words of [
      'certificateName',
      '"spread":"zone"',
      '"apart"',
      '"together"',
      '"require"',
      '[["ec2","lease"]]',
    ])
      expect(yaml).toContain(words);
    const calm = SCENES.filter(({ noise, faults, acts }) =>
      [noise, faults, acts].every((of) => Object.keys(of).length === 0),
    );
    expect(calm.length).toBeGreaterThan(60);
    expect(calm.length).toBeLessThan(300);
    for (const { hosts } of calm) expect(hosts.every(({ isOnAtFirst }) => isOnAtFirst)).toBe(true);
  });

  test('whatever an operator took out of service is put back after the faults, and the switch is on', () => {
    const verbs: Readonly<Record<string, string>> = {
      lock: 'unlock',
      disable: 'enable',
      maintenance: 'enable',
      drain: 'enable',
    };
    let seen = 0;
    for (const { acts, faultsForMs } of SCENES) {
      const last = acts.filter(({ at }) => at > faultsForMs);
      for (const act of acts.filter(({ at }) => at <= faultsForMs)) {
        if (act.do === 'switch') expect(last).toContainEqual(expect.objectContaining({ do: 'switch', isOn: true }));
        const back = act.do === 'host' ? verbs[act.verb] : undefined;
        if (act.do !== 'host' || back === undefined) continue;
        seen += 1;
        expect(last).toContainEqual(expect.objectContaining({ do: 'host', host: act.host, verb: back }));
      }
      expect(last.every((act) => act.do !== 'switch' || act.isOn)).toBe(true);
    }
    expect(seen).toBeGreaterThan(100);
  });

  test('a replaced machine is in the definition that is applied with it, and in the last one', () => {
    let seen = 0;
    for (const { acts, faults, hosts } of SCENES) {
      const last = acts.findLast((act) => act.do === 'apply');
      const generations = new Map(
        faults.flatMap(({ kind, subject, amount = 0 }) => (kind === 'replaced' ? [[subject, amount]] : [])),
      );
      for (const [host, generation] of generations) {
        const first = hosts.find(({ name }) => name === host)?.instanceId ?? '';
        expect(last?.do === 'apply' ? last.yaml : '').toContain(replacementOf(first, generation));
        seen += 1;
      }
    }
    expect(seen).toBeGreaterThan(20);
  });
});

test('ids of replaced machines differ from each other and from all first ones', () => {
  expect(instanceIdOf(10)).toBe('i-0000000000000000a');
  expect(replacementOf('i-0000000000000000a', 1)).toBe('i-0100000000000000a');
  expect(replacementOf('i-0000000000000000a', 255)).toBe('i-ff00000000000000a');
  expect(() => replacementOf('i-0000000a', 1)).toThrow('17 digits');
});
