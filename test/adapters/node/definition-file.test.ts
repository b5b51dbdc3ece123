import { describe, expect, test } from '@jest/globals';
import { loadDefinitionSources, readDefinition } from '../../../adapters/node/definition-file.ts';
import { problemText } from '../../../core/config/problem.ts';
import { BASE, NAMES, SHAPE, TIMING, withLine, YAML } from './bad-definitions.ts';

function problemsOf(content: Uint8Array | string) {
  const read = readDefinition([{ content }]);
  return read.ok ? [] : read.problems;
}

describe('every problem has its line and says what to change', () => {
  test('the base text itself is valid', () => {
    const read = readDefinition([{ content: BASE }]);
    expect(read.ok ? read.definition.cluster : read.problems).toBe('c1');
  });

  test.each([...SHAPE, ...TIMING, ...NAMES, ...YAML])('line %i: %s', (edited, text, line, expected) => {
    const problems = problemsOf(withLine(edited, text));
    expect(
      problems
        .filter((problem) => problem.line === line)
        .map(problemText)
        .join('\n'),
    ).toContain(expected);
  });

  test('all problems are reported at once, timing among them', () => {
    const broken = withLine(3, 'timing: { profile: fast, takerWait: 11s }')
      .replace('h2.example', '"h2 example"')
      .replace('systemd:web', 'upstart:web')
      .replace('active: 2', 'active: 0');
    const lines = problemsOf(broken).map(({ line }) => line ?? 0);
    expect(lines.sort((a, b) => a - b)).toEqual([3, 9, 23, 26]);
  });

  test('at most a hundred are listed, the rest is counted', () => {
    const keys = Array.from({ length: 150 }, (_, i) => `key${i}: 1`).join('\n');
    const read = readDefinition([{ content: `${keys}\n${BASE}` }]);
    expect(read.ok).toBe(false);
    if (read.ok) return;
    expect([read.problems.length, read.omitted]).toEqual([100, 50]);
  });
});

describe('what is no definition at all', () => {
  const bytes = (...values: number[]) => Uint8Array.from(values);

  test.each([
    ['5 MB of a definition', BASE + `# ${'x'.repeat(5_000_000)}`, 'bytes; at most 1000000 bytes'],
    ['bytes that are not UTF-8', bytes(0xff, 0xfe, 0x61), 'not UTF-8 text'],
    ['a NUL', bytes(0x61, 0x3a, 0x00), 'not UTF-8 text'],
    ['an ELF header', bytes(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0), 'not UTF-8 text'],
    ['a megabyte of brackets', '['.repeat(900_000), 'nesting without end'],
    ['lists in lists without end', '- '.repeat(20_000), 'nesting without end'],
    ['more than a hundred documents', '---\na: 1\n'.repeat(101), '101 documents; write at most 100 documents'],
    ['nothing', '', 'no document; write a definition'],
    ['only a comment', '# to do\n', 'no document'],
    ['a scalar', 'holdfast', 'must be a mapping of: apiVersion'],
    ['a list', '- a\n- b\n', 'must be a mapping of: apiVersion'],
  ])('%s is refused', (_, content, expected) => {
    expect(problemsOf(content).map(problemText).join('\n')).toContain(expected);
  });

  test('exploding aliases are refused without being expanded', () => {
    const row = (name: string, of: string) => `${name}: &${name} [${Array(9).fill(`*${of}`).join(',')}]\n`;
    const bomb = `a: &a [${Array(9).fill('lol').join(',')}]\n${row('b', 'a')}${row('c', 'b')}${row('d', 'c')}${row('e', 'd')}`;
    expect(problemsOf(bomb).map(problemText)).toEqual([expect.stringContaining('Excessive alias count')]);
  });

  test('an alias inside its own anchor is refused', () => {
    expect(problemsOf(withLine(7, '    labels: &x { a: *x }')).map(({ line }) => line)).toContain(7);
  });

  test('a megabyte of keys is judged, not compared pair by pair', () => {
    const keys = Array.from({ length: 90_000 }, (_, i) => `k${i}: b`).join('\n');
    const problems = problemsOf(keys);
    expect(problems).toHaveLength(100);
  }, 30_000);

  test('a few plain aliases are fine', () => {
    const text = withLine(7, '    labels: &l { disk: ssd }').replace('labels: { disk: hdd }', 'labels: *l');
    const read = readDefinition([{ content: text }]);
    expect(read.ok && read.definition.hosts.map(({ labels }) => labels.disk)).toEqual(['ssd', 'ssd']);
  });
});

