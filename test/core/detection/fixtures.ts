/** Heartbeat items, sweeps and a driver of the observer, all times in ms from 0. */
import type { DetectorMemory, DetectorTiming, Observation } from '../../../core/detection/detect.ts';
import { EMPTY_MEMORY, observe } from '../../../core/detection/detect.ts';
import type { Heartbeat } from '../../../core/protocol/records.ts';
import { instant, wallInstant } from '../../../core/time/time.ts';

/** Profile fast: I 1 s, L_c 12 s, sweep period 1 s, of which two are no gap. */
export const TIMING: DetectorTiming = { behindAfter: 2.5, gapMs: 2_000, takerWaitMs: 12_000 };

/** The observer's wall clock runs this far ahead of its boot clock here, so that mixing them up shows. */
export const WALL = 5_000_000;

/** `version` as "session:seq". */
export function item(
  host: string,
  version: string,
  facts: { intervalMs?: number; sentAtWallMs?: number } = {},
): Heartbeat {
  const at = version.lastIndexOf(':');
  return {
    principal: `p-${host}`,
    session: version.slice(0, at),
    seq: Number(version.slice(at + 1)),
    cluster: 'c',
    host,
    machine: `m-${host}`,
    bootId: 'b',
    launchTime: '',
    guardLevel: 'init',
    rules: 1,
    timing: {
      intervalMs: facts.intervalMs ?? 1_000,
      holderLeaseMs: 10_000,
      takerWaitMs: 12_000,
      killMs: 500,
      writeLifeMs: 500,
      freezeMs: 500,
      clockRateError: 0.001,
    },
    agentVersion: '',
    incarnation: 'i',
    mayHold: false,
    obeyed: 0,
    slots: [],
    lists: {},
    sentAtWallMs: facts.sentAtWallMs ?? 0,
    directive: 0,
    ttl: 0,
  };
}

export interface Shot {
  readonly atMs: number;
  readonly items: readonly Heartbeat[];
}

/** Feeds answers one after the other; every answer is complete and follows the one before. */
export function watchAll(
  hosts: readonly string[],
  shots: readonly Shot[],
  start: { memory: DetectorMemory; lastMs: number | null } = { memory: EMPTY_MEMORY, lastMs: null },
): readonly Observation[] {
  let { memory, lastMs } = start;
  return shots.map(({ atMs, items }) => {
    const observation = observe(
      memory,
      {
        scan: items,
        answeredAt: instant(atMs),
        answeredAtWall: wallInstant(WALL + atMs),
        previousAnswerAt: lastMs === null ? null : instant(lastMs),
        bindings: hosts.map((host) => ({ host, principal: `p-${host}` })),
      },
      TIMING,
    );
    memory = observation.memory;
    lastMs = atMs;
    return observation;
  });
}

/** One answer per second from 0 on; each string is what an answer holds, such as "h1=a:1 h2=b:7". */
export function everySecond(hosts: readonly string[], answers: readonly string[]): readonly Observation[] {
  const shots = answers.map((text, at) => ({
    atMs: at * 1_000,
    items: text.split(' ').flatMap((pair) => {
      const [host = '', version] = pair.split('=');
      return version === undefined ? [] : [item(host, version)];
    }),
  }));
  return watchAll(hosts, shots);
}

/** "h1 h2" per answer. */
export function behindOf(observations: readonly Observation[]): readonly string[] {
  return observations.map(({ behind }) => behind.map(({ host }) => host).join(' '));
}
