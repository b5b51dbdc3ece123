/** The one middy chain: an event is parsed once, strictly, before any handler sees it. */
import middy from '@middy/core';
import * as z from 'zod';
import { HaError } from '../../core/failures/failures.ts';

/** A handler as Lambda and the local driver call it: JSON in, JSON out, faults thrown with their code as `name`. */
export type Handler<Output> = (event: unknown, context?: unknown) => Promise<Output>;

/** Longest excerpt of a bad value in a message. */
const EXCERPT_MAX = 200;

export function edge<Input, Output>(
  schema: z.ZodType<Input>,
  handle: (input: Input) => Promise<Output>,
): Handler<Output> {
  const chain = middy<unknown, Output>()
    .before((request) => {
      request.event = { parsed: parseEvent(schema, request.event) };
    })
    .handler((event) => handle((event as { parsed: Input }).parsed));
  const signal = new AbortController().signal; // Time limits are the workflow's and Lambda's own.
  return async (event, context) => {
    const output = await chain(event, (context ?? {}) as Parameters<typeof chain>[1], { signal });
    return output as Output; // The chain has no step that ends early without an output.
  };
}

export function parseEvent<Input>(schema: z.ZodType<Input>, event: unknown): Input {
  const result = schema.safeParse(event);
  if (result.success) return result.data;
  const issues = innermost(result.error.issues).slice(0, 5);
  const got = (JSON.stringify(event) ?? String(event)).slice(0, EXCERPT_MAX);
  throw new HaError('config_invalid', `malformed event: ${issues.join('; ')}; got ${got}`);
}

/** Of several kinds of value that would do, the one that was missed by least is what the sender meant. */
function innermost(issues: readonly z.core.$ZodIssue[], at: readonly PropertyKey[] = []): readonly string[] {
  return issues.flatMap((issue) => {
    const path = [...at, ...issue.path];
    const kinds = issue.code === 'invalid_union' ? issue.errors.filter((kind) => kind.length > 0) : [];
    const [nearest] = kinds.toSorted((a, b) => a.length - b.length);
    return nearest === undefined ? [`${path.join('.') || 'event'}: ${issue.message}`] : innermost(nearest, path);
  });
}

export const name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/, 'must be a name of lower-case letters, digits and dashes');
export const runName = z.string().min(1).max(80);
export const sessionId = z.string().min(1).max(100);
