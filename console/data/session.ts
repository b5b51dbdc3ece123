/** Who is reading: handed over by the local front door or `holdfast console`, or a token typed in. Kept for this tab only. */
import * as z from 'zod';
import { AskFailure, request, statusOf } from './ask.ts';
import { handedToken } from './handed-token.ts';

export interface Session {
  readonly token: string;
  /** The front door of `npm start`: things may be broken here. */
  readonly isLocal: boolean;
}

const LocalSession = z.looseObject({ token: z.string(), local: z.boolean() });
const KEPT = 'holdfast.token';
let isHandedTaken = false;

/** null: sign in. Throws AskFailure while nobody answers. */
export async function openSession(): Promise<Session | null> {
  if (handedToken !== null && !isHandedTaken) {
    isHandedTaken = true;
    return keepToken(handedToken);
  }
  try {
    const { token, local } = LocalSession.parse(await request(null, 'GET', '/local/session'));
    return { token, isLocal: local };
  } catch (error) {
    const status = statusOf(error);
    if (error instanceof AskFailure && (status === 0 || status >= 500)) throw error;
    const kept = sessionStorage.getItem(KEPT);
    return kept === null ? null : { token: kept, isLocal: false };
  }
}

export function keepToken(token: string): Session {
  sessionStorage.setItem(KEPT, token);
  return { token, isLocal: false };
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEPT);
}
