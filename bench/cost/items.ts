/** Sizes of items as DynamoDB counts them: names and values in UTF-8, numbers by their digits, a little for each list and map. */
import * as z from 'zod';
import { HaError } from '../../core/failures/failures.ts';

type Value = Readonly<Record<string, unknown>>;
const Scanned = z.looseObject({ Items: z.array(z.record(z.string(), z.record(z.string(), z.unknown()))) });

export type Item = Readonly<Record<string, Value>>;

export async function scanItems(emulatorUrl: string, table: string): Promise<readonly Item[]> {
  const response = await fetch(emulatorUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.Scan',
      'x-amz-date': '20260101T000000Z',
      // The emulator wants a signature and reads none.
      authorization:
        'AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=none',
    },
    body: JSON.stringify({ TableName: table }),
  });
  const text = await response.text();
  if (!response.ok) throw new HaError('store_unavailable', `scan of ${table}: ${text.slice(0, 300)}`);
  return Scanned.parse(JSON.parse(text)).Items;
}

const CONTAINER_BYTES = 3;
const ELEMENT_BYTES = 1;

export function itemBytes(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);
}

function valueBytes(value: Value): number {
  const [[type, content] = ['NULL', true]] = Object.entries(value);
  switch (type) {
    case 'S':
      return Buffer.byteLength(String(content));
    case 'N':
      return Math.ceil(String(content).replace(/[-+.]/g, '').length / 2) + 1;
    case 'B':
      return Buffer.from(String(content), 'base64').length;
    case 'L':
      return sum(content as readonly Value[], (element) => ELEMENT_BYTES + valueBytes(element));
    case 'M':
      return sum(
        Object.entries(content as Item),
        ([name, field]) => ELEMENT_BYTES + Buffer.byteLength(name) + valueBytes(field),
      );
    default:
      return 1;
  }
}

function sum<T>(elements: readonly T[], bytes: (element: T) => number): number {
  return elements.reduce((total, element) => total + bytes(element), CONTAINER_BYTES);
}
