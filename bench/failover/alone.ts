/** `--no-control-plane`: nobody is there to take over, and yet what a broken host runs must end in time, by itself (S4). */
import { setTimeout as delay } from 'node:timers/promises';
import { causeForGood } from './faults.ts';
import type { ALONE_FAULTS } from './faults.ts';
import type { Harness } from './harness.ts';
import { lastClose, livesOf } from './measure.ts';
import { ownedBy, pickTarget } from './run.ts';

const POLL_MS = 100;
const SLACK_MS = 5_000;

export interface AloneFigures {
  readonly fault: string;
  readonly host: string;
  /** From the fault to the close of the last covered service of the host; null: something ran on. */
  readonly endedMs: number | null;
  /** L_h + b of the profile. */
  readonly limitMs: number;
  readonly isInTime: boolean;
}

export async function performAlone(harness: Harness, fault: (typeof ALONE_FAULTS)[number]): Promise<AloneFigures> {
  const settled = await harness.untilSettled();
  if ('missing' in settled) throw new Error(`the cluster is not up: ${settled.missing.join('; ')}`);
  const target = pickTarget(harness, settled.status);
  const slots = ownedBy(settled.status, target.host).map(({ name }) => name);
  const { timing } = harness.definition;
  const limitMs = timing.holderLeaseMs + timing.killMs;

  await harness.cause({ fault: 'stop-control' });
  await delay(Math.random() * timing.intervalMs);
  const at = await harness.witness.mark(`alone ${fault}`);
  await causeForGood(fault, harness, target);
  let closedAt = Number.POSITIVE_INFINITY;
  for (let left = limitMs + SLACK_MS; left > 0 && closedAt === Number.POSITIVE_INFINITY; left -= POLL_MS) {
    await delay(POLL_MS);
    closedAt = lastClose(livesOf(harness.log.read()), { host: target.host, slots, at }) ?? Number.POSITIVE_INFINITY;
  }
  const endedMs = closedAt === Number.POSITIVE_INFINITY ? null : (closedAt - at) / 1_000;
  return { fault, host: target.host, endedMs, limitMs, isInTime: endedMs !== null && endedMs <= limitMs };
}
