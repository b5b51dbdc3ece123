/** The IAM policies that docs/operating/api.md gives to operators allow what it says, route by route. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { API_ROUTES } from '../../lambdas/api/handler.ts';
import { PolicyDocument } from '../../lib/permissions/granted.ts';
import { evaluate } from '../lib/permissions/evaluate.ts';

const page = readFileSync(new URL('../../docs/operating/api.md', import.meta.url), 'utf8');
const [looking, operating] = [...page.matchAll(/```json\n(\{\n {2}"Version"[\s\S]*?)```/g)].map(([, text = '']) =>
  PolicyDocument.parse(JSON.parse(text)),
);
const STAGE = 'arn:aws:execute-api:eu-central-1:111122223333:abc123/$default';

const may = (policy: PolicyDocument | undefined, method: string, path: string) =>
  evaluate(policy === undefined ? [] : [policy], { action: 'execute-api:Invoke', on: `${STAGE}/${method}${path}` });

describe.each(API_ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const))('%s', (_, route) => {
  const path = route.path.replaceAll(/\{\w+\}/g, 'x');

  test('may be asked by who operates, and by who looks if it changes nothing', async () => {
    expect(await may(operating, route.method, path)).toBe('yes');
    const changes = route.method === 'POST' && route.id !== 'simulate';
    expect(await may(looking, route.method, path)).toBe(changes ? 'no' : 'yes');
  });
});

test("the console's files may be had by both, another API by neither", async () => {
  for (const policy of [looking, operating]) {
    expect(await may(policy, 'GET', '/index.html')).toBe('yes');
    expect(await may(policy, 'HEAD', '/console-0123ABCD.js')).toBe('yes');
    const elsewhere = { action: 'execute-api:Invoke', on: `${STAGE.replace('abc123', 'other')}/GET/index.html` };
    expect(await evaluate(policy === undefined ? [] : [policy], elsewhere)).toBe('no');
  }
});
