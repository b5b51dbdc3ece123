/** Stories of the guard: stops, refusals, the end. */
import { describe, expect, test } from '@jest/globals';
import type { AgentMessage } from '../../../core/protocol/guard-link.ts';
import { instant } from '../../../core/time/time.ts';
import { ask, probed, proven, registered, release, renewed, running } from './guard-story.ts';
import { TIMING } from './host-model.ts';

describe('S4: a stop of everything covered', () => {
  test('clean stop at deadline − (s + 2w), kill at deadline − 2w, no feeding from then on', () => {
    const guard = running('a', 'b');
    expect(guard.tick(1_699).heard()).toEqual(['feed']);
    expect(guard.tick(1_700).heard()).toEqual(['stop 1: the lease runs out', 'feed']);
    guard.hear(1_701, { type: 'stopping', stop: 1 });
    expect(guard.tick(1_999).heard()).toEqual(['feed']);
    expect(guard.tick(2_001).heard()).toEqual(['kill a e1 b e1 and the agent first']);
    expect(guard.tick(2_101).heard()).toEqual([]);
    expect(guard.at(2_110, proven('a')).tick(2_120).heard()).toEqual(['kill b e1 and the agent first']);
    expect(guard.at(2_150, proven('b')).heard()).toEqual(['resume']);
    expect(guard.tick(2_200).heard()).toEqual(['feed']);
  });

  test('an agent that has stopped everything is not killed, and the proof comes at once', () => {
    const guard = running('a').tick(1_700).hear(1_701, { type: 'stopping', stop: 1 });
    guard.hear(1_750, { type: 'stopped', stop: 1 });
    guard.heard();
    expect(guard.tick(1_800).heard()).toEqual(['kill a e1', 'feed']);
  });

  test('a silent agent: the guard itself asks the processes to end, once', () => {
    const guard = running('a').tick(1_700);
    guard.heard();
    expect(guard.tick(1_799).heard()).toEqual(['feed']);
    expect(guard.tick(1_800).heard()).toEqual(['terminate a e1', 'feed']);
    expect(guard.tick(1_900).heard()).toEqual(['feed']);
  });

  test('an agent that dies after "stopped" takes its word with it; its successor is told to stop', () => {
    const guard = running('a')
      .tick(1_700)
      .hear(1_750, { type: 'stopped', stop: 1 })
      .at(1_760, { type: 'agent_exited' });
    guard.heard();
    expect(guard.hear(1_790, { type: 'ready' }).heard()).toEqual(['be s1, registered', 'stop 1: the lease runs out']);
    expect(guard.tick(2_000).heard()).toContain('kill a e1 and the agent first');
  });

  test('a stop runs to its end though the lease comes back; nothing starts meanwhile, the same epoch may afterwards', () => {
    const guard = running('a').tick(1_700).hear(1_720, renewed(1_710));
    guard.heard();
    expect(guard.hear(1_730, ask('a', 1)).heard()).toEqual(['leave 1: stopping: the lease runs out']);
    expect(guard.tick(2_000).heard()).toContain('kill a e1 and the agent first');
    expect(guard.at(2_050, proven('a')).heard()).toEqual(['resume']);
    expect(guard.hear(2_060, ask('a', 1)).heard()).toEqual(['leave 1: granted']);
  });

  test('"stopped" of an earlier stop is no word about this one', () => {
    const guard = running('a').tick(1_700).hear(1_720, renewed(1_710)).tick(2_000).at(2_050, proven('a'));
    guard.hear(2_060, ask('a', 1)).tick(3_500).hear(3_510, { type: 'stopped', stop: 1 });
    guard.heard();
    expect(guard.tick(3_600).heard()).toEqual(['terminate a e1', 'feed']);
  });

  test('a proof outlives no stop: the stop waits for it even when everything was released meanwhile', () => {
    const guard = running('a').hear(1_650, release('a', 1)).tick(1_700).tick(2_000).at(2_010, probed('a', 1));
    guard.heard();
    // Nothing covered is left, but the kill is not over: nothing starts that its proof would then strike off the list.
    expect(guard.tick(2_100).heard()).toEqual(['feed']);
    guard.hear(2_110, renewed(2_105));
    expect(guard.hear(2_120, ask('a', 2)).heard()).toEqual(['leave 1: stopping: the lease runs out']);
    expect(guard.at(2_130, proven('a')).heard()).toEqual(['resume']);
    expect(guard.hear(2_140, ask('a', 2)).heard()).toEqual(['leave 1: granted']);
    expect(guard.at(2_150, proven('a')).state.ledger.entries).toHaveLength(1);
  });

  test('a kill that proves nothing is repeated', () => {
    const guard = running('a').tick(2_000).at(2_010, { type: 'proven', keys: [], isStopped: true });
    guard.heard();
    expect(guard.tick(2_100).heard()).toEqual(['kill a e1 and the agent first']);
    guard.at(2_110, { type: 'proven', keys: ['a/0'], isStopped: false });
    expect(guard.tick(2_200).heard()).toEqual(['kill a e1 and the agent first']);
  });

  test('a guard that thaws late kills at once, whatever order its messages are in', () => {
    const late = running('a').tick(9_000);
    expect(late.heard()).toEqual(['stop 1: the lease runs out', 'kill a e1 and the agent first']);
    // Renewals that waited in the pipe count from when they were sent.
    const queued = running('a').hear(9_000, renewed(500)).hear(9_000, renewed(900)).tick(9_000);
    expect(queued.heard()).toEqual(['stop 1: the lease runs out', 'kill a e1 and the agent first']);
    expect(queued.state.deadline).toBe(3_700);
  });
});

