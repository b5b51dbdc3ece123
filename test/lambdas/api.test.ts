import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { FAILURES } from '../../core/failures/failures.ts';
import { PAIR } from './definitions.ts';
import { createWorld, World } from './world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

let world: World;
beforeAll(async () => {
  world = await createWorld({ yaml: PAIR });
  await world.whole();
});

interface Problem {
  readonly status: number;
  readonly code: keyof typeof FAILURES;
  readonly detail: string;
  readonly type: string;
  readonly problems?: readonly { readonly path: string; readonly change: string }[];
}

async function refused(event: {
  method: string;
  path: string;
  body?: string;
  isBase64Encoded?: boolean;
}): Promise<Problem> {
  const before = world.dump();
  const [rawPath = '', rawQueryString = ''] = event.path.split('?');
  const { body, isBase64Encoded = false } = event;
  const answer = await world.api({
    rawPath,
    rawQueryString,
    body,
    isBase64Encoded,
    requestContext: { http: { method: event.method } },
  });
  expect(answer.headers['content-type']).toBe('application/problem+json');
  const problem = JSON.parse(answer.body) as Problem;
  expect(problem.status).toBe(answer.statusCode);
  if (answer.statusCode === 405) expect(problem.code).toBe('not_found');
  else expect(FAILURES[problem.code].http).toBe(answer.statusCode);
  expect(problem.type).toBe(`urn:holdfast:${problem.code}`);
  expect(problem.detail.length).toBeLessThan(1_000);
  expect(world.dump()).toBe(before);
  return problem;
}

describe('what is refused changes nothing and says why', () => {
  test.each([
    ['an unknown path', 'GET', '/api/v1/nothing', undefined, 404, '/api/v1/nothing'],
    ['the root', 'GET', '/', undefined, 404, 'nothing at /'],
    ['a path that climbs', 'GET', '/api/v1/../status', undefined, 404, 'nothing at'],
    ['a wrong method', 'DELETE', '/api/v1/definition', undefined, 405, 'takes GET, HEAD, OPTIONS, POST, not DELETE'],
    ['another wrong method', 'GET', '/api/v1/groups/db/move', undefined, 405, 'takes POST, OPTIONS, not GET'],
    ['limit 0', 'GET', '/api/v1/runs?limit=0', undefined, 400, 'from 1 to 1000, got 0'],
    ['limit 1001', 'GET', '/api/v1/runs?limit=1001', undefined, 400, 'got 1001'],
    ['limit NaN', 'GET', '/api/v1/runs?limit=many', undefined, 400, 'got many'],
    ['limit 1.5', 'GET', '/api/v1/events?limit=1.5', undefined, 400, 'got 1.5'],
    ['an empty limit', 'GET', '/api/v1/runs?limit=', undefined, 400, 'from 1 to 1000'],
    ['a bad escape', 'GET', '/api/v1/runs/%E0%A4%A', undefined, 400, 'bad escape'],
    ['an unknown cluster', 'GET', '/api/v1/status?cluster=nowhere', undefined, 404, 'nowhere'],
    ['an unknown run', 'GET', '/api/v1/runs/none', undefined, 404, 'no run none'],
    ['an unknown group', 'POST', '/api/v1/groups/none/move', '{"slot":0}', 404, 'no group none; there are db'],
    ['an unknown slot', 'POST', '/api/v1/groups/db/move', '{"slot":7}', 404, 'no slot 7'],
    ['no JSON', 'POST', '/api/v1/groups/db/move', '{"slot":', 400, 'not JSON'],
    ['no body', 'POST', '/api/v1/groups/db/move', undefined, 400, 'not JSON'],
    ['a slot that is text', 'POST', '/api/v1/groups/db/move', '{"slot":"0"}', 400, 'slot: '],
    ['a negative slot', 'POST', '/api/v1/groups/db/move', '{"slot":-1}', 400, 'slot: '],
    ['an unknown field', 'POST', '/api/v1/groups/db/move', '{"slot":0,"force":true}', 400, 'force'],
    ['JSON that is a list', 'POST', '/api/v1/groups/db/move', '[]', 400, 'must be a mapping of: slot'],
    ['a prototype', 'POST', '/api/v1/groups/db/move', '{"slot":0,"__proto__":{"to":"h2"}}', 400, '__proto__'],
  ] as const)('%s', async (_, method, path, body, status, words) => {
    const problem = await refused({ method, path, ...(body === undefined ? {} : { body }) });
    expect(problem.status).toBe(status);
    expect(problem.detail).toContain(words);
  });

  test('a body over 1 MiB, as text and as base64', async () => {
    const body = 'a'.repeat(1024 * 1024 + 1);
    expect((await refused({ method: 'POST', path: '/api/v1/definition', body })).status).toBe(413);
    expect((await refused({ method: 'POST', path: '/api/v1/groups/db/move', body })).status).toBe(413);
    const base64 = Buffer.from(body).toString('base64');
    expect(
      (await refused({ method: 'POST', path: '/api/v1/definition', body: base64, isBase64Encoded: true })).status,
    ).toBe(413);
  });

  test('a bad definition: every problem with its place and the change to make', async () => {
    const body = PAIR.replace('profile: demo', 'profile: lightspeed').replace(
      'active: 1, standby: 1',
      'active: 5, standby: 1',
    );
    const problem = await refused({ method: 'POST', path: '/api/v1/definition', body });
    expect(problem.status).toBe(400);
    expect(problem.detail).toContain('nothing was changed');
    expect(problem.problems?.length).toBeGreaterThan(0);
    for (const { path, change } of problem.problems ?? [])
      expect(typeof path === 'string' && change.length > 0).toBe(true);
  });

  test.each([
    ['nothing', ''],
    ['text that is no YAML', 'a: [b\nc: }'],
    ['YAML that is no definition', 'hello'],
    ['a list', '- 1\n- 2'],
    ['a null byte', 'a: \u0000'],
  ])('a definition of %s', async (_, body) => {
    const problem = await refused({ method: 'POST', path: '/api/v1/definition', body });
    expect(problem.code).toBe('config_invalid');
    expect(problem.problems?.length).toBeGreaterThan(0);
  });

  test('garbage bytes', async () => {
    for (const bytes of [
      gzipSync(PAIR),
      Buffer.from([0xff, 0xfe, 0x00, 0x80]),
      Buffer.from(Array.from({ length: 4_096 }, (_, at) => (at * 131) % 256)),
    ]) {
      const problem = await refused({
        method: 'POST',
        path: '/api/v1/definition',
        body: bytes.toString('base64'),
        isBase64Encoded: true,
      });
      expect(problem.code).toBe('config_invalid');
    }
  });

  test('a bug is not told to the caller, but to the log', async () => {
    const broken = new World();
    await broken.apply(PAIR);
    broken.faults = () => {
      throw new TypeError('secret of the inside');
    };
    const answer = await broken.http('GET', '/api/v1/status');
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('secret');
    expect(broken.logged.some((line) => line.includes('secret'))).toBe(true);
  });
});

