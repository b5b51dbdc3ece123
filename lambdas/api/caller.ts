/**
 * Who asks, as the authoriser in front of the API found out: an IAM principal (SigV4), the subject of a JWT, or what the
 * local server says. Never a header, which a client writes itself.
 */
import * as z from 'zod';
import { HaError } from '../../core/failures/failures.ts';

const text = z.string().nullish();

/** `requestContext.authorizer` of payload 2.0. API Gateway sends claims as texts; what is missing may be null. */
export const Authorizer = z.looseObject({
  iam: z.looseObject({ userArn: text, callerId: text, accountId: text }).nullish(),
  jwt: z.looseObject({ claims: z.record(z.string(), z.unknown()) }).nullish(),
});

export interface Caller {
  readonly name: string;
  /** null: what this caller may do was decided in front of the API (IAM policies, the local token). */
  readonly scopes: ReadonlySet<string> | null;
}

/** A JWT needs it for whatever changes something, unless the deployment names another. */
export const OPERATE_SCOPE = 'holdfast/operate';
const NAME_MAX = 200;

/** null: nobody said who it is. */
export function callerOf(context: {
  readonly authorizer?: z.infer<typeof Authorizer> | null | undefined;
  readonly by?: string | undefined;
}): Caller | null {
  const { iam, jwt } = context.authorizer ?? {};
  const principal = iam?.userArn ?? iam?.callerId;
  if (typeof principal === 'string' && principal !== '') return { name: oneLine(principal), scopes: null };
  if (jwt !== null && jwt !== undefined) return { name: oneLine(subjectOf(jwt.claims)), scopes: scopesOf(jwt.claims) };
  return context.by === undefined ? null : { name: oneLine(context.by), scopes: null };
}

type Claims = Readonly<Record<string, unknown>>;

/** An address that its issuer has not verified may be anybody's: then it is the subject alone. */
function subjectOf(claims: Claims): string {
  const [subject, email] = [claimOf(claims, 'sub'), claimOf(claims, 'email')];
  if (email !== null && String(claims['email_verified']) === 'true')
    return subject === null ? email : `${email} (${subject})`;
  return subject ?? claimOf(claims, 'client_id') ?? 'a token without a subject';
}

function claimOf(claims: Claims, name: string): string | null {
  const value = claims[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

/** `scope` is a text of words (RFC 8693); some issuers have a list in `scp`, which API Gateway writes as `[a b]`. */
function scopesOf(claims: Claims): ReadonlySet<string> {
  const given = [claims['scope'], claims['scp']].flatMap((value) =>
    Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : [],
  );
  return new Set(given.flatMap((words) => words.split(/[\s,[\]]+/)).filter((word) => word !== ''));
}

// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]+/g;

/** It goes into sentences of the event log. */
function oneLine(name: string): string {
  return name.replace(CONTROL, ' ').slice(0, NAME_MAX).toWellFormed();
}

/** Refuses what a JWT has no scope for; IAM has refused before. */
export function requireScope(caller: Caller | null, scope: string, what: string): void {
  if (caller === null || caller.scopes === null || caller.scopes.has(scope)) return;
  throw new HaError(
    'forbidden',
    `${what} needs a token with the scope ${scope}; this one, of ${caller.name}, may only look`,
  );
}
