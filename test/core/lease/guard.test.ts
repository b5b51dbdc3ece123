/** Stories of the guard: its session, leave to start, release. */
import { describe, expect, test } from '@jest/globals';
import { EMPTY_LEDGER } from '../../../core/lease/ledger.ts';
import type { AgentMessage } from '../../../core/protocol/guard-link.ts';
import { instant } from '../../../core/time/time.ts';
import { ask, Guard, probed, proven, registered, release, renewed, running } from './guard-story.ts';
import { TIMING } from './host-model.ts';

describe('S1: the life of a session', () => {
  test('an agent is told who to be, arms the watchdog and registers', () => {
    const guard = new Guard().hear(0, { type: 'ready' });
    expect(guard.heard()).toEqual(['be s1']);
    expect(guard.hear(5, { type: 'arm', session: 's1', timing: TIMING }).heard()).toEqual(['arm']);
    guard.hear(30, { type: 'registered', session: 's1', sentAt: instant(10), answeredAt: instant(30) });
    expect(guard.state.isRegistered).toBe(true);
    expect(guard.state.deadline).toBe(2_810);
    expect(guard.at(40, { type: 'agent_exited' }).hear(90, { type: 'ready' }).heard()).toEqual(['be s1, registered']);
  });

  test('a registration whose answer came later than r stands, but the first beat must bring the lease', () => {
    const guard = new Guard().hear(0, { type: 'ready' }).hear(0, { type: 'arm', session: 's1', timing: TIMING });
    guard.hear(900, { type: 'registered', session: 's1', sentAt: instant(10), answeredAt: instant(900) });
    expect(guard.state.deadline).toBeNull();
    expect(guard.hear(900, ask('a', 1)).heard()).toContain('leave 1: the lease runs out');
    guard.hear(930, renewed(910));
    expect(guard.state.deadline).toBe(3_710);
  });

  test('an agent that dies between arming and the word that the session stands leaves a session nobody may use', () => {
    const guard = new Guard().hear(0, { type: 'ready' }).hear(0, { type: 'arm', session: 's1', timing: TIMING });
    guard.heard();
    expect(guard.at(5, { type: 'agent_exited' }).heard()).toEqual(['new session']);
    expect(guard.hear(50, { type: 'ready' }).heard()).toEqual(['be s2']);
    expect(guard.state.ledger.sessions).toEqual(['s1', 's2']);
    guard.hear(60, { type: 'registered', session: 's1', sentAt: instant(1), answeredAt: instant(2) });
    expect(guard.state.isRegistered).toBe(false);
  });

  test('the timing that a session registered with is not changed under it (S19)', () => {
    const guard = running('a');
    guard.hear(30, { type: 'arm', session: 's1', timing: { ...TIMING, holderLeaseMs: 60_000 } });
    guard.hear(100, renewed(80));
    expect(guard.heard()).toEqual([]);
    expect(guard.state.deadline).toBe(2_880);
  });

  test('a new guard carries over what is over, and nothing that ran', () => {
    const entry = { group: 'a', slot: 0, epoch: 4, session: 's0', covered: true, cleanup: [] };
    const open = { ...entry, group: 'open', epoch: 9, covered: false };
    const guard = new Guard({ sessions: ['s0'], entries: [entry, open], floors: { 'b/0': 2, 'a/0': 1 }, resets: 1 });
    expect(guard.state.ledger).toEqual({
      sessions: ['s0', 's1'],
      entries: [],
      floors: { 'b/0': 2, 'a/0': 4 },
      resets: 0,
    });
  });
});

