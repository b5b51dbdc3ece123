/** A bearer token by a command of the operator's (`--token-command`): run when it is needed, and again before it ends. */
import { exec } from 'node:child_process';
import { HaError, messageOf } from '../../core/failures/failures.ts';
import type { Authorize } from './api-request.ts';

const RUN_MS = 60_000;
const OUTPUT_BYTES_MAX = 64 * 1024;
/** Of a token that does not say when it ends. */
const KEPT_MS = 5 * 60_000;
/** A token is on its way for a while, and clocks differ. */
const MARGIN_MS = 60_000;

export function tokenFromCommand(command: string, now: () => number = Date.now): Authorize {
  let kept: { readonly token: Promise<string>; untilMs: number } | undefined;
  const token = (): Promise<string> => {
    if (kept !== undefined && now() < kept.untilMs) return kept.token;
    // Many requests at once run it once.
    const fresh = { token: output(command), untilMs: Number.POSITIVE_INFINITY };
    kept = fresh;
    fresh.token.then(
      (text) => void (fresh.untilMs = (expiryOf(text) ?? now() + KEPT_MS + MARGIN_MS) - MARGIN_MS),
      () => void (kept = undefined),
    );
    return fresh.token;
  };
  const authorize = async (): Promise<Readonly<Record<string, string>>> => ({
    authorization: `Bearer ${await token()}`,
  });
  return Object.assign(authorize, { isSigning: false });
}

/** It is the operator's own shell line, as in `git config credential.helper`. What it says on standard error is shown. */
function output(command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    exec(command, { timeout: RUN_MS, maxBuffer: OUTPUT_BYTES_MAX }, (error, stdout, stderr) => {
      const token = stdout.trim();
      const said = stderr.trim().slice(-300) || (error === null ? '' : messageOf(error));
      if (error === null && /^[\x21-\x7e]+$/.test(token)) return resolve(token);
      const why = error === null ? 'printed no token: one word on standard output is expected' : `failed (${said})`;
      reject(new HaError('unauthorized', `the token command ${JSON.stringify(command.slice(0, 200))} ${why}`));
    });
  });
}

/** `exp` of a JWT, in milliseconds; null: it is none, or does not say. */
function expiryOf(token: string): number | null {
  const [, claims] = token.split('.');
  try {
    const { exp } = JSON.parse(Buffer.from(claims ?? '', 'base64url').toString('utf8')) as { exp?: unknown };
    return typeof exp === 'number' ? exp * 1_000 : null;
  } catch {
    return null;
  }
}
