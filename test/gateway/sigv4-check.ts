/**
 * Signature Version 4 from the other side, written after AWS's description of it and with nothing of the SDK: what it
 * accepts was signed as AWS wants it. (The published vector of AWS's own test suite is checked beside its use.)
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export interface SignedRequest {
  readonly method: string;
  /** As on the wire: path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Key {
  readonly secret: string;
  readonly sessionToken?: string;
}

export type Checked = { readonly ok: true; readonly accessKey: string } | { readonly ok: false; readonly why: string };

const SKEW_MAX_MS = 5 * 60_000;

export function checkSigV4(
  request: SignedRequest,
  options: {
    readonly keys: ReadonlyMap<string, Key>;
    readonly region: string;
    readonly service: string;
    readonly nowMs: number;
  },
): Checked {
  const { headers } = request;
  const parsed =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/.exec(
      headers['authorization'] ?? '',
    );
  if (parsed === null) return { ok: false, why: 'Missing Authentication Token' };
  const [, accessKey = '', day = '', region = '', service = '', signedNames = '', signature = ''] = parsed;
  const key = options.keys.get(accessKey);
  if (key === undefined || headers['x-amz-security-token'] !== key.sessionToken)
    return { ok: false, why: 'The security token included in the request is invalid.' };
  if (region !== options.region || service !== options.service)
    return { ok: false, why: `Credential should be scoped to a valid region, not '${region}'.` };
  const names = signedNames.split(';');
  if (!names.includes('host')) return { ok: false, why: 'the signature covers no host' };
  if (headers['x-amz-security-token'] !== undefined && !names.includes('x-amz-security-token'))
    return { ok: false, why: 'the signature does not cover the session' };
  const at = headers['x-amz-date'] ?? '';
  const canonical = canonicalOf(request, names);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', at, scope, sha256(canonical)].join('\n');
  const signingKey = [day, region, service, 'aws4_request'].reduce(
    (secret: string | Buffer, part) => hmac(secret, part),
    `AWS4${key.secret}`,
  );
  const expected = hmac(signingKey, toSign);
  if (!timingSafeEqual(expected, Buffer.from(signature, 'hex')))
    return { ok: false, why: 'The request signature we calculated does not match the signature you provided.' };
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(at) ?? [];
  const signedAtMs = Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
  if (!(Math.abs(options.nowMs - signedAtMs) <= SKEW_MAX_MS))
    return { ok: false, why: `Signature expired: ${at} is now earlier than the clock of this side allows` };
  return { ok: true, accessKey };
}

function canonicalOf({ method, target, headers, body }: SignedRequest, names: readonly string[]): string {
  const [path = '/', query = ''] = target.split('?', 2);
  return [
    method,
    // Every segment is encoded once more than on the wire (all services but S3).
    path.split('/').map(encoded).join('/'),
    [...new URLSearchParams(query)]
      .map(([name, value]) => [encoded(name), encoded(value)] as const)
      .toSorted(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1))
      .map(([name, value]) => `${name}=${value}`)
      .join('&'),
    ...names.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    names.join(';'),
    sha256(body),
  ].join('\n');
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
