/** Client of the fleet's loopback server: breaks things in a running local system. */
import * as z from 'zod';
import { HaError, failureCode, messageOf } from '../../core/failures/failures.ts';
import type { Fault, FaultDone } from './faults.ts';

const REQUEST_MS = 30_000;

const Done = z.object({ signalled: z.number().nullable() });
const Refused = z.object({ error: z.string(), message: z.string() });

export async function causeByHttp(
  fleet: { readonly fleetUrl: string; readonly token: string },
  fault: Fault,
): Promise<FaultDone> {
  const headers = { authorization: `Bearer ${fleet.token}`, 'content-type': 'application/json' };
  const request = { method: 'POST', headers, body: JSON.stringify(fault), signal: AbortSignal.timeout(REQUEST_MS) };
  let answer: { readonly ok: boolean; readonly text: string };
  try {
    const response = await fetch(`${fleet.fleetUrl}/break`, request);
    answer = { ok: response.ok, text: await response.text() };
  } catch (error) {
    const cause: unknown = error instanceof Error ? (error.cause ?? error) : error;
    throw new HaError('store_unavailable', `no answer from the local system (${messageOf(cause)}): does it run?`);
  }
  if (answer.ok) return Done.parse(JSON.parse(answer.text));
  const { error, message } = Refused.parse(JSON.parse(answer.text));
  throw new HaError(failureCode({ code: error }) ?? 'conflict', message);
}