describe('several documents of one cluster', () => {
  const head = `apiVersion: holdfast/v1\ncluster: c1\n`;
  const first = `${head}timing: { profile: fast }\nhosts:\n  - { name: h1, certificateName: h1 }\n`;
  const group = (name: string, active: number) =>
    `${head}groups:\n  - name: ${name}\n    redundancy: { model: n, active: ${active} }\n    services:\n      - { name: s, agent: "driver:x" }\n`;
  const second = `${head}hosts:\n  - { name: h2, certificateName: h2 }\n`;

  test('are one definition, in one file or in several', () => {
    const together = readDefinition([{ content: [first, second, group('a', 2)].join('---\n') }]);
    const apart = readDefinition([first, second, group('a', 2)].map((content, i) => ({ content, file: `${i}.yaml` })));
    expect(together.ok && together.definition.hosts.map(({ name }) => name)).toEqual(['h1', 'h2']);
    expect(apart.ok && together.ok && apart.definition).toEqual(together.ok && together.definition);
  });

  test('a problem is found in the file that holds it', () => {
    const read = readDefinition([
      { content: first, file: 'hosts.yaml' },
      { content: group('a', 1), file: 'a.yaml' },
      { content: group('b', 2), file: 'b.yaml' },
    ]);
    expect(read.ok ? [] : read.problems.map(problemText)).toEqual([
      'b.yaml:5:5 groups[1].redundancy: got 2 active = 2 places, and 1 hosts (h1); ask for at most 1 places, or add hosts',
    ]);
  });

  test.each([
    ['another cluster', `apiVersion: holdfast/v1\ncluster: c2\n`, 'x.yaml:2:1', 'got "c2"; must be "c1"'],
    ['no cluster', `apiVersion: holdfast/v1\n`, 'x.yaml:1:1', 'every document must say cluster'],
    ['timing again', `${head}timing: { profile: demo }\n`, 'x.yaml:3:1', 'timing a second time'],
    ['hosts that are no list', `${head}hosts: { name: h2 }\n`, 'x.yaml:3:1', 'must be a list of hosts'],
    ['a list', `- a\n`, 'x.yaml:1:1', 'must be a mapping'],
  ])('%s is refused', (_, content, place, expected) => {
    const read = readDefinition([
      { content: first, file: 'hosts.yaml' },
      { content, file: 'x.yaml' },
    ]);
    const texts = read.ok ? [] : read.problems.map(problemText);
    expect(texts.join('\n')).toContain(place);
    expect(texts.join('\n')).toContain(expected);
  });
});

test('a host whose stated capacity is too small is no place for a group', () => {
  const text = withLine(7, '    capacity: { cpu: 1 }').replace(
    'params: { command: run-store }',
    'params: { command: run-store }\n        needs: { cpu: 2 }',
  );
  expect(problemsOf(text).map(problemText)).toEqual([
    'line 13:5 groups[0].redundancy: got 1 active + 1 standby = 2 places, and 1 hosts with cpu 2 (h2); ask for at most 1 places, or add hosts with cpu 2',
  ]);
});

describe('files', () => {
  test('a missing file is said by name', async () => {
    await expect(loadDefinitionSources(['no-such.yaml'])).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('no-such.yaml'),
    });
  });

  test.each([
    ['cluster.yaml', []],
    // Without a power fence, and with services that check no epoch: V9 says so of both covered groups.
    ['lease.yaml', ['V9', 'V9']],
  ])('the sample %s is valid and its clean stops fit the demo timing', async (file, warnings) => {
    const read = readDefinition(await loadDefinitionSources([`local/samples/${file}`]));
    expect(read.ok ? read.warnings.map(({ rule }) => rule) : read.problems).toEqual(warnings);
    if (!read.ok) return;
    expect(read.definition.groups.map(({ name, redundancy }) => [name, redundancy])).toEqual([
      ['ledger', { model: 'n-plus-m', active: 1, standby: 1 }],
      ['broker', { model: 'n-plus-m', active: 2, standby: 1 }],
      ['web', { model: 'n', active: 3, exclusive: false }],
    ]);
  });
});
