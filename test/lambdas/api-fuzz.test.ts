/** Whatever is asked, the answer is one that the document names: never a 5xx, never a crash, never an undocumented shape. */
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { problemView } from '../../core/protocol/view-schemas.ts';
import { API_ROUTES, apiDocument } from '../../lambdas/api/handler.ts';
import type { Route } from '../../lambdas/api/route.ts';
import { DB, CRON, definitionOf } from './definitions.ts';
import { createWorld, type World } from './world.ts';

jest.setTimeout(120_000); // Thousands of requests, on a machine that others use.

let world: World;
beforeAll(async () => {
  world = await createWorld({ yaml: definitionOf({ hosts: 3, groups: [DB, CRON] }) });
  await world.whole();
});

const word = fc.constantFrom('h1', 'h2', 'h9', 'db', 'cron', 'pair', '0', '1', '499', '500', '-1', '1e3', '', 'x');
const rough = fc.oneof(
  word,
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('\ud800', '__proto__', 'constructor', '\u0000', '%', '..', 'a'.repeat(3_000)),
);
const value: fc.Arbitrary<unknown> = fc.oneof(
  rough,
  fc.boolean(),
  fc.constant(null),
  fc.integer(),
  fc.double(),
  fc.constantFrom([], {}, 1e308, [[[[]]]], 9_007_199_254_740_992),
);
const fields = fc.constantFrom('slot', 'to', 'dryRun', 'reason', 'force', 'confirm', 'haEnabled', 'changes', 'zzz');
const near = fc.oneof(
  fc.record({ slot: fc.nat(3), dryRun: fc.boolean(), to: word }, { requiredKeys: [] }),
  fc.record({ reason: rough, dryRun: fc.boolean(), force: fc.boolean(), confirm: word }, { requiredKeys: [] }),
  fc.record({ haEnabled: fc.boolean(), reason: rough }, { requiredKeys: [] }),
  fc.record({
    changes: fc.array(
      fc.oneof(
        fc.record({ change: fc.constantFrom('host-down', 'host-added', 'definition'), host: value }),
        fc.record({ change: fc.constant('host-down'), host: word }),
        fc.record({ change: fc.constant('host-added'), host: fc.record({ name: word }) }),
        fc.record({ change: fc.constant('definition'), yaml: rough }),
      ),
      { maxLength: 4 },
    ),
  }),
  fc.dictionary(fields, value),
);
const DEEP = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
const body: fc.Arbitrary<Buffer | undefined> = fc.oneof(
  { weight: 6, arbitrary: near.map((json) => Buffer.from(JSON.stringify(json))) },
  fc.json().map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc
    .constantFrom(DEEP, `{"changes":${DEEP}}`, `{"reason":"\\ud800"}`, 'null', '{"slot":1e999}')
    .map((text) => Buffer.from(text)),
  fc.constant(undefined),
);
const query = fc.oneof(
  { weight: 2, arbitrary: fc.constant([]) },
  fc.array(
    fc.tuple(
      fc.oneof({ weight: 5, arbitrary: fc.constantFrom('cluster', 'limit', 'cursor', 'after', 'dryRun') }, rough),
      fc.oneof(rough, fc.constantFrom('pair', '1', '1000', '1001', '00000000000000-x', 'cnVuczp4')),
    ),
    { maxLength: 3 },
  ),
);
const type = fc.constantFrom(
  undefined,
  undefined,
  'application/json',
  'application/json; charset=utf-8',
  'application/yaml',
  'x',
);
const method = fc.oneof(
  { weight: 8, arbitrary: fc.constant('') },
  fc.constantFrom('GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'TRACE', 'constructor'),
);

interface Request {
  readonly route: Route;
  /** Parts of the path; undefined: one that is there. */
  readonly args: readonly (string | undefined)[];
  readonly method: string;
  readonly query: readonly (readonly [string, string])[];
  readonly type: string | undefined;
  readonly body: Buffer | undefined;
}

const request: fc.Arbitrary<Request> = fc.record({
  route: fc.constantFrom(...API_ROUTES),
  args: fc.array(fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, word, rough), {
    minLength: 2,
    maxLength: 2,
  }),
  method,
  query,
  type,
  body,
});

const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());

const THERE: Readonly<Record<string, string>> = { host: 'h2', group: 'db', slot: '0', run: 'place.pair.db.0.e0.1' };

function eventOf(asked: Request): object {
  let at = -1;
  const rawPath = asked.route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encoded(asked.args[(at += 1)] ?? THERE[name] ?? ''),
  );
  return {
    rawPath,
    rawQueryString: asked.query.map(([key, text]) => `${encoded(key)}=${encoded(text)}`).join('&'),
    headers: asked.type === undefined ? {} : { 'content-type': asked.type },
    ...(asked.body === undefined ? {} : { body: asked.body.toString('base64'), isBase64Encoded: true }),
    requestContext: { http: { method: asked.method === '' ? asked.route.method : asked.method } },
  };
}

const documented = apiDocument() as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: object }>>>>;
};

describe('the API, asked anything', () => {
  test('answers as its document says', async () => {
    const statuses = new Map<number, number>();
    await fc.assert(
      fc.asyncProperty(request, async (asked) => {
        const answer = await world.api(eventOf(asked));
        statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1);
        expect(answer.statusCode).toBeLessThan(500);
        const used = asked.method === '' ? asked.route.method : asked.method;
        const route = API_ROUTES.find(({ path, method: known }) => path === asked.route.path && known === used);
        if (answer.statusCode === 204 || asked.method === 'HEAD') return;
        if (answer.statusCode === 200) {
          expect(answer.headers['content-type']).toBe(route?.answer.type);
          if (route?.answer.type !== 'application/json') return;
          expect(route.answer.schema.safeParse(JSON.parse(answer.body)).error).toBeUndefined();
          return;
        }
        expect(answer.headers['content-type']).toBe('application/problem+json');
        const problem = problemView.parse(JSON.parse(answer.body));
        expect(problem.status).toBe(answer.statusCode);
        expect(problem.detail).not.toBe('');
        expect(answer.body.isWellFormed()).toBe(true);
        if (answer.statusCode === 405) expect(answer.headers['allow']).not.toBe('');
        if (route === undefined) return;
        const { responses } = documented.paths[route.path]?.[route.method.toLowerCase()] ?? {};
        expect(Object.keys(responses ?? {})).toContain(String(answer.statusCode));
      }),
      { numRuns: 2_000 },
    );
    // A fuzzer that is refused at the door proves nothing.
    expect(statuses.get(200) ?? 0).toBeGreaterThan(50);
    expect(statuses.get(400) ?? 0).toBeGreaterThan(50);
    expect(statuses.get(404) ?? 0).toBeGreaterThan(10);
    expect(statuses.get(409) ?? 0).toBeGreaterThan(0);
  });
});