describe('S3: refused means over', () => {
  const refused: AgentMessage = { type: 'refused', session: 's1', found: 'revoked:run' };

  test('what is covered stops at once, for s at most, and the next session comes only after the proof', () => {
    const guard = running('a').hear(100, refused);
    expect(guard.heard()).toEqual(['stop 1: the store holds session revoked:run']);
    expect(guard.hear(110, ask('b', 1)).heard()).toEqual(['leave 1: stopping: the store holds session revoked:run']);
    guard.hear(110, { type: 'stopping', stop: 1 });
    expect(guard.tick(399).heard()).toEqual(['feed']);
    expect(guard.tick(400).heard()).toEqual(['kill a e1 and the agent first', 'feed']);
    expect(guard.at(420, proven('a')).heard()).toEqual(['new session', 'be s2']);
    expect(guard.state.ledger.floors).toEqual({ 'a/0': 1 });
    expect(guard.state.deadline).toBeNull();
  });

  test('near the deadline the kill comes at deadline − 2w', () => {
    const guard = running('a').hear(1_900, refused).hear(1_901, { type: 'stopping', stop: 1 });
    guard.heard();
    expect(guard.tick(2_000).heard()).toEqual(['kill a e1 and the agent first', 'feed']);
    expect(guard.tick(2_001).heard()).toEqual([]);
  });

  test('with nothing covered the next session is named at once, and what is not covered runs on', () => {
    const guard = registered().hear(20, ask('open', 1, { covered: false }));
    guard.heard();
    expect(guard.hear(100, refused).heard()).toEqual(['new session', 'be s2']);
    expect(guard.state.ledger.entries).toHaveLength(1);
  });

  test('during a stop for a lost lease: the same stop then ends the session', () => {
    const guard = running('a').tick(1_700).hear(1_750, refused).tick(2_000);
    guard.heard();
    expect(guard.at(2_050, proven('a')).heard()).toEqual(['new session', 'be s2']);
  });

  test('twice, or about another session: nothing more', () => {
    const guard = running('a').hear(100, refused);
    guard.heard();
    expect(
      guard
        .hear(110, refused)
        .hear(120, { ...refused, session: 's0' })
        .heard(),
    ).toEqual([]);
  });

  test('a session that is over does not come back while the next one waits for the disk', () => {
    const guard = running('a').hear(100, refused).tick(400);
    guard.isDiskPrompt = false;
    guard.at(420, proven('a')).at(425, { type: 'agent_exited' });
    guard.heard();
    expect(
      guard.hear(430, { type: 'ready' }).hear(431, { type: 'arm', session: 's1', timing: TIMING }).heard(),
    ).toEqual([]);
    guard
      .hear(432, { type: 'registered', session: 's1', sentAt: instant(431), answeredAt: instant(432) })
      .hear(433, renewed(432));
    expect(guard.state.isRegistered).toBe(false);
    expect(guard.diskAnswers(true).heard()).toEqual(['new session', 'be s2']);
  });
});

describe('drain', () => {
  test('asked once, told again to an agent that starts meanwhile', () => {
    const guard = running('a').at(50, { type: 'drain' }).at(60, { type: 'drain' });
    expect(guard.heard()).toEqual(['drain']);
    expect(guard.at(70, { type: 'agent_exited' }).hear(90, { type: 'ready' }).heard()).toEqual([
      'be s1, registered',
      'drain',
    ]);
  });

  test('the session is closed, and the guard ends, only when nothing is left by its own list (S7)', () => {
    const close: AgentMessage = { type: 'close', id: 3, session: 's1' };
    const guard = running('a').hear(40, close).at(50, { type: 'drain' }).hear(60, close).hear(61, { type: 'drained' });
    expect(guard.heard()).toEqual(['close 3: this host is not draining', 'drain', 'close 3: a/0 may still be running']);
    guard.hear(70, release('a', 1)).at(80, probed('a', 1));
    guard.heard();
    expect(guard.hear(90, { ...close, session: 's0' }).heard()).toEqual(['close 3: the session is s1, not s0']);
    expect(guard.hear(95, close).hear(99, { type: 'drained' }).heard()).toEqual(['close 3: closed', 'exit']);
  });

  test('"drained" without a drain ends nothing', () => {
    expect(registered().hear(50, { type: 'drained' }).heard()).toEqual([]);
  });
});
