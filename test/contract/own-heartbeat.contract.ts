import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { beat, CAP_MS, registered, registration, TTL } from './fixtures.ts';
import type { StoreFamily, StoreUnderTest } from './fixtures.ts';

export function ownHeartbeatContract(family: StoreFamily): void {
  describe(`own heartbeat: ${family.name}`, () => {
    let store: StoreUnderTest;
    beforeEach(async () => {
      store = await family.open();
    });
    afterAll(() => family.close());

    test('a host that never registered reads nothing', async () => {
      expect(await store.own('h1').read()).toBeUndefined();
    });

    test('registration writes the whole item, and reading gives it back', async () => {
      const own = store.own('arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc');
      const sent = beat({
        slots: [
          { group: 'données-🗄', slot: 1, epoch: 0, phase: 'Standby', health: 'warn', detail: '' },
          { group: 'b', slot: 0, epoch: 9_007_199_254_740_991, phase: 'Held', health: 'failed', detail: undefined },
        ],
        lists: {},
      });
      const answer = await own.register(registration('s1'), null, sent, TTL);
      expect(answer.outcome).toBe('registered');
      expect(await own.read()).toEqual({
        principal: 'arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc',
        session: 's1',
        seq: 1,
        directive: 0,
        ttl: 1_800_000_000,
        cluster: 'payments',
        host: 'db-1',
        machine: 'i-0abc',
        bootId: 'boot-1',
        launchTime: '2026-11-21T08:00:00.000Z',
        guardLevel: 'watchdog',
        rules: 1,
        timing: {
          intervalMs: 1_000,
          holderLeaseMs: 10_000,
          takerWaitMs: 12_000,
          killMs: 500,
          writeLifeMs: 500,
          freezeMs: 500,
          clockRateError: 0.001,
        },
        agentVersion: '0.1.0',
        incarnation: 'first',
        mayHold: true,
        obeyed: 0,
        slots: [
          { group: 'données-🗄', slot: 1, epoch: 0, phase: 'Standby', health: 'warn', detail: '' },
          { group: 'b', slot: 0, epoch: 9_007_199_254_740_991, phase: 'Held', health: 'failed' },
        ],
        lists: {},
        sentAtWallMs: 1_764_000_000_123,
      });
    });

    test.each([
      ['no item', null],
      ['a session', 'old'],
    ])('S1: of fifty that register over %s, exactly one wins', async (_, expected) => {
      if (expected !== null) await registered(store, 'h1', expected);
      const racers = Array.from({ length: 50 }, (_unused, i) => `racer-${i}`);
      const answers = await Promise.all(
        racers.map((session) => store.own('h1').register(registration(session), expected, beat(), TTL)),
      );
      const winners = racers.filter((_unused, i) => answers[i]?.outcome === 'registered');
      expect(winners).toHaveLength(1);
      expect((await store.own('h1').read())?.session).toBe(winners[0]);
    });

    test('S1: a late registration does not replace a newer one, and is shown who stands there', async () => {
      const own = await registered(store, 'h1', 's1');
      await own.register(registration('s2'), 's1', beat(), TTL);
      const late = await own.register(registration('late'), 's1', beat(), TTL);
      expect(late).toMatchObject({ outcome: 'refused', found: { session: 's2', seq: 1 } });
      expect((await own.read())?.session).toBe('s2');
    });

    test('a registration over an item that is gone is refused, and creates none', async () => {
      const answer = await store.own('h1').register(registration('s2'), 's1', beat(), TTL);
      expect(answer).toEqual({ outcome: 'refused', found: undefined });
      expect(await store.own('h1').read()).toBeUndefined();
    });

    test.each([
      ['what it read first', null],
      ['its own session, as it reads now', 's1'],
    ])(
      'S2: registering again after a lost answer, naming %s, is registered and resets nothing',
      async (_, expected) => {
        const own = await registered(store, 'h1', 's1');
        await own.renew('s1', beat(), TTL, CAP_MS);
        const again = await own.register(registration('s1'), expected, beat(), TTL);
        expect(again).toMatchObject({ outcome: 'registered', heartbeat: { session: 's1', seq: 2 } });
        expect((await own.read())?.seq).toBe(2);
      },
    );

    test('naming its own session does not register a session that another has replaced', async () => {
      const own = await registered(store, 'h1', 's2');
      const answer = await own.register(registration('s1'), 's1', beat(), TTL);
      expect(answer).toMatchObject({ outcome: 'refused', found: { session: 's2' } });
    });

    test('a new session starts at 1 and keeps the directive of the control plane', async () => {
      const own = await registered(store, 'h1', 's1');
      await own.renew('s1', beat(), TTL, CAP_MS);
      await store.heartbeats().direct('h1', 7);
      const answer = await own.register(registration('s2', { bootId: 'boot-2' }), 's1', beat(), TTL);
      expect(answer).toMatchObject({ outcome: 'registered', heartbeat: { seq: 1, directive: 7, bootId: 'boot-2' } });
    });

    test('S2: the store advances the sequence, and the renewal brings the beat in and the directive back', async () => {
      const own = await registered(store, 'h1', 's1');
      await store.heartbeats().direct('h1', 4);
      const first = await own.renew('s1', beat({ obeyed: 3, slots: [], lists: { 'a/0': 5 } }), TTL + 60, CAP_MS);
      expect(first).toMatchObject({
        outcome: 'renewed',
        heartbeat: {
          seq: 2,
          directive: 4,
          obeyed: 3,
          slots: [],
          lists: { 'a/0': 5 },
          ttl: 1_800_000_060,
          host: 'db-1',
        },
      });
      const second = await own.renew('s1', beat(), TTL, CAP_MS);
      expect(second).toMatchObject({ outcome: 'renewed', heartbeat: { seq: 3 } });
    });

    test('S2: renewals sent at once each have a number of their own', async () => {
      const own = await registered(store, 'h1', 's1');
      const answers = await Promise.all(Array.from({ length: 20 }, () => own.renew('s1', beat(), TTL, CAP_MS)));
      const numbers = answers.map((answer) => (answer.outcome === 'renewed' ? answer.heartbeat.seq : 0));
      expect(numbers.sort((a, b) => a - b)).toEqual([
        2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
      ]);
    });

    test('S3: a renewal that finds another session is refused, shows it, and changes nothing', async () => {
      const own = await registered(store, 'h1', 's2');
      const answer = await own.renew('s1', beat({ obeyed: 99 }), TTL, CAP_MS);
      expect(answer).toMatchObject({ outcome: 'refused', found: { session: 's2', seq: 1, obeyed: 0 } });
      expect(await own.read()).toMatchObject({ session: 's2', seq: 1, obeyed: 0 });
    });

    test('S3: a renewal that finds no item says so, and creates none', async () => {
      expect(await store.own('h1').renew('s1', beat(), TTL, CAP_MS)).toEqual({ outcome: 'missing' });
      expect(await store.own('h1').read()).toBeUndefined();
    });

    test('S8: an own item that cannot be read is an outage, not news', async () => {
      await store.plant('h1', { ...registration('s1'), ...beat(), ttl: TTL, seq: 'one' });
      await expect(store.own('h1').read()).rejects.toMatchObject({ code: 'store_unavailable' });
      await expect(store.own('h1').renew('s1', beat(), TTL, CAP_MS)).rejects.toMatchObject({
        code: 'store_unavailable',
      });
    });

    test('words of a newer agent are read as those that claim least', async () => {
      const slot = { group: 'g', slot: 0, epoch: 1, phase: 'Rehearsing', health: 'splendid' };
      await store.plant('h1', {
        ...registration('s1'),
        ...beat(),
        guardLevel: 'hypervisor',
        slots: [slot],
        seq: 1,
        ttl: TTL,
        colour: 'blue',
      });
      const found = await store.own('h1').read();
      expect(found).toMatchObject({ guardLevel: 'none', slots: [{ phase: 'Unknown', health: 'warn' }] });
      expect(found).not.toHaveProperty('colour');
    });
  });
}
