import { describe, expect, test } from '@jest/globals';
import { problemText } from '../../core/config/problem.ts';
import { readSettings } from '../../lib/read-settings.ts';
import { DEFAULT_SETTINGS } from '../../lib/settings.ts';
import { settingsOf } from './synthesised.ts';

function problemsOf(input: unknown): string[] {
  const read = readSettings(input);
  return read.ok ? [] : read.problems.map(problemText);
}

describe('what may be written', () => {
  test('nothing at all: the defaults', () => {
    expect(settingsOf(undefined)).toEqual(DEFAULT_SETTINGS);
    expect(settingsOf(null)).toEqual(DEFAULT_SETTINGS);
    expect(settingsOf({})).toEqual({
      name: 'Holdfast',
      tables: { heartbeats: { billing: 'on-demand' }, registry: { billing: 'on-demand' } },
      findBehind: { memoryMb: 128, every: 'loop' },
      workflow: { alias: true },
      api: { auth: 'iam', ratePerSecond: 50, burst: 100 },
      pages: { emails: [] },
      alarms: {
        enabled: true,
        ...{ behindMinutes: 5, heldMinutes: 5, silentMinutes: 3, errors: 3, throttles: 1 },
      },
      dashboard: true,
      logRetentionDays: 90,
      definitions: [],
    });
  });

  test('a part of a topic: the rest of it stays at its defaults', () => {
    const { tables, findBehind } = settingsOf({
      tables: { heartbeats: { billing: 'provisioned', write: { min: 200 } } },
      findBehind: { memoryMb: 256 },
    });
    expect(tables).toEqual({
      heartbeats: {
        billing: 'provisioned',
        read: { min: 5, max: 100 },
        write: { min: 200, max: 1000 },
        utilisation: 70,
      },
      registry: { billing: 'on-demand' },
    });
    expect(findBehind).toEqual({ memoryMb: 256, every: 'loop' });
  });

  test('a definition in one file or in several', () => {
    expect(settingsOf({ definitions: ['a.yaml', ['b/hosts.yaml', 'b/groups.yaml']] }).definitions).toEqual([
      'a.yaml',
      ['b/hosts.yaml', 'b/groups.yaml'],
    ]);
  });
});

describe('what may not, and what to write instead', () => {
  test.each([
    [{ name: '9lives' }, 'name: got "9lives"; must be letters, digits and dashes, at most 40, a letter first'],
    [{ findBehind: { memoryMb: 64 } }, 'findBehind.memoryMb: got 64; must be a whole number from 128 to 3008'],
    [{ findBehind: { every: 'day' } }, 'findBehind.every: got "day"; must be one of: loop, minute'],
    [
      { tables: { heartbeats: { billing: 'free' } } },
      /^tables\.heartbeats\.billing: got "free"; must have billing: on-/,
    ],
    [{ tables: { registry: { write: { min: 5 } } } }, /^tables\.registry\.write: got unknown key "write"; remove it/],
    [
      { tables: { registry: { billing: 'provisioned', write: { min: 500 } } } },
      'tables.registry.write.min: got 500; must be at most write.max 400: autoscaling starts from it',
    ],
    [
      { tables: { heartbeats: { warmThroughput: { writeUnits: 100 } } } },
      'tables.heartbeats.warmThroughput.writeUnits: got 100; must be a whole number from 4000 to 1000000',
    ],
    [
      { api: { auth: 'jwt', issuer: 'http://issuer.example', audience: ['holdfast'] } },
      'api.issuer: got "http://issuer.example"; must be the https:// address of an OpenID Connect issuer',
    ],
    [
      { api: { auth: 'jwt', issuer: 'https://issuer.example', audience: [] } },
      'api.audience: got an empty list; must name at least one audience',
    ],
    [{ api: { auth: 'none' } }, 'api.auth: got "none"; must have auth: iam, or auth: jwt with issuer and audience'],
    [{ api: { auth: 'iam', issuer: 'https://x.example' } }, /^api\.issuer: got unknown key "issuer"; remove it/],
    [{ pages: { emails: ['nobody'] } }, 'pages.emails[0]: got "nobody"; must be an e-mail address'],
    [
      { pages: { emails: ['a@x.example', 'ops@x.example', 'Ops@x.example'] } },
      'pages.emails[2]: got "Ops@x.example"; remove it: pages.emails[1] is the same address',
    ],
    [{ logRetentionDays: 8 }, /^logRetentionDays: got 8; must be one of: 1, 3, 5, 7, 14/],
    [{ alarms: { silentMinutes: 1 } }, 'alarms.silentMinutes: got 1; must be a whole number from 2 to 60'],
    [{ offCloud: { trustAnchorArn: 'x' } }, /^offCloud\.trustAnchorArn: got "x"; must be the ARN of a trust anchor/],
    [{ definitions: [7] }, /^definitions\[0\]: got 7; must be the path of a definition/],
    [{ dashbord: false }, /^dashbord: got unknown key "dashbord"; remove it; known here: name, tables/],
    [[], /^document: got an empty list; must be a mapping of/],
    ['fast', /^document: got "fast"; must be a mapping of/],
  ])('%j', (input, says) => {
    const problems = problemsOf(input);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toEqual(typeof says === 'string' ? says : expect.stringMatching(says));
  });

  test('everything at once', () => {
    const problems = problemsOf({ name: '', logRetentionDays: 2, api: { auth: 'jwt' } });
    expect(problems.map((text) => text.split(':')[0])).toEqual([
      'name',
      'api.issuer',
      'api.audience',
      'logRetentionDays',
    ]);
  });

  test('with the line where it stands', () => {
    const read = readSettings({ name: '9' }, () => ({ file: 'holdfast.yaml', line: 3, column: 7 }));
    expect(read).toMatchObject({ ok: false, problems: [{ path: 'name', file: 'holdfast.yaml', line: 3, column: 7 }] });
  });
});
