/**
 * Lambda hands over at most 6 MB, counted as the JSON of the whole answer: what is long goes out compressed to whoever takes
 * that, and what is too long all the same is refused here, in words, instead of by the platform's 500.
 */
import { gzipSync } from 'node:zlib';
import { HaError } from '../../core/failures/failures.ts';
import type { HttpAnswer } from './http.ts';

/** Below this, compressing costs more than it saves. */
const PLAIN_BYTES_MAX = 32 * 1024;
/** Lambda's limit is 6 291 556 bytes. */
export const ANSWER_BYTES_MAX = 6_000_000;

export function sized(answer: HttpAnswer, acceptEncoding: string | undefined): HttpAnswer {
  const packed = takesGzip(acceptEncoding) && answer.body.length > PLAIN_BYTES_MAX ? compressed(answer) : answer;
  // A character is at most six bytes in JSON: what is short needs no counting.
  if (packed.body.length * 6 > ANSWER_BYTES_MAX && Buffer.byteLength(JSON.stringify(packed)) > ANSWER_BYTES_MAX) {
    const change = 'ask for less by `limit`, or accept gzip';
    throw new HaError('limit_exceeded', `the answer is larger than ${ANSWER_BYTES_MAX} bytes: ${change}`);
  }
  return packed;
}

function takesGzip(acceptEncoding = ''): boolean {
  return acceptEncoding.split(',').some((part) => /^\s*gzip\s*(;\s*q=(1(\.0*)?|0\.\d*[1-9]\d*)\s*)?$/i.test(part));
}

function compressed({ statusCode, headers, body, isBase64Encoded = false }: HttpAnswer): HttpAnswer {
  return {
    statusCode,
    headers: { ...headers, 'content-encoding': 'gzip', vary: 'accept-encoding' },
    body: gzipSync(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8')).toString('base64'),
    isBase64Encoded: true,
  };
}
