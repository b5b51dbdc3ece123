import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type GuardLink, guardLink } from '../../agent/guard-link.ts';
import type { AgentMessage, GuardMessage, LeaveRequest } from '../../core/protocol/guard-link.ts';
import { fakeTime, pass, realTime } from './faked-time.ts';

const REQUEST: LeaveRequest = { group: 'db', slot: 0, epoch: 1, session: 's1', covered: true, cleanup: [] };

let said: AgentMessage[];
let hear: (message: GuardMessage) => void;
let loseGuard: () => void;
let exits: number[];
let link: GuardLink;

beforeEach(() => {
  const { clock, timers } = fakeTime();
  said = [];
  exits = [];
  const guard = {
    send: (message: AgentMessage) => void said.push(message),
    onMessage: (listener: typeof hear) => {
      hear = listener;
    },
    onDisconnect: (listener: () => void) => {
      loseGuard = listener;
    },
  };
  link = guardLink({ clock, timers, guard, exit: (status) => void exits.push(status) });
});

afterEach(realTime);

test('an answer settles the question of its kind and number, and no other', async () => {
  const leave = link.leave(REQUEST);
  const release = link.release({ group: 'db', slot: 0, epoch: 1 });
  expect(said).toMatchObject([
    { type: 'leave', id: 1 },
    { type: 'release', id: 2 },
  ]);
  hear({ type: 'release', id: 1, released: true, why: '' });
  hear({ type: 'leave', id: 2, granted: true, why: '' });
  hear({ type: 'leave', id: 1, granted: false, why: 'stopping' });
  hear({ type: 'release', id: 2, released: true, why: '' });
  expect(await leave).toEqual({ granted: false, why: 'stopping' });
  expect(await release).toBe(true);
});

test('a guard that does not answer gives no leave, and its late answer gives none either', async () => {
  const leave = link.leave(REQUEST);
  await pass(10_000);
  expect(await leave).toEqual({ granted: false, why: 'the guard does not answer' });
  hear({ type: 'leave', id: 1, granted: true, why: '' });
  const close = link.close('s1');
  hear({ type: 'close', id: 2, closed: false, why: 'db/0 may still be running' });
  expect(await close).toBe(false);
});

test('everything else goes to the listeners, and counts as a sign of life', async () => {
  const heard: string[] = [];
  link.onMessage(({ type }) => void heard.push(type));
  await pass(700);
  expect(link.silentFor()).toBe(700);
  hear({ type: 'pulse' });
  hear({ type: 'stop_covered', stop: 1, why: '' });
  hear({ type: 'leave', id: 99, granted: true, why: '' });
  expect(link.silentFor()).toBe(0);
  expect(heard).toEqual(['pulse', 'stop_covered']);
});

test('an agent without a guard ends: nobody would stop what it starts', () => {
  expect(exits).toEqual([]);
  loseGuard();
  expect(exits).toEqual([1]);
});
