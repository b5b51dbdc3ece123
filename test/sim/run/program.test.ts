import { describe, expect, test } from '@jest/globals';
import type { Checker, Violation } from '../../../sim/contract/truth.ts';
import { work } from '../../../sim/run/crew.ts';
import { program, type ProgramIo } from '../../../sim/run/program.ts';
import { parseScenario } from '../../../sim/run/scenario-parse.ts';
import { runWorld } from '../../../sim/run/run-world.ts';
import type { MakeWorld } from '../../../sim/run/world.ts';
import { fault, sceneWith } from './scenes.ts';

/** Every tenth seed draws a crash of h1; `forget-m` makes a crash of h1 fatal. */
const drawScene = (seed: number) =>
  sceneWith({
    seed,
    faultsForMs: 20_000,
    quietForMs: 1000,
    noise: { loss: 0.01 },
    faults: seed % 10 === 4 ? [fault(2000, 'cut', 'h2', 500), fault(7000, 'crash', 'h1')] : [],
  });

const makeWorld: MakeWorld = ({ timeline, tell, mutation }, scene) => {
  const violations: Violation[] = [];
  const checker: Checker = {
    invariant: 'I2',
    violations,
    see: (fact) => {
      const isFatal = fact.type === 'fault' && fact.kind === 'crash' && (mutation === 'forget-m' || scene.seed === 14);
      if (isFatal) violations.push({ invariant: 'I2', at: fact.at, says: 'db/0 runs on h1 and h2' });
    },
    end: () => undefined,
  };
  return {
    checkers: [checker],
    begin: () => undefined,
    reconcile: () => undefined,
    act: () => Promise.resolve({ status: 200, says: '' }),
    whyNotPlaced: () => null,
    beginFaults: () => {
      for (const { at, kind, subject } of scene.faults)
        timeline.after(at, () => tell({ type: 'fault', kind, subject, now: 'begins', says: '' }));
    },
    lookAfter: () => undefined,
    healAll: () => undefined,
  };
};

async function ran(words: string): Promise<{ status: number; out: string; err: string }> {
  let out = '';
  let err = '';
  let now = 0;
  const io: ProgramIo = {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    readFile: () => SCENARIO,
    now: () => (now += 10),
    cpuMs: () => 0,
    cores: 2,
    crew: (size) => ({
      size,
      run: (job) => work(job, (seed, mutation) => runWorld(drawScene(seed), { mutation, keep: false }, makeWorld)),
      end: () => Promise.resolve(),
    }),
    drawScene,
    runScene: (scene, options) => runWorld(scene, options, makeWorld),
  };
  const status = await program(words.split(' '), io);
  return { status, out, err };
}

const SCENARIO = `seed 14
cluster lab
profile demo
faults for 20s, quiet for 1s

hosts:
  h1

definition:
  cluster: lab

at 3s: crash h1

expect: no violations
expect: page anything
`;

describe('the simulator', () => {
  test('ends with the number of seeds and of violations', async () => {
    const { status, out } = await ran('--seeds 13');
    expect(out).toMatch(/\nseeds 13, violations 0\n$/);
    expect(status).toBe(0);
  });

  test('shrinks what fails and prints it as a scenario', async () => {
    const { status, out } = await ran('--seeds 20');
    expect(out).toMatch(/\nseeds 20, violations 1\n$/);
    expect(status).toBe(1);
    const text = out.slice(out.indexOf('# Shrunk from seed 14'), out.indexOf('seeds 20'));
    expect(parseScenario(text.trimEnd())).toMatchObject({
      expectations: [{ expect: 'violation', invariant: 'I2' }],
      scene: { faults: [fault(7000, 'crash', 'h1')], noise: {}, hosts: [{ name: 'h1' }], faultsForMs: 8000 },
    });
  });

  test('says all of it in one line of JSON, the same for any number of workers', async () => {
    const lastOf = async (words: string): Promise<unknown> =>
      JSON.parse((await ran(words)).out.trimEnd().split('\n').at(-1) ?? '');
    const one = await lastOf('--seeds 13 --json --workers 1');
    expect(one).toEqual({
      seeds: 13,
      violations: 0,
      simulatedSeconds: 280,
      failovers: 0,
      traceHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      mutations: [],
    });
    expect(await lastOf('--seeds 13 --json --workers 5')).toEqual(one);
  });

  test('catches a mutation, or fails', async () => {
    const caught = await ran('--mutate forget-m --json');
    expect(caught.status).toBe(0);
    expect(JSON.parse(caught.out.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      mutations: [{ name: 'forget-m', caught: true, seeds: 4, starts: [4, 4, 4, 4, 4] }],
    });
    const missed = await ran('--mutate guard-in-agent --seeds 3');
    expect(missed.status).toBe(1);
    expect(missed.out).toMatch(/mutations 1, not caught 1\n$/);
  });

  test('shows one seed as a timeline', async () => {
    const { status, out } = await ran('--seed 14 --trace');
    expect(status).toBe(1);
    expect(out).toContain('VIOLATION I2 at 7.500 s: db/0 runs on h1 and h2');
    expect(out).toContain('    7.500  FAULT     crash begins h1');
    const other = await ran('--seed 14 --trace --host h2');
    expect(other.out).not.toContain('crash begins');
    expect(other.out).toContain('cut begins h2');
  });

  test('holds a scenario against what it expects', async () => {
    const { status, out } = await ran('--scenario some.txt');
    expect(status).toBe(1);
    expect(out).toBe(
      'expected no violations, but I2 at 3.500 s: db/0 runs on h1 and h2\n' +
        'expected page anything, but the pages were: none\n' +
        'some.txt: 2 not as expected\n',
    );
  });

  test('does not run what it does not understand', async () => {
    expect(await ran('--sedes 3')).toEqual({ status: 2, out: '', err: 'unknown option --sedes; see --help\n' });
  });
});
