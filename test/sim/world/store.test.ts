import { describe, expect, jest, test } from '@jest/globals';
import type { Heartbeats, OwnHeartbeat, Registry } from '../../../core/ports.ts';
import { BACKGROUND_FAULTS, type Noise } from '../../../sim/contract/faults.ts';
import type { SimStore } from '../../../sim/contract/parts.ts';
import type { SimProcess } from '../../../sim/kernel/process.ts';
import { createStore } from '../../../sim/world/store.ts';
import { beat, registration, TTL } from '../../contract/fixtures.ts';
import { factsOf, testStage, type TestStage } from './stage.ts';

jest.setTimeout(60_000); // Tens of thousands of virtual events, on a machine that others use.

const KEY = { pk: 'C#payments', sk: 'GROUP#db' };
const CAP_MS = 800;

interface World extends TestStage {
  readonly store: SimStore;
  readonly own: OwnHeartbeat;
  readonly host: SimProcess;
  readonly heartbeats: Heartbeats;
  readonly registry: Registry;
  readonly control: SimProcess;
  readonly seq: () => number | undefined;
}

async function world(seed = 1): Promise<World> {
  const stage = testStage(seed);
  const store = createStore(stage.stage);
  store.setWriteLife(500);
  const host = stage.process('h1');
  const control = stage.process('f1');
  const { own } = store.forHost(host, 'h1', 'p1', 'm1');
  await stage.outcome(own.register(registration('s1'), null, beat(), TTL), 100);
  const ports = store.forControl(control);
  return { ...stage, store, own, host, ...ports, control, seq: () => store.heartbeats()[0]?.seq };
}

const renew = (at: World) => at.own.renew('s1', beat(), TTL, CAP_MS);

describe('sim store: links', () => {
  test('whole: a renewal is taken, answered and told', async () => {
    const at = await world();
    expect(await at.outcome(renew(at), 100)).toMatchObject({ outcome: 'renewed' });
    const beatFact = { type: 'beat', host: 'h1', machine: 'm1', principal: 'p1', session: 's1' };
    expect(factsOf(at.facts, 'beat')).toEqual([
      { ...beatFact, seq: 1, registered: registration('s1').timing },
      { ...beatFact, seq: 2 },
    ]);
  });

  test.each([
    ['cut', 1],
    ['no_requests', 1],
    ['no_answers', 2],
  ] as const)('%s: the sender hears nothing and gives up at its cap; the item is at %i', async (link, seq) => {
    const at = await world();
    at.store.setLink('h1', link);
    expect(await at.outcome(renew(at), CAP_MS + 1)).toMatch(/^failed: (timed_out|store_unavailable)$/);
    expect(at.seq()).toBe(seq);
    at.store.setLink('h1', 'whole');
    expect(await at.outcome(renew(at), 100)).toMatchObject({ outcome: 'renewed', heartbeat: { seq: seq + 1 } });
  });

  test('one host is cut, another one is not; the control plane has a link of its own', async () => {
    const at = await world();
    at.store.setLink('h2', 'cut');
    expect(await at.outcome(renew(at), 100)).toMatchObject({ outcome: 'renewed' });
    at.store.setControlLink('cut');
    expect(await at.outcome(at.heartbeats.scan(), 5_001)).toMatch(/^failed: (timed_out|store_unavailable)$/);
    expect(await at.outcome(renew(at), 100)).toMatchObject({ outcome: 'renewed' });
  });

  test('a link that is cut while a request is on its way swallows it', async () => {
    const at = await world();
    const renewal = renew(at);
    at.store.setLink('h1', 'cut');
    expect(await at.outcome(renewal, CAP_MS + 1)).toBe('failed: timed_out');
    expect(at.seq()).toBe(1);
  });

  test('a sender that was killed sends nothing more, and what it had sent arrives', async () => {
    const at = await world();
    const put = at.registry.put(KEY, { group: 'db', slots: [] }, null);
    at.control.kill();
    expect(await at.outcome(put, 6_000)).toBe('nothing');
    expect(at.store.record(KEY.pk, KEY.sk)).toEqual({ group: 'db', slots: [] });
    expect(factsOf(at.facts, 'group_written')).toEqual([
      { type: 'group_written', before: null, after: { group: 'db', slots: [] } },
    ]);
  });

  test('a function that is cut off and killed meanwhile does not try again', async () => {
    const at = await world();
    at.store.setControlLink('cut');
    const put = at.registry.put(KEY, { group: 'db', slots: [] }, null);
    at.timeline.after(100, () => at.control.kill());
    at.timeline.after(200, () => at.store.setControlLink('whole'));
    expect(await at.outcome(put, 10_000)).toBe('nothing');
    expect(at.store.record(KEY.pk, KEY.sk)).toBeUndefined();
  });
});

