/**
 * `events`, `runs` and `run ID` with `--follow`: the API's stream, and what was before it. At each connection the stream
 * is opened first and the past asked for second, so that nothing falls between the two; what comes twice is shown once.
 */
import type { ApiClient } from '../../adapters/node/api-client.ts';
import { FAILURES, failureCode, messageOf } from '../../core/failures/failures.ts';
import type { StreamMessage } from '../../core/protocol/views.ts';
import type { CliIo } from '../io.ts';

/** Between two attempts, and between two looks where the API has no stream. */
const PAUSE_MS = 1000;

export interface Follower {
  /** What was before, asked for whenever a stream stands. False: seen enough. */
  catchUp(client: ApiClient): Promise<boolean>;
  /** False: seen enough. */
  take(message: StreamMessage): boolean;
  /** Of the last event, for a stream that goes on from there. */
  lastEventId(): string | undefined;
}

/** Faults that pass by themselves are waited out; a wrong token is not. */
export function isAway(error: unknown): boolean {
  const code = failureCode(error);
  return code !== undefined && FAILURES[code].retry === 'backoff';
}

/** A function of an API without a stream (a Lambda behind a gateway that does not stream): it is asked again and again. */
function hasNoStream(error: unknown): boolean {
  const code = failureCode(error);
  return code === 'not_found' || code === 'protocol_mismatch';
}

/** Until the follower has seen enough, or Ctrl-C. */
export async function follow(io: CliIo, client: ApiClient, follower: Follower): Promise<number> {
  let wasAway = false;
  let streams = true;
  const isBack = (): void => {
    if (wasAway) io.err('The API is back.\n');
    wasAway = false;
  };
  while (!io.stopped.aborted) {
    try {
      if (!(streams ? await listen(io, client, follower, isBack) : await look(client, follower, isBack))) return 0;
    } catch (error) {
      if (streams && hasNoStream(error)) {
        streams = false;
        continue;
      }
      if (!isAway(error)) throw error;
      if (!wasAway) io.err(`${messageOf(error)}\nWaiting for it.\n`);
      wasAway = true;
    }
    await io.sleep(PAUSE_MS);
  }
  return 0;
}

async function look(client: ApiClient, follower: Follower, isBack: () => void): Promise<boolean> {
  const goesOn = await follower.catchUp(client);
  isBack();
  return goesOn;
}

/** One connection, to its end. False: seen enough. */
async function listen(io: CliIo, client: ApiClient, follower: Follower, isBack: () => void): Promise<boolean> {
  const ended = new AbortController();
  const signal = AbortSignal.any([io.stopped, ended.signal]);
  try {
    let isCaughtUp = false;
    for await (const message of client.stream(follower.lastEventId(), signal)) {
      if (!isCaughtUp) {
        isBack();
        if (!(await follower.catchUp(client))) return false;
        isCaughtUp = true;
      }
      if (!follower.take(message)) return false;
    }
    return true;
  } finally {
    ended.abort();
  }
}
