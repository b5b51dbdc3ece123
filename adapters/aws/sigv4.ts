/**
 * Requests to an API behind IAM, signed by the operator's own AWS credentials (Signature Version 4). Loaded only where
 * something is to be signed: no other command pays for reading the SDK.
 */
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { Hash } from '@smithy/hash-node';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { HaError } from '../../core/failures/failures.ts';
import type { Authorize, Outgoing } from '../node/api-request.ts';
import { reasonOf } from './bounded-call.ts';
import type { Keys } from './steady-credentials.ts';

export interface SigV4Options {
  readonly region: string;
  /** Without them: environment, profile, SSO, container or instance role, in the SDK's order; fetched anew before they end. */
  readonly credentials?: () => Promise<Keys>;
  readonly now?: () => Date;
}

const SERVICE = 'execute-api';

export function sigV4({ region, credentials = defaultProvider(), now = () => new Date() }: SigV4Options): Authorize {
  const found = async (): Promise<Keys> => {
    try {
      return await credentials();
    } catch (error) {
      throw noCredentials(error);
    }
  };
  const signer = new SignatureV4({ service: SERVICE, region, credentials: found, sha256: Hash.bind(null, 'sha256') });
  const authorize = async ({ method, url, headers, body }: Outgoing): Promise<Readonly<Record<string, string>>> => {
    const request = new HttpRequest({
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: queryOf(url),
      // What the signature covers cannot be changed on the way; `fetch` adds others, which it does not cover.
      headers: { ...headers, host: url.host },
      ...(body === undefined ? {} : { body }),
    });
    const signed = await signer.sign(request, { signingDate: now() });
    const added = Object.entries(signed.headers).filter(([name]) => name !== 'host' && !(name in headers));
    return Object.fromEntries(added);
  };
  return Object.assign(authorize, { isSigning: true });
}

/** Values in the order in which they are given: the canonical form sorts them. */
function queryOf(url: URL): Record<string, string | string[]> {
  const names = new Set(url.searchParams.keys());
  return Object.fromEntries([...names].map((name) => [name, url.searchParams.getAll(name)]));
}

function noCredentials(error: unknown): HaError {
  const { text } = reasonOf(error);
  const change = 'set AWS_PROFILE, or sign in, for example by `aws sso login`; for an API behind a JWT give --token';
  return new HaError('unauthorized', `there are no AWS credentials to sign with (${text.slice(0, 300)}): ${change}`, {
    cause: error,
  });
}