describe('sim store: background faults', () => {
  /** Renewals one after the other, each with the true time from its sending to each of its commits. */
  async function commitLags(noise: Noise, lifeMs: number, rounds: number, weather: 'up' | 'slow' = 'up') {
    const at = await world(rounds + lifeMs);
    at.store.setNoise(noise);
    at.store.setWriteLife(lifeMs);
    at.store.setStore(weather);
    const lags: number[] = [];
    const outcomes: unknown[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const from = at.facts.length;
      const sentAt = at.timeline.now();
      const seen = new Set<unknown>();
      const renewal = at.outcome(renew(at), 6_000);
      for (let ms = 1; ms <= 2_000; ms += 1) {
        at.timeline.after(ms, () => {
          for (const fact of factsOf(at.facts.slice(from), 'beat')) {
            if (seen.has(fact)) continue;
            seen.add(fact);
            lags.push(at.timeline.now() - sentAt);
          }
        });
      }
      outcomes.push(await renewal);
    }
    return { lags, outcomes, at };
  }

  test.each([100, 500, 2_000])(
    'late_commit: taken after the sender gave up, never more than m = %i ms later',
    async (m) => {
      const { lags, outcomes } = await commitLags({ late_commit: 1 }, m, 40);
      expect(lags).toHaveLength(40);
      // One more: the lags are looked at once per millisecond.
      expect(Math.max(...lags)).toBeLessThanOrEqual(m + 1);
      expect(new Set(outcomes.map(String))).toEqual(
        m > CAP_MS ? new Set(['failed: store_unavailable', 'failed: timed_out']) : expect.anything(),
      );
      expect(outcomes.every((outcome) => typeof outcome === 'string')).toBe(true);
    },
  );

  test('no write is taken later than m after it was sent, whatever delays it', async () => {
    const noise = { delay: 0.5, reorder: 0.3, duplicate: 0.5, late_commit: 0.2, answer_lost: 0.2, loss: 0.2 };
    for (const weather of ['up', 'slow'] as const) {
      const { lags } = await commitLags(noise, 300, 60, weather);
      expect(lags.length).toBeGreaterThan(60);
      expect(Math.max(...lags)).toBeGreaterThan(200);
      expect(Math.max(...lags)).toBeLessThanOrEqual(301);
    }
  });

  test('S2: a renewal that arrives twice is taken once, and its sender learns that; one that lands late is not told', async () => {
    const at = await world();
    const sent = (sentAtBootMs: number) => at.own.renew('s1', beat({ sentAtBootMs }), TTL, CAP_MS);
    at.store.setNoise({ duplicate: 1 });
    expect(await at.outcome(sent(10), 1_000)).toMatchObject({ outcome: 'renewed', heartbeat: { seq: 2 } });
    expect(at.seq()).toBe(2);
    at.store.setNoise({ reorder: 1 });
    const held = sent(20);
    at.store.setNoise({});
    expect(await at.outcome(sent(30), 50)).toMatchObject({ outcome: 'renewed', heartbeat: { seq: 3 } });
    expect(await at.outcome(held, 1_000)).toEqual({ outcome: 'overtaken' });
    expect(await at.outcome(at.own.read(), 100)).toMatchObject({ seq: 3, sentAtBootMs: 30 });
    expect(factsOf(at.facts, 'beat').map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  test('duplicate: a renewal without its moment counts twice, a conditional write once', async () => {
    const at = await world();
    at.store.setNoise({ duplicate: 1 });
    await at.outcome(renew(at), 1_000);
    expect(at.seq()).toBe(3);
    expect(factsOf(at.facts, 'beat').map(({ seq }) => seq)).toEqual([1, 2, 3]);
    await at.outcome(at.registry.put({ pk: 'C#x', sk: 'HOST#h1' }, 1, null), 1_000);
    expect(factsOf(at.facts, 'record_written')).toHaveLength(1);
  });

  test('stale_scan: scans lag behind, strongly consistent reads never do', async () => {
    const at = await world();
    for (let n = 0; n < 20; n += 1) await at.outcome(renew(at), 50);
    at.store.setNoise({ stale_scan: 1 });
    const scanned = new Set<number>();
    for (let n = 0; n < 50; n += 1) {
      const items = await at.outcome(at.heartbeats.scan(), 50);
      if (typeof items !== 'string') for (const { seq } of items) scanned.add(seq);
      expect(await at.outcome(at.heartbeats.read('p1'), 50)).toMatchObject({ seq: 21 });
      expect(await at.outcome(at.own.read(), 50)).toMatchObject({ seq: 21 });
    }
    expect(scanned.has(21)).toBe(false);
    expect(scanned.size).toBeGreaterThan(2);
  });

  test('throttled: a host is told at once, a function tries three times', async () => {
    const at = await world();
    at.store.setNoise({ throttled: 1 });
    expect(await at.outcome(renew(at), 100)).toBe('failed: store_throttled');
    at.facts.length = 0;
    expect(await at.outcome(at.registry.get(KEY), 2_000)).toBe('failed: store_throttled');
    expect(factsOf(at.facts, 'fault')).toHaveLength(3);
  });

  test('reorder: a later request of the same sender overtakes', async () => {
    const at = await world();
    const order: string[] = [];
    at.store.setNoise({ reorder: 1 });
    const first = at.own.renew('s1', beat({ obeyed: 1 }), TTL, CAP_MS);
    void first.then(() => order.push('first'));
    await at.timeline.run(at.timeline.now() + 50);
    at.store.setNoise({});
    void at.own.read().then((found) => order.push(`read ${found?.obeyed}`));
    await at.timeline.run(at.timeline.now() + 450);
    expect(order.sort()).toEqual(['first', 'read 0']);
    expect(at.seq()).toBe(2);
  });

  test('a function whose answer was lost learns on its next attempt that its own write stands', async () => {
    const at = await world();
    at.store.setNoise({ answer_lost: 0.5 });
    const said = new Map<string, number>();
    for (let n = 0; n < 60; n += 1) {
      const answer = String(await at.outcome(at.registry.put({ pk: 'C#x', sk: `HOST#h${n}` }, n, null), 6_000));
      said.set(answer, (said.get(answer) ?? 0) + 1);
    }
    expect([...said.keys()]).not.toContain('conflict');
    expect(said.get('written') ?? 0).toBeGreaterThan(40);
    expect(factsOf(at.facts, 'record_written')).toHaveLength(60);
    expect(factsOf(at.facts, 'fault').length).toBeGreaterThan(20);
  });

  test('only what is switched on happens, and it is told', async () => {
    const at = await world();
    const own = ['loss', 'delay', 'duplicate', 'reorder', 'answer_lost', 'late_commit', 'stale_scan', 'throttled'];
    for (const kind of own) {
      const at2 = await world();
      at2.store.setNoise({ [kind]: 1 });
      await at2.outcome(renew(at2), 3_000);
      await at2.outcome(at2.heartbeats.scan(), 6_000);
      expect(new Set(factsOf(at2.facts, 'fault').map((fault) => fault.kind))).toEqual(new Set([kind]));
    }
    expect(Object.keys(BACKGROUND_FAULTS)).toEqual(expect.arrayContaining(own));
    await at.outcome(renew(at), 3_000);
    expect(factsOf(at.facts, 'fault')).toEqual([]);
  });
});

describe('sim store: states of the store', () => {
  test('down: nobody is answered and nothing is taken', async () => {
    const at = await world();
    at.store.setStore('down');
    expect(await at.outcome(renew(at), CAP_MS + 1)).toMatch(/^failed: (timed_out|store_unavailable)$/);
    expect(at.seq()).toBe(1);
  });

  test('the heartbeats table is gone: an outage, and its items come back with it (S3)', async () => {
    const at = await world();
    at.store.setHeartbeatsTable(false);
    expect(await at.outcome(renew(at), CAP_MS + 1)).toBe('failed: store_unavailable');
    expect(await at.outcome(at.heartbeats.tombstone('p9', 'c', 'h9', 'r', TTL), 6_000)).toBe(
      'failed: store_unavailable',
    );
    expect(await at.outcome(at.registry.get(KEY), 100)).toBeUndefined();
    at.store.setHeartbeatsTable(true);
    expect(await at.outcome(renew(at), 100)).toMatchObject({ outcome: 'renewed', heartbeat: { seq: 2 } });
  });

  test('an item that is gone is missing, and its tombstone is told as a revocation', async () => {
    const at = await world();
    at.store.deleteHeartbeat('p1');
    expect(await at.outcome(renew(at), 100)).toEqual({ outcome: 'missing' });
    expect(await at.outcome(at.heartbeats.tombstone('p1', 'c', 'h1', 'run-1', TTL), 100)).toBe(true);
    expect(factsOf(at.facts, 'revoked')).toEqual([{ type: 'revoked', principal: 'p1', session: '', by: 'run-1' }]);
  });

  test('a revocation is told once, with what it ended', async () => {
    const at = await world();
    await at.outcome(at.heartbeats.revoke('p1', 's1', 1, 'run-1'), 100);
    await at.outcome(at.heartbeats.revoke('p1', 's1', 1, 'run-1'), 100);
    expect(factsOf(at.facts, 'revoked')).toEqual([{ type: 'revoked', principal: 'p1', session: 's1', by: 'run-1' }]);
    expect(await at.outcome(renew(at), 100)).toMatchObject({ outcome: 'refused' });
  });

  test('a restored registry knows what the copy knew, the heartbeats what happened', async () => {
    const at = await world();
    await at.outcome(at.registry.put(KEY, { group: 'db', slots: [] }, null), 100);
    const restore = at.store.snapshotRegistry();
    await at.outcome(at.registry.put(KEY, { group: 'db', slots: [], rev: 2 }, 1), 100);
    await at.outcome(at.registry.put({ pk: 'C#x', sk: 'HOST#h1' }, 1, null), 100);
    await at.outcome(renew(at), 100);
    restore();
    expect(at.store.record(KEY.pk, KEY.sk)).toEqual({ group: 'db', slots: [] });
    expect(at.store.records('C#x', '')).toEqual([]);
    expect(await at.outcome(at.registry.put(KEY, { group: 'db', slots: [] }, 1), 100)).toBe('written');
    expect(at.seq()).toBe(2);
  });
});

test('the same seed, the same world', async () => {
  const run = async (): Promise<string> => {
    const at = await world(7);
    at.store.setNoise({ loss: 0.2, delay: 0.3, duplicate: 0.2, reorder: 0.2, answer_lost: 0.1, late_commit: 0.1 });
    const said: unknown[] = [];
    for (let n = 0; n < 30; n += 1) said.push(await at.outcome(renew(at), 1_000), at.timeline.now(), at.timeline.fired);
    return JSON.stringify([said, at.facts]);
  };
  expect(await run()).toBe(await run());
});
