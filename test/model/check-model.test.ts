import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { readAssertion, readSearch, readTrace } from '../../tools/model/output.ts';
import { LARGE, MUTATIONS, RULES } from '../../tools/model/runs.ts';
import { mutationVerdict, rulesVerdict } from '../../tools/model/verdict.ts';

const ROOT = join(import.meta.dirname, '../..');
const recorded = (name: string): string => readFileSync(join(import.meta.dirname, 'outputs', `${name}.txt`), 'utf8');
const TAKEOVER = 'takeover: a candidate runs in epoch 2';

describe('what a verifier printed', () => {
  test('every state visited and none bad counts, if all that should happen did', () => {
    const search = readSearch(recorded('exhausted'));
    expect(search).toMatchObject({ states: 826257, depth: 20, errors: 0, gap: null });
    expect(rulesVerdict(search, [TAKEOVER])).toBeNull();
    expect(rulesVerdict(search, [TAKEOVER, 'pigs fly'])).toBe('never happens: pigs fly');
    expect(mutationVerdict({ ...search, trace: [] })).toBe('not caught: every state visited, none bad');
  });

  test('a violation fails the rules and catches a mutation, if it can be told', () => {
    const search = readSearch(recorded('violated'));
    const trace = readTrace(recorded('replay'));
    expect(search.errors).toBe(1);
    expect(rulesVerdict(search, [])).toBe('a rule is violated:');
    expect(mutationVerdict({ ...search, trace })).toBeNull();
    expect(mutationVerdict({ ...search, trace: [] })).toBe('violated, but without a trace');
    expect(readAssertion(recorded('violated'))).toMatch(/lastWrite>0/);
  });

  test('a replay is told in words, step by step', () => {
    expect(readTrace(recorded('replay'))).toEqual([
      'list 0 is 1 (1 = B, 2 = C)',
      'tick',
      'tick',
      'tick, which A does not count: its clock is slow or it is frozen',
      'tick',
      'A is quiet: everything covered is dead',
      "A's session is revoked on exactly this version: list 0 acknowledged",
      'B becomes owner in epoch 2 by lease-over',
      'B reads epoch 2',
      'B starts the slot in epoch 2',
    ]);
  });

  test.each([
    ['too-deep', 'the search depth was too small'],
    ['out-of-memory', 'out of memory'],
    ['bits-only', 'states were kept as bits only'],
    ['hashes-only', 'states were kept as hashes only'],
  ])('%s proves nothing, neither about the rules nor about a mutation', (name, why) => {
    const search = readSearch(recorded(name));
    expect(rulesVerdict(search, [])).toBe(`proves nothing: ${why}`);
    expect(mutationVerdict({ ...search, trace: ['tick'] })).toBe(`not caught: ${why}`);
  });

  test.each([
    ['nothing at all', (text: string) => text.slice(0, 0), 'the verifier did not say what it found'],
    [
      'half a report',
      (text: string) => text.slice(0, text.indexOf('State-vector')),
      'the verifier did not say what it found',
    ],
    [
      'no states',
      (text: string) => text.replace('826257 states, stored', '0 states, stored'),
      'the verifier did not say what it found',
    ],
    ['stopped half-way', (text: string) => `${text}\nSearch not completed: SIGKILL\n`, 'the search was not completed'],
    [
      'no kind of search',
      (text: string) => text.replace('Full statespace', 'Some'),
      'the verifier did not say that it kept every state',
    ],
    [
      'assertions off',
      (text: string) => text.replace(/assertion violations\s+\+/, 'assertion violations -'),
      'assertions were not checked',
    ],
  ])('%s proves nothing', (_, spoil, why) => {
    expect(rulesVerdict(readSearch(spoil(recorded('exhausted'))), [])).toBe(`proves nothing: ${why}`);
  });
});

describe('the models, the tool and the page', () => {
  const sources = readdirSync(join(ROOT, 'model'))
    .filter((name) => name.endsWith('.pml'))
    .map((name) => [name, readFileSync(join(ROOT, 'model', name), 'utf8')] as const);
  const page = readFileSync(join(ROOT, 'docs/internals/model.md'), 'utf8');
  const sorted = (names: Iterable<string>) => [...new Set(names)].sort();

  test('every mutation of a model is searched, in its own model, and no other', () => {
    const inModels = sources.flatMap(([file, text]) =>
      [...text.matchAll(/\bMUT_([A-Z][A-Z_]*[A-Z])\b/g)].map(([, name]) => `${file} ${name ?? ''}`),
    );
    expect(sorted(MUTATIONS.map(({ model, name }) => `${model} ${name}`))).toEqual(sorted(inModels));
  });

  test('the page lists exactly the mutations that there are', () => {
    const onPage = [...page.matchAll(/^\| `([A-Z_]+)` +\|/gm)].map(([, name]) => name ?? '');
    expect(sorted(onPage)).toEqual(sorted(MUTATIONS.map(({ name }) => name)));
    expect(onPage).toHaveLength(MUTATIONS.length);
  });

  test('every goal that a model can print is demanded of one of its searches', () => {
    const goals = sources.flatMap(([, text]) =>
      [...text.matchAll(/GOAL\(\d+, "(.+?)"\)/g)].map(([, words]) => words ?? ''),
    );
    expect(sorted(RULES.flatMap(({ reaches }) => reaches))).toEqual(sorted(goals));
  });

  test('every define that a search sets is one that its model knows', () => {
    for (const { model, defines } of [...RULES, ...LARGE, ...MUTATIONS]) {
      const text = sources.find(([file]) => file === model)?.[1] ?? '';
      for (const define of defines) expect(text).toMatch(new RegExp(`^#ifn?def ${define.split('=')[0] ?? ''}$`, 'm'));
    }
  });

  test('a name that no mutation has is refused with the names there are', () => {
    const entry = fileURLToPath(new URL('../../tools/check-model.ts', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [entry, '--trace', 'NONSENSE'], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([2, expect.stringContaining('FORGET_M')]);
  });

  test('without spin and gcc it says what to install', () => {
    const entry = fileURLToPath(new URL('../../tools/check-model.ts', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [entry], {
      encoding: 'utf8',
      env: { PATH: '/nonexistent' },
    });
    expect([status, stderr]).toEqual([2, expect.stringContaining('apt-get install -y spin gcc libc6-dev')]);
  });
});
