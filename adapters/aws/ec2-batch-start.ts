/**
 * Starts many instances with few calls. EC2 lets an account make five StartInstances calls at once and two a second from
 * then on, whatever the number of instances in each; but one wrong instance fails the whole call. So the ones that the
 * refusal names are left out and the rest is asked for again together; only where it names none are they asked for singly.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { StartAnswer } from '../../core/cloud-ports.ts';
import { failureCode } from '../../core/failures/failures.ts';
import type { Millis } from '../../core/time/time.ts';
import { chunks } from './chunks.ts';
import { wordsOf } from './ec2-calls.ts';

/** Instances per call: far under what EC2 takes, so that one wrong name spoils little. */
const BATCH_MAX = 100;
/** Calls with several ids for one batch, each without those that the one before named. */
const ROUNDS_MAX = 3;
/** Calls with one id each that one order may make. The rest is `later`: others of the account start things, too. */
const SINGLES_MAX = 20;
/** EC2 refills two calls a second. */
const SINGLE_PAUSE_MS: Millis = 500;

type Start = (machines: readonly string[]) => Promise<void>;

export async function batchStart(
  machines: readonly string[],
  start: Start,
  pauseMs: Millis = SINGLE_PAUSE_MS,
): Promise<ReadonlyMap<string, StartAnswer>> {
  const answers = new Map<string, StartAnswer>();
  let singles = SINGLES_MAX;
  for (const batch of chunks([...new Set(machines)], BATCH_MAX)) {
    const alone = await together(batch, start, answers);
    for (const [n, machine] of alone.entries()) {
      if (singles === 0) {
        answers.set(machine, { outcome: 'later', says: `${SINGLES_MAX} instances were asked for singly: ask again` });
        continue;
      }
      singles -= 1;
      if (n > 0) await delay(pauseMs);
      answers.set(machine, await asked([machine], start));
    }
  }
  return answers;
}

/** Returns those that must be asked for singly. */
async function together(
  batch: readonly string[],
  start: Start,
  answers: Map<string, StartAnswer>,
): Promise<readonly string[]> {
  let left = batch;
  for (let round = 0; round < ROUNDS_MAX && left.length > 0; round += 1) {
    const answer = await asked(left, start);
    const named = left.filter((id) => answer.outcome === 'refused' && answer.says.includes(id));
    if (answer.outcome !== 'refused' || left.length === 1) {
      for (const id of left) answers.set(id, answer);
      return [];
    }
    if (named.length === 0) return left;
    for (const id of named) answers.set(id, answer);
    left = left.filter((id) => !named.includes(id));
  }
  return left;
}

async function asked(machines: readonly string[], start: Start): Promise<StartAnswer> {
  try {
    await start(machines);
    return { outcome: 'accepted' };
  } catch (error) {
    // By AWS's own words: those of the fault name every id of the call.
    return { outcome: failureCode(error) === 'power_throttled' ? 'later' : 'refused', says: wordsOf(error) };
  }
}
