/**
 * Keeps the page in step with the API: a stream for what changes, a question now and then for the ages, and both again
 * with growing pauses after a loss. What was known stays on the screen and grows old there.
 */
import { messageOf } from '../../core/failures/failures.ts';
import type { Link } from '../model/connection.ts';
import { pulseEveryMs, retryAfterMs } from '../model/connection.ts';
import type { Instance } from '../model/faults.ts';
import type { Known } from '../model/live.ts';
import { addEvents, controlNow, learn, NOTHING_KNOWN } from '../model/live.ts';
import { ask, type Ask, statusOf } from './ask.ts';
import { readInstances } from './local.ts';
import { forgetToken, openSession, type Session } from './session.ts';
import { Store } from './store.ts';
import { follow } from './stream.ts';

export interface Page extends Known {
  readonly session: Session | null;
  /** null: not known yet whether a token is needed. */
  readonly needsToken: boolean | null;
  readonly tokenTrouble: string | null;
  readonly link: Link;
  readonly instances: readonly Instance[];
}

export const page = new Store<Page>({
  ...NOTHING_KNOWN,
  session: null,
  needsToken: null,
  tokenTrouble: null,
  link: { is: 'connecting' },
  instances: [],
});

/** Seconds pass: what shows an age reads this one clock, four times a second, and only while it is on the screen. */
export const nowMs = new Store<number>(Date.now());

const NEVER_ENDS = new AbortController().signal;

export function api(): Ask {
  return ask(page.get().session?.token ?? '');
}

export function serverNow(): number {
  return controlNow(page.get(), nowMs.get());
}

export function start(): void {
  setInterval(() => document.hidden || nowMs.set(Date.now()), 250);
  document.addEventListener('visibilitychange', () => nowMs.set(Date.now()));
  void begin();
}

async function begin(): Promise<void> {
  for (let attempts = 0; ; attempts += 1) {
    try {
      const session = await openSession();
      return session === null ? page.change((old) => ({ ...old, needsToken: true })) : enter(session);
    } catch (error) {
      lost(error);
      await pause(attempts);
    }
  }
}

export function enter(session: Session): void {
  page.change((old) => ({ ...old, session, needsToken: false, tokenTrouble: null }));
  void keepFollowing(session);
  void keepAsking(session);
}

function isCurrent(session: Session): boolean {
  return page.get().session === session;
}

let isStreaming = false;
/** The stream's answers end after what there is, and it is asked for again and again: they say all that asking would. */
let isPolling = false;

/** The stream first; where there is none (404, 501) the questions of `keepAsking` carry everything. */
async function keepFollowing(session: Session): Promise<void> {
  for (let attempts = 0; isCurrent(session); attempts += 1) {
    const lastEventId = page.get().events.at(-1)?.id ?? null;
    let retryMs: number | null = null;
    try {
      ({ retryMs } = await follow({
        token: session.token,
        lastEventId,
        signal: NEVER_ENDS,
        onOpen: () => {
          attempts = 0;
          isStreaming = true;
          found();
          // Between two answers nothing is missed by whoever says what it saw last.
          if (lastEventId === null || !isPolling) void catchUp(session);
        },
        onMessage: (message) => page.change((old) => ({ ...old, ...learn(old, message, Date.now()) })),
      }));
    } catch (error) {
      if (isRefused(session, error)) return;
      if ([404, 405, 501].includes(statusOf(error))) return;
      lost(error);
    } finally {
      isPolling = retryMs !== null;
      isStreaming = isPolling;
    }
    await (retryMs === null ? pause(attempts) : untilLooked(retryMs));
  }
}

/** At least so long, and until somebody looks: a hidden page costs the API nothing. */
async function untilLooked(ms: number): Promise<void> {
  await delay(ms);
  if (!document.hidden) return;
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (document.hidden) return;
      document.removeEventListener('visibilitychange', look);
      resolve();
    };
    document.addEventListener('visibilitychange', look);
  });
}

/** Events from before the page was opened, or of the time when it heard nothing. */
async function catchUp(session: Session): Promise<void> {
  const newest = page.get().events.at(-1)?.id;
  const answer = await ask(session.token)
    .events(newest === undefined ? {} : { after: newest })
    .catch(() => null);
  if (answer !== null) page.change((old) => ({ ...old, events: addEvents(old.events, answer.events) }));
}

async function keepAsking(session: Session): Promise<void> {
  for (let attempts = 0; isCurrent(session);) {
    try {
      if (!document.hidden && !isPolling) await askOnce(session);
      attempts = 0;
    } catch (error) {
      if (isRefused(session, error)) return;
      lost(error);
      attempts += 1;
    }
    const { status, link } = page.get();
    await delay(link.is === 'away' ? retryAfterMs(attempts, Math.random()) : pulseEveryMs(status?.hosts.length ?? 0));
  }
}

async function askOnce(session: Session): Promise<void> {
  if (session.isLocal) {
    // Machines are true even while the control plane is away.
    const instances = await readInstances(session.token).catch(() => page.get().instances);
    const isSame = JSON.stringify(instances) === JSON.stringify(page.get().instances);
    if (!isSame) page.change((old) => ({ ...old, instances }));
  }
  const asking = ask(session.token);
  const data = await asking.status();
  page.change((old) => ({ ...old, ...learn(old, { type: 'status', data }, Date.now()) }));
  found();
  if (!isStreaming) {
    await catchUp(session);
    for (const { run } of data.runs.slice(0, 5)) await readRun(run);
  }
}

/** Reads a run's story into what is known; throws AskFailure. */
export async function readRun(run: string): Promise<void> {
  const data = await api().run(run);
  page.change((old) => ({ ...old, ...learn(old, { type: 'run', data }, Date.now()) }));
}

function found(): void {
  const how = isStreaming ? 'stream' : 'asking';
  page.change((old) => (old.link.is === 'live' && old.link.how === how ? old : { ...old, link: { is: 'live', how } }));
}

/** The first loss dates the absence, from the last word that was heard. */
function lost(error: unknown): void {
  page.change((old) => ({
    ...old,
    link: {
      is: 'away',
      sinceMs: old.link.is === 'away' ? old.link.sinceMs : old.receivedAtMs || Date.now(),
      why: messageOf(error),
      attempts: old.link.is === 'away' ? old.link.attempts + 1 : 1,
    },
  }));
}

function isRefused(session: Session, error: unknown): boolean {
  if (statusOf(error) !== 401 && statusOf(error) !== 403) return false;
  if (!isCurrent(session)) return true;
  forgetToken();
  const tokenTrouble = 'The API does not accept this token. It may be of an earlier start.';
  page.change((old) => ({ ...old, session: null, needsToken: session.isLocal ? null : true, tokenTrouble }));
  // A local runtime that was started anew hands out a new token.
  if (session.isLocal) void pause(2).then(begin);
  return true;
}

const pause = (attempts: number): Promise<void> => delay(retryAfterMs(attempts, Math.random()));

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
