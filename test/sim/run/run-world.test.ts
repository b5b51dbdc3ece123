import { describe, expect, test } from '@jest/globals';
import type { Checker, Told, Violation } from '../../../sim/contract/truth.ts';
import { runWorld } from '../../../sim/run/run-world.ts';
import type { MakeWorld, World, WorldStage } from '../../../sim/run/world.ts';
import { report } from '../../../sim/report/report.ts';
import { asItRan } from '../../../sim/run/as-it-ran.ts';
import { fault, hostScene, sceneWith } from './scenes.ts';

const PLAIN = { mutation: null, keep: true } as const;
const scene = sceneWith({ faultsForMs: 10_000, quietForMs: 5000, faults: [fault(2000, 'cut', 'h1', 1000)] });

/** Places at once, beats every second, and cuts as scheduled; `changed` replaces parts of it. */
function world(changed: (stage: WorldStage) => Partial<World> = () => ({})): MakeWorld {
  return (stage, drawn) => {
    const beat = (seq: number): void => {
      stage.tell({ type: 'beat', host: 'h1', machine: 'm1', session: 's', seq });
      stage.timeline.after(1000 + stage.random.int(0, 9), () => beat(seq + 1));
    };
    return {
      checkers: [],
      begin: () => beat(1),
      reconcile: () => undefined,
      act: (act) => {
        stage.tell({ type: 'operator', says: act.do, outcome: '200' });
        return Promise.resolve({ status: 200, says: '' });
      },
      whyNotPlaced: () => (stage.timeline.now() < 2000 ? 'h1 boots' : null),
      beginFaults: () => {
        for (const { at, kind, subject } of drawn.faults)
          stage.timeline.after(at, () => stage.tell({ type: 'fault', kind, subject, now: 'begins', says: '' }));
      },
      lookAfter: () => undefined,
      healAll: () => stage.tell({ type: 'log', who: 'world', says: 'healed' }),
      ...changed(stage),
    };
  };
}

/** Objects to what `isWrong` picks, and at the end to `atEnd`. */
function checker(isWrong: (fact: Told) => boolean, atEnd: string | null = null): Checker {
  const violations: Violation[] = [];
  return {
    invariant: 'I2',
    violations,
    see: (fact) => {
      if (isWrong(fact)) violations.push({ invariant: 'I2', at: fact.at, says: `saw ${fact.type}` });
    },
    end: () => {
      if (atEnd !== null) violations.push({ invariant: 'I5', at: 99, says: atEnd });
    },
  };
}

describe('a run', () => {
  test('places, breaks and heals, and counts what was told', async () => {
    const result = await runWorld(scene, PLAIN, world());
    expect(result).toMatchObject({
      seed: 7,
      violations: [],
      faultsFromMs: 2000,
      faultsUntilMs: 12_000,
      simulatedMs: 17_000,
      beats: { h1: 9 },
      faults: { cut: 1 },
    });
    expect(result.facts.find((fact) => fact.type === 'fault')?.at).toBe(4000);
    expect(result.facts.find((fact) => fact.type === 'log')?.at).toBe(12_000);
  });

  test('of the same seed has the same hash, of another seed another', async () => {
    const hashOf = async (seed: number) => (await runWorld({ ...scene, seed }, PLAIN, world())).traceHash;
    expect(await hashOf(1)).toBe(await hashOf(1));
    expect(await hashOf(1)).not.toBe(await hashOf(2));
  });

  test('ends at its first violation', async () => {
    const sees = checker((fact) => fact.type === 'fault');
    const result = await runWorld(
      scene,
      PLAIN,
      world(() => ({ checkers: [sees] })),
    );
    expect(result.violations).toEqual([{ invariant: 'I2', at: 4000, says: 'saw fault' }]);
    expect(result.simulatedMs).toBe(4000);
    expect(report(scene, result, { host: null, isVerbose: false })).toContain(
      '    4.000  FAULT     cut begins h1\n    4.000  =====     VIOLATION I2: saw fault',
    );
  });

  test('shows its checkers what is told while the world is made', async () => {
    const sees = checker((fact) => fact.type === 'machine');
    const made = world((stage) => {
      stage.tell({ type: 'machine', host: 'h1', machine: 'm1', now: 'on' });
      return { checkers: [sees] };
    });
    const result = await runWorld(scene, PLAIN, made);
    expect(result.violations).toEqual([{ invariant: 'I2', at: 0, says: 'saw machine' }]);
  });

  test('goes on after it if it is told to', async () => {
    const sees = checker((fact) => fact.type === 'fault', 'not all is up');
    const going = { ...PLAIN, isGoingOn: true };
    const result = await runWorld(
      scene,
      going,
      world(() => ({ checkers: [sees] })),
    );
    expect(result.violations.map((one) => one.invariant)).toEqual(['I2', 'I5']);
    expect(result.simulatedMs).toBe(17_000);
  });

  test('in which nothing is ever placed violates I5', async () => {
    const result = await runWorld(
      scene,
      PLAIN,
      world(() => ({ whyNotPlaced: () => 'db/0 has no owner' })),
    );
    expect(result.violations).toEqual([
      expect.objectContaining({ invariant: 'I5', says: 'not placed before any fault: db/0 has no owner' }),
    ]);
    expect(result.faultsFromMs).toBeNull();
  });

  test('whose definition is refused says so', async () => {
    const act = () => Promise.resolve({ status: 400, says: 'config_invalid: no hosts' });
    const result = await runWorld(
      scene,
      PLAIN,
      world(() => ({ act })),
    );
    expect(result.violations[0]).toMatchObject({
      invariant: 'bug',
      says: 'the definition of the scene was refused: 400 config_invalid: no hosts',
    });
  });

  test('in which an event throws is a bug, with the place', async () => {
    const boom = (stage: WorldStage): Partial<World> => ({
      beginFaults: () => {
        stage.timeline.after(10, () => {
          throw new Error('boom');
        });
      },
    });
    const result = await runWorld(scene, PLAIN, world(boom));
    expect(result.violations[0]).toMatchObject({ invariant: 'bug', at: 2010 });
    expect(result.violations[0]?.says).toContain('run-world.test.ts');
  });

  test('takes rejections that nobody awaits for bugs', async () => {
    let report: (error: unknown) => void = () => undefined;
    let isListening = false;
    const strays = (listener: (error: unknown) => void) => {
      report = listener;
      isListening = true;
      return () => void (isListening = false);
    };
    const stray = (): Partial<World> => ({
      beginFaults: () => report(new Error('nobody awaits me')),
      checkers: [checker((fact) => fact.type === 'bug')],
    });
    const result = await runWorld(scene, { ...PLAIN, strays }, world(stray));
    expect(result.violations).toEqual([{ invariant: 'I2', at: 2000, says: 'saw bug' }]);
    const fact = result.facts.at(-1);
    expect(fact?.type === 'bug' && fact.says).toContain('nobody awaits me');
    expect(isListening).toBe(false);
  });
});

