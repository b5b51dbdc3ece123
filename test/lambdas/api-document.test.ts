import { describe, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { readFileSync } from 'node:fs';
import { API_ROUTES, apiDocument } from '../../lambdas/api/handler.ts';

describe('the OpenAPI document', () => {
  test('in docs is the one that is served: `node tools/write-openapi.ts` writes it', () => {
    const written: unknown = JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8'));
    expect(written).toEqual(JSON.parse(JSON.stringify(apiDocument())));
  });

  test('is valid OpenAPI 3.1', async () => {
    const document = JSON.parse(JSON.stringify(apiDocument())) as Record<string, unknown>;
    const result = await new Validator().validate(document);
    expect(result.errors).toBeUndefined();
    expect(result.valid).toBe(true);
  });

  test.each(API_ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const))(
    'of %s: examples fit, and parameters are those of the path',
    (_, route) => {
      const { answer, body, params, path } = route;
      if (answer.type === 'application/json' && answer.example !== undefined)
        expect(answer.schema.safeParse(answer.example).success).toBe(true);
      if (body?.kind === 'json') expect(body.schema.safeParse(body.example).success).toBe(true);
      expect([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)).toEqual(Object.keys(params));
    },
  );

  test('every operation asks for the token and refuses in problem documents only', () => {
    const { security, paths } = apiDocument() as {
      security: object[];
      paths: Record<string, Record<string, { responses: Record<string, { content: object }> }>>;
    };
    expect(security).toEqual([{ token: [] }, { iam: [] }, { jwt: [] }]);
    const responses = Object.values(paths).flatMap((item) => Object.values(item).map((one) => one.responses));
    for (const answers of responses) {
      expect(Object.keys(answers)).toEqual(
        expect.arrayContaining(['200', '400', '401', '403', '404', '413', '500', '503']),
      );
      for (const [status, { content }] of Object.entries(answers))
        if (status !== '200') expect(Object.keys(content)).toEqual(['application/problem+json']);
    }
  });
});
