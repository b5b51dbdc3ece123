/** Definitions are stored compressed: one immutable item of at most 300 KB (DynamoDB's limit is 400 KB for a whole item). */
import { gunzipSync, gzipSync } from 'node:zlib';
import { HaError } from '../../core/failures/failures.ts';

export const PACKED_BYTES_MAX = 300 * 1024;
/** Guards against a stored item that unpacks to more than any definition can hold. */
const UNPACKED_BYTES_MAX = 32 * 1024 * 1024;

export function pack(value: unknown): string {
  const packed = gzipSync(JSON.stringify(value)).toString('base64');
  if (packed.length <= PACKED_BYTES_MAX) return packed;
  const change = 'split it into several clusters';
  throw new HaError(
    'limit_exceeded',
    `the definition packs to ${packed.length} bytes, at most ${PACKED_BYTES_MAX} are stored; ${change}`,
  );
}

export function unpack(packed: string): unknown {
  return JSON.parse(
    gunzipSync(Buffer.from(packed, 'base64'), { maxOutputLength: UNPACKED_BYTES_MAX }).toString('utf8'),
  );
}