describe('what is asked for', () => {
  const get = async (path: string): Promise<Record<string, unknown>> => {
    const answer = await world.http('GET', path);
    expect(answer.statusCode).toBe(200);
    return JSON.parse(answer.body) as Record<string, unknown>;
  };

  test('status, runs, a run and events tell one story', async () => {
    const { hosts, groups } = (await get('/api/v1/status')) as {
      hosts: { name: string; status: string }[];
      groups: { slots: { owner: string; epoch: number }[] }[];
    };
    expect(hosts.map(({ name, status }) => [name, status])).toEqual([
      ['h1', 'Up'],
      ['h2', 'Up'],
    ]);
    expect(groups[0]?.slots[0]).toMatchObject({ owner: world.owner('db/0'), epoch: 1, phase: 'Active' });
    const { runs } = (await get('/api/v1/runs')) as { runs: { run: string; outcome: string }[] };
    expect(runs).toHaveLength(1);
    expect(runs[0]?.outcome).toBe('Placed');
    const story = (await get(`/api/v1/runs/${runs[0]?.run ?? ''}`)) as { steps: { n: number; step: string }[] };
    expect(story.steps.map(({ n }) => n)).toEqual(story.steps.map((_, at) => at + 1));
    const { events } = (await get('/api/v1/events?limit=100')) as { events: { id: string; kind: string }[] };
    expect(events.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['definition.applied', 'host.session', 'slot.owner', 'slot.active', 'run.closed']),
    );
    expect(events.map(({ id }) => id)).toEqual(events.map(({ id }) => id).toSorted());
    const after = (await get(`/api/v1/events?limit=2&after=${events[0]?.id ?? ''}`)) as { events: { id: string }[] };
    expect(after.events.map(({ id }) => id)).toEqual(events.slice(1, 3).map(({ id }) => id));
  });

  test('applying the same definition changes nothing; a dry run writes nothing', async () => {
    const before = world.dump();
    const same = JSON.parse((await world.http('POST', '/api/v1/definition', PAIR)).body) as object;
    expect(same).toMatchObject({ rev: 1, changed: false, diff: [] });
    const changed = PAIR.replace('every: 1s', 'every: 2s');
    const dry = JSON.parse((await world.http('POST', '/api/v1/definition?dryRun=1', changed)).body) as object;
    expect(dry).toMatchObject({ rev: 2, changed: true });
    const move = JSON.parse((await world.http('POST', '/api/v1/groups/db/move', '{"slot":0,"dryRun":true}')).body) as {
      run: null;
      plan: string[];
    };
    expect(move.run).toBeNull();
    expect(move.plan).toHaveLength(3);
    expect(world.dump()).toBe(before);
  });

  test('two definitions applied at once: one stands whole, the other is refused or follows; never half of each', async () => {
    const both = new World();
    await both.apply(PAIR);
    const [left, right] = [PAIR.replace('every: 1s', 'every: 3s'), PAIR.replace('timeout: 2s', 'timeout: 4s')];
    const answers = await Promise.all([
      both.http('POST', '/api/v1/definition', left),
      both.http('POST', '/api/v1/definition', right),
    ]);
    expect(answers.map(({ statusCode }) => statusCode).toSorted()).toEqual([200, 409]);
    const [service] = both.definition.groups[0]?.services ?? [];
    expect([
      [3_000, 2_000],
      [1_000, 4_000],
    ]).toContainEqual([service?.monitor.everyMs, service?.actions.start.timeoutMs]);
  });
});
