/**
 * Plain JSON as native DynamoDB attributes, both ways, and as text.
 *
 * The SDK's own converter is not used: it takes a key named `constructor` for a class, drops `undefined` out
 * of lists so that what follows moves up, and refuses numbers beyond 2^53. Here the result is what JSON.stringify would keep,
 * with numbers exact (17 significant digits fit DynamoDB's 38).
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { invariant } from '../../core/failures/invariant.ts';

export type Item = Record<string, AttributeValue>;

export function toAttribute(value: unknown): AttributeValue {
  switch (typeof value) {
    case 'string':
      return { S: value };
    case 'boolean':
      return { BOOL: value };
    case 'number':
      invariant(Number.isFinite(value), `only finite numbers can be stored, got ${value}`);
      return { N: String(value) };
    case 'object':
      if (value === null) return { NULL: true };
      if (Array.isArray(value)) return { L: value.map((entry: unknown) => toAttribute(entry ?? null)) };
      return { M: toItem(value) };
    case 'bigint':
    case 'function':
    case 'symbol':
    case 'undefined':
    default:
      throw new Error(`invariant violated: only JSON can be stored, got ${typeof value}`);
  }
}

/** The same as text: what JSON.stringify keeps, but a number that is not finite is a bug and not null. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'number') invariant(Number.isFinite(inner), `only finite numbers can be stored, got ${inner}`);
    return inner;
  }) as string | undefined; // For what is no JSON at all; the declaration leaves it out.
  invariant(text !== undefined, `only JSON can be stored, got ${typeof value}`);
  return text;
}

/** Fields that are `undefined` are left out, as JSON does. */
export function toItem(value: object): Item {
  const present = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(present.map(([name, field]) => [name, toAttribute(field)]));
}

export function fromAttribute(attribute: AttributeValue): unknown {
  if (attribute.S !== undefined) return attribute.S;
  if (attribute.N !== undefined) return Number(attribute.N);
  if (attribute.BOOL !== undefined) return attribute.BOOL;
  if (attribute.NULL !== undefined) return null;
  if (attribute.L !== undefined) return attribute.L.map(fromAttribute);
  if (attribute.M !== undefined) return fromItem(attribute.M);
  // Sets and binary are never written here. Somebody's hand did it, and the parser will refuse the field.
  return undefined;
}

export function fromItem(item: Item): Record<string, unknown> {
  return Object.fromEntries(Object.entries(item).map(([name, attribute]) => [name, fromAttribute(attribute)]));
}
