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

    describe('S2: renewals of a session stand in the order in which they were sent', () => {
      const sentAt = (sentAtBootMs: number, obeyed: number) => beat({ sentAtBootMs, obeyed, lists: { 'a/0': obeyed } });
      const overtaken = { outcome: 'overtaken' };

      test('one that was sent before the one that stands is overtaken, changes nothing, and takes no number', async () => {
        const own = await registered(store, 'h1', 's1');
        expect(await own.renew('s1', sentAt(2_000.25, 7), TTL, CAP_MS)).toMatchObject({ outcome: 'renewed' });
        const before = await own.read();
        expect(before).toMatchObject({ seq: 2, obeyed: 7, lists: { 'a/0': 7 }, sentAtBootMs: 2_000.25 });
        expect(await own.renew('s1', sentAt(2_000, 6), TTL + 60, CAP_MS)).toEqual(overtaken);
        expect(await own.read()).toEqual(before);
        const next = await own.renew('s1', sentAt(2_000.5, 8), TTL, CAP_MS);
        expect(next).toMatchObject({ outcome: 'renewed', heartbeat: { seq: 3, obeyed: 8, sentAtBootMs: 2_000.5 } });
      });

      test('as numbers, not as text', async () => {
        const own = await registered(store, 'h1', 's1');
        await own.renew('s1', sentAt(9_999.875, 1), TTL, CAP_MS);
        expect(await own.renew('s1', sentAt(10_000.125, 2), TTL, CAP_MS)).toMatchObject({ outcome: 'renewed' });
        expect(await own.renew('s1', sentAt(9_999.875, 1), TTL, CAP_MS)).toEqual(overtaken);
      });

      test('the same one twice stands once', async () => {
        const own = await registered(store, 'h1', 's1');
        expect(await own.renew('s1', sentAt(2_000, 1), TTL, CAP_MS)).toMatchObject({ heartbeat: { seq: 2 } });
        expect(await own.renew('s1', sentAt(2_000, 1), TTL, CAP_MS)).toEqual(overtaken);
        expect((await own.read())?.seq).toBe(2);
      });

      test('of twenty that race, the latest stands in the end', async () => {
        const own = await registered(store, 'h1', 's1');
        const moments = Array.from({ length: 20 }, (_, i) => 1_000 + ((i * 7) % 20));
        const answers = await Promise.all(moments.map((at) => own.renew('s1', sentAt(at, at), TTL, CAP_MS)));
        const taken = answers.filter(({ outcome }) => outcome === 'renewed').length;
        expect(answers.filter(({ outcome }) => outcome === 'overtaken')).toHaveLength(20 - taken);
        expect(await own.read()).toMatchObject({ sentAtBootMs: 1_019, obeyed: 1_019, seq: 1 + taken });
      });

      test('a registration counts as sent too', async () => {
        const own = store.own('h1');
        await own.register(registration('s1'), null, sentAt(5_000, 0), TTL);
        expect(await own.renew('s1', sentAt(4_000, 1), TTL, CAP_MS)).toEqual(overtaken);
        expect(await own.renew('s1', sentAt(5_001, 1), TTL, CAP_MS)).toMatchObject({ outcome: 'renewed' });
      });

      test.each([
        ['its own moment', 3_000],
        ['none', undefined],
      ])('a registration with %s begins anew, on another clock', async (_, sentAtBootMs) => {
        const host = await registered(store, 'h1', 's1');
        await host.renew('s1', sentAt(900_000, 1), TTL, CAP_MS);
        const answer = await host.register(registration('s2', { bootId: 'boot-2' }), 's1', beat({ sentAtBootMs }), TTL);
        expect(answer).toMatchObject({ outcome: 'registered' });
        expect((await host.read())?.sentAtBootMs).toBe(sentAtBootMs);
        expect(await host.renew('s2', sentAt(3_100, 1), TTL, CAP_MS)).toMatchObject({ outcome: 'renewed' });
        expect(await host.renew('s1', sentAt(900_001, 9), TTL, CAP_MS)).toMatchObject({ outcome: 'refused' });
      });

      test('S19: a moment that is of an earlier session stops nobody, though an agent of before registered over it', async () => {
        const own = await registered(store, 'h1', 's1');
        await own.renew('s1', sentAt(900_000, 1), TTL, CAP_MS);
        const stands = await own.read();
        // Such an agent knows nothing of the moment, and leaves what it finds.
        await store.plant('h1', {
          ...stands,
          principal: undefined,
          session: 's2',
          bootId: 'boot-2',
          seq: 1,
          sentIn: 's1',
        });
        expect(await own.renew('s2', sentAt(3_000, 2), TTL, CAP_MS)).toMatchObject({
          outcome: 'renewed',
          heartbeat: { session: 's2', seq: 2, sentAtBootMs: 3_000 },
        });
        expect(await own.renew('s2', sentAt(2_999, 3), TTL, CAP_MS)).toEqual(overtaken);
      });

      test('S19: an item or a renewal that says no moment is taken as ever', async () => {
        const own = await registered(store, 'h1', 's1');
        expect((await own.read())?.sentAtBootMs).toBeUndefined();
        expect(await own.renew('s1', sentAt(2_000, 1), TTL, CAP_MS)).toMatchObject({ outcome: 'renewed' });
        const older = await own.renew('s1', beat({ obeyed: 2 }), TTL, CAP_MS);
        expect(older).toMatchObject({ outcome: 'renewed', heartbeat: { seq: 3, obeyed: 2, sentAtBootMs: 2_000 } });
      });

      test('S3: of a session that was revoked it is refused, however it lies in time', async () => {
        const own = await registered(store, 'h1', 's1');
        await own.renew('s1', sentAt(2_000, 1), TTL, CAP_MS);
        await store.heartbeats().revoke('h1', 's1', 2, 'run-7');
        expect(await own.renew('s1', sentAt(1_000, 1), TTL, CAP_MS)).toMatchObject({ outcome: 'refused' });
        expect(await own.renew('s1', sentAt(3_000, 1), TTL, CAP_MS)).toMatchObject({ outcome: 'refused' });
      });
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