describe('a fault phase until everybody has beaten 200 times', () => {
  const full = sceneWith({
    faultsForMs: 150_000,
    quietForMs: 5000,
    isFull: true,
    acts: [
      { at: 1000, do: 'switch', isOn: false },
      { at: 150_100, do: 'switch', isOn: true },
    ],
  });

  test('goes on for it, and only beats under faults count', async () => {
    const result = await runWorld({ ...full, hosts: full.hosts.filter(({ name }) => name === 'h1') }, PLAIN, world());
    expect(result.beats).toEqual({ h1: 200 });
    const lastedMs = (result.faultsUntilMs ?? 0) - (result.faultsFromMs ?? 0);
    expect(lastedMs).toBeGreaterThan(199_000);
    expect(lastedMs).toBeLessThan(204_000);
  });

  test('is given up after four times its length: a host may be gone', async () => {
    const result = await runWorld({ ...full, hosts: [...full.hosts, hostScene('gone')] }, PLAIN, world());
    expect((result.faultsUntilMs ?? 0) - (result.faultsFromMs ?? 0)).toBe(600_000);
    expect(result.beats['gone']).toBe(0);
  });

  test('has whoever is behind looked after, from where it was to end, again and again', async () => {
    const seen: (readonly string[])[] = [];
    const beats = (stage: WorldStage, seq: number): void => {
      stage.tell({ type: 'beat', host: 'gone', machine: 'm2', session: 's', seq });
      stage.timeline.after(1000, () => beats(stage, seq + 1));
    };
    const made = world((stage) => ({
      lookAfter: (hosts) => {
        seen.push(hosts);
        // Help comes at the second call.
        if (seen.length === 2) beats(stage, 1);
      },
    }));
    const hosts = [hostScene('h1'), hostScene('gone')];
    const result = await runWorld({ ...full, hosts, faultsForMs: 210_000 }, PLAIN, made);
    expect(result.beats).toMatchObject({ gone: 200 });
    expect(seen[0]).toEqual(['gone']);
    expect(result.lookedAfter[0]).toEqual({ at: 210_000, do: 'look-after', hosts: ['gone'] });
    expect(result.lookedAfter.map(({ at }) => at).slice(0, 3)).toEqual([210_000, 230_000, 250_000]);
    expect(result.lookedAfter).toHaveLength(seen.length);
  });

  test('written down is as long as it came to be, and what is done afterwards comes after it', () => {
    const lookedAfter = [{ at: 150_000, do: 'look-after', hosts: ['h2'] } as const];
    const ran = asItRan(full, { faultsFromMs: 2000, faultsUntilMs: 202_000, simulatedMs: 207_000, lookedAfter });
    expect(ran).toMatchObject({ faultsForMs: 200_000, acts: [{ at: 1000 }, ...lookedAfter, { at: 200_100 }] });
    expect(ran.isFull).toBeUndefined();
  });
});
