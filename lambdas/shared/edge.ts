/**
 * The one middy chain: whose work it is is noted first, then the event is parsed, once and strictly, before any handler sees
 * it; however it ends, failures are logged with their code, and what was measured is emitted.
 */
import middy from '@middy/core';
import * as z from 'zod';
import { HaError } from '../../core/failures/failures.ts';
import type { ControlPorts } from './ports.ts';

/** A handler as Lambda and the local driver call it: JSON in, JSON out, faults thrown with their code as `name`. */
export type Handler<Output> = (event: unknown, context?: unknown) => Promise<Output>;

/** Longest excerpt of a bad value in a message. */
const EXCERPT_MAX = 200;

/** What the chain reports through. */
export type EdgePorts = Pick<ControlPorts, 'metrics' | 'invocations'>;

export function edge<Input, Output>(
  { metrics, invocations }: EdgePorts,
  schema: z.ZodType<Input>,
  handle: (input: Input) => Promise<Output>,
): Handler<Output> {
  const chain = middy<unknown, Output>()
    .before((request) => {
      invocations?.begun(request.context, runOf(request.event));
      request.event = { parsed: parseEvent(schema, request.event) };
    })
    .after(() => metrics.flush())
    .onError((request) => {
      invocations?.failed(request.error);
      metrics.flush();
    })
    .handler((event) => handle((event as { parsed: Input }).parsed));
  const signal = new AbortController().signal; // Time limits are the workflow's and Lambda's own.
  return async (event, context) => {
    const output = await chain(event, (context ?? {}) as Parameters<typeof chain>[1], { signal });
    return output as Output; // The chain has no step that ends early without an output.
  };
}

/** Steps of the workflow say which run they belong to; nothing else of an event is looked at before it is parsed. */
function runOf(event: unknown): string | null {
  if (typeof event !== 'object' || event === null || !('run' in event)) return null;
  return runName.safeParse(event.run).data ?? null;
}

export function parseEvent<Input>(schema: z.ZodType<Input>, event: unknown): Input {
  const result = schema.safeParse(event);
  if (result.success) return result.data;
  const issues = innermost(result.error.issues).slice(0, 5);
  const got = (JSON.stringify(event, withoutSecrets) ?? String(event)).slice(0, EXCERPT_MAX);
  throw new HaError('config_invalid', `malformed event: ${issues.join('; ')}; got ${got}`);
}

/** Messages are logged, and answered to whoever sent the event. */
function withoutSecrets(key: string, value: unknown): unknown {
  return /authorization|cookie|token|secret|password|credential/i.test(key) ? '…' : value;
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