describe('S6: leave', () => {
  test.each<[string, AgentMessage, string]>([
    ['for its first start', ask('a', 1), 'leave 1: granted'],
    ['for a session of before', ask('a', 1, { session: 's0' }), 'leave 1: the order is for session s0, this one is s1'],
    [
      'in an epoch that was released',
      ask('done', 3),
      'leave 1: epoch 3 of done/0 is over here (released or lost up to 3)',
    ],
    ['below one', ask('done', 2), 'leave 1: epoch 2 of done/0 is over here (released or lost up to 3)'],
    ['above one', ask('done', 4), 'leave 1: granted'],
  ])('%s', (_, message, answer) => {
    const guard = registered({ ...EMPTY_LEDGER, floors: { 'done/0': 3 } });
    expect(guard.hear(20, message).heard()).toEqual([answer]);
  });

  test.each([
    [1_699, 'granted'],
    [1_700, 'the lease runs out'],
    [9_000, 'the lease runs out'],
  ])('at %d ms of a lease that stops at 1700: %s', (ms, answer) => {
    expect(registered().hear(ms, ask('a', 1)).heard()).toEqual([`leave 1: ${answer}`]);
  });

  test('not without a session, not while draining, not for an epoch below the one that runs', () => {
    expect(new Guard().hear(0, ask('a', 1)).heard()).toEqual(['leave 1: no session stands']);
    expect(registered().at(20, { type: 'drain' }).hear(20, ask('a', 1)).heard()).toEqual([
      'drain',
      'leave 1: this host is draining',
    ]);
    const guard = registered().hear(20, ask('a', 5));
    expect(guard.hear(20, ask('a', 4, { id: 2 })).heard()).toEqual([
      'leave 1: granted',
      'leave 2: epoch 5 of a/0 was started here',
    ]);
  });

  test('what is not covered restarts through a lost lease, but does not start for the first time', () => {
    const guard = registered().hear(20, ask('open', 1, { covered: false }));
    guard.heard();
    expect(guard.hear(9_000, ask('open', 1, { covered: false })).heard()).toEqual(['leave 1: granted']);
    expect(guard.hear(9_000, ask('other', 1, { covered: false })).heard()).toEqual(['leave 1: the lease runs out']);
  });

  test('what was started covered stays so, whatever a newer definition says (S20)', () => {
    const guard = running('a');
    expect(guard.hear(9_000, ask('a', 1, { covered: false })).heard()).toEqual(['leave 1: the lease runs out']);
  });

  test('it is on disk before it is given; a disk that fails gives none, and what was asked stays on the kill list', () => {
    const guard = registered();
    guard.isDiskPrompt = false;
    expect(guard.hear(20, ask('a', 1)).heard()).toEqual([]);
    expect(guard.diskAnswers(false).heard()).toEqual(['leave 1: the ledger cannot be written']);
    expect(guard.tick(2_000).heard()).toContain('kill a e1 and the agent first');
  });

  test('a disk that takes until the lease runs out gives none', () => {
    const guard = registered();
    guard.isDiskPrompt = false;
    guard.hear(20, ask('a', 1));
    guard.now = 1_700;
    expect(guard.diskAnswers(true).heard()).toEqual(['leave 1: the lease runs out']);
  });

  test('nor one that takes until the slot was stopped and the lease stands again', () => {
    const guard = registered();
    guard.isDiskPrompt = false;
    guard.hear(20, ask('a', 1));
    guard.isDiskPrompt = true;
    guard.tick(2_000).at(2_010, proven('a')).hear(2_050, renewed(2_040));
    guard.heard();
    expect(guard.diskAnswers(true).heard()).toEqual(['leave 1: a/0 was stopped meanwhile']);
  });

  test('the answer to an agent that has died does not reach its successor', () => {
    const guard = registered();
    guard.isDiskPrompt = false;
    guard.hear(20, ask('a', 1)).at(30, { type: 'agent_exited' }).hear(60, { type: 'ready' });
    guard.heard();
    expect(guard.diskAnswers(true).heard()).toEqual([]);
  });
});

describe('release', () => {
  test('probe, then disk, then the word; the epoch never starts here again', () => {
    const guard = running('a');
    expect(guard.hear(50, release('a', 1)).heard()).toEqual(['probe a e1']);
    guard.isDiskPrompt = false;
    expect(guard.at(60, probed('a', 1)).heard()).toEqual([]);
    expect(guard.diskAnswers(true).heard()).toEqual(['release 1: released']);
    expect(guard.hear(70, ask('a', 1)).heard()).toEqual([
      'leave 1: epoch 1 of a/0 is over here (released or lost up to 1)',
    ]);
    expect(guard.hear(70, ask('a', 2)).heard()).toEqual(['leave 1: granted']);
  });

  test('what still runs, or is not on disk, is not released', () => {
    expect(
      running('a')
        .hear(50, release('a', 1))
        .at(60, probed('a', 1, false))
        .heard(),
    ).toEqual(['probe a e1', 'release 1: something of a/0 is still running']);
    const guard = running('a').hear(50, release('a', 1));
    guard.isDiskPrompt = false;
    guard.heard();
    expect(guard.at(60, probed('a', 1)).diskAnswers(false).heard()).toEqual([
      'release 1: the ledger cannot be written',
    ]);
  });

  test('of a lower epoch than the one that runs: refused', () => {
    const guard = registered().hear(20, ask('a', 7));
    guard.heard();
    expect(guard.hear(50, release('a', 6)).heard()).toEqual(['release 1: epoch 7 of a/0 runs here, not 6']);
  });

  test('nothing of a slot starts while it is probed, not even for the next agent', () => {
    const guard = running('a').hear(50, release('a', 1)).at(51, { type: 'agent_exited' }).hear(99, { type: 'ready' });
    guard.heard();
    expect(guard.hear(100, ask('a', 1)).heard()).toEqual(['leave 1: a/0 is being released']);
    expect(guard.at(110, probed('a', 1)).heard()).toEqual([]);
    expect(guard.hear(120, ask('a', 2, { id: 2 })).heard()).toEqual(['leave 2: granted']);
  });
});
