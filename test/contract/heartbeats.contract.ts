import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { beat, CAP_MS, registered, registration, TTL } from './fixtures.ts';
import type { StoreFamily, StoreUnderTest } from './fixtures.ts';

export function heartbeatsContract(family: StoreFamily): void {
  describe(`heartbeats: ${family.name}`, () => {
    let store: StoreUnderTest;
    beforeEach(async () => {
      store = await family.open();
    });
    afterAll(() => family.close());

    test('S7: revoking exactly (session, sequence) ends the session and returns the item as found', async () => {
      const own = await registered(store, 'h1', 's1');
      await own.renew('s1', beat({ lists: { 'postgres/0': 9 } }), TTL, CAP_MS);
      const answer = await store.heartbeats().revoke('h1', 's1', 2, 'run-1');
      expect(answer).toMatchObject({
        outcome: 'revoked',
        heartbeat: {
          principal: 'h1',
          session: 's1',
          seq: 2,
          lists: { 'postgres/0': 9 },
          slots: [{ group: 'postgres', slot: 0, epoch: 3, phase: 'Active' }],
        },
      });
      expect((await store.heartbeats().read('h1'))?.session).toBe('revoked:run-1');
      const renewal = await own.renew('s1', beat(), TTL, CAP_MS);
      expect(renewal).toMatchObject({ outcome: 'refused', found: { session: 'revoked:run-1', seq: 2 } });
    });

    test.each([
      ['an older sequence', 's1', 1],
      ['a sequence not reached', 's1', 3],
      ['another session', 's0', 2],
    ])('S7: %s is refused and harms nothing', async (_, session, seq) => {
      const own = await registered(store, 'h1', 's1');
      await own.renew('s1', beat(), TTL, CAP_MS);
      const answer = await store.heartbeats().revoke('h1', session, seq, 'run-1');
      expect(answer).toMatchObject({ outcome: 'refused', found: { session: 's1', seq: 2 } });
      expect(await own.renew('s1', beat(), TTL, CAP_MS)).toMatchObject({ outcome: 'renewed' });
    });

    test('revoking a missing item is refused and creates none', async () => {
      expect(await store.heartbeats().revoke('h1', 's1', 1, 'run-1')).toEqual({ outcome: 'refused', found: undefined });
      expect(await store.heartbeats().read('h1')).toBeUndefined();
    });

    test('S17: the same run is told again what it revoked, even after a directive', async () => {
      await registered(store, 'h1', 's1');
      const first = await store.heartbeats().revoke('h1', 's1', 1, 'run-1');
      expect(await store.heartbeats().revoke('h1', 's1', 1, 'run-1')).toEqual(first);
      await store.heartbeats().direct('h1', 5);
      expect(await store.heartbeats().revoke('h1', 's1', 1, 'run-1')).toMatchObject({
        outcome: 'revoked',
        heartbeat: { session: 's1', seq: 1, lists: { 'postgres/0': 2 }, directive: 5 },
      });
    });

    test('S17: another run, or the same run about another version, is shown who revoked', async () => {
      await registered(store, 'h1', 's1');
      await store.heartbeats().revoke('h1', 's1', 1, 'run-1');
      const found = { session: 'revoked:run-1', seq: 1 };
      expect(await store.heartbeats().revoke('h1', 's1', 1, 'run-2')).toMatchObject({ outcome: 'refused', found });
      expect(await store.heartbeats().revoke('h1', 's1', 2, 'run-1')).toMatchObject({ outcome: 'refused', found });
      expect(await store.heartbeats().revoke('h1', 's0', 1, 'run-1')).toMatchObject({ outcome: 'refused', found });
    });

    test('a host comes back over its revocation by naming it; the run then sees the successor', async () => {
      const own = await registered(store, 'h1', 's1');
      await store.heartbeats().revoke('h1', 's1', 1, 'run-1');
      const back = await own.register(registration('s2'), 'revoked:run-1', beat(), TTL);
      expect(back).toMatchObject({ outcome: 'registered', heartbeat: { session: 's2', seq: 1 } });
      const again = await store.heartbeats().revoke('h1', 's1', 1, 'run-1');
      expect(again).toMatchObject({ outcome: 'refused', found: { session: 's2' } });
    });

    test('S7: of a renewal and a revocation at once exactly one is done', async () => {
      const heartbeats = store.heartbeats();
      const hosts = Array.from({ length: 40 }, (_unused, i) => `h${i}`);
      await Promise.all(
        hosts.map(async (host, i) => {
          const own = await registered(store, host, 's1');
          const revoke = () => heartbeats.revoke(host, 's1', 1, 'run-1');
          const renew = () => own.renew('s1', beat(), TTL, CAP_MS);
          const [first, second] = await Promise.all(i % 2 === 0 ? [renew(), revoke()] : [revoke(), renew()]);
          const done = [first, second].filter(({ outcome }) => outcome !== 'refused');
          expect(done).toHaveLength(1);
          const stands = (await heartbeats.read(host))?.session;
          expect(stands).toBe(done[0]?.outcome === 'renewed' ? 's1' : 'revoked:run-1');
        }),
      );
    });

    test('S3: a tombstone stands only where nothing stood, and no session comes back over it unseen', async () => {
      const heartbeats = store.heartbeats();
      expect(await heartbeats.tombstone('h1', 'payments', 'db-1', 'run-1', TTL)).toBe(true);
      expect(await heartbeats.read('h1')).toMatchObject({
        session: 'revoked:run-1',
        machine: 'tombstone',
        cluster: 'payments',
        host: 'db-1',
        guardLevel: 'none',
        rules: 0,
        ttl: TTL,
      });
      expect(await store.own('h1').renew('s1', beat(), TTL, CAP_MS)).toMatchObject({ outcome: 'refused' });
      expect(await store.own('h1').register(registration('s2'), null, beat(), TTL)).toMatchObject({
        outcome: 'refused',
        found: { machine: 'tombstone' },
      });
    });

    test('a tombstone over an item is refused; over its own it is done already', async () => {
      await registered(store, 'h1', 's1');
      expect(await store.heartbeats().tombstone('h1', 'payments', 'db-1', 'run-1', TTL)).toBe(false);
      expect((await store.heartbeats().read('h1'))?.session).toBe('s1');
      await store.heartbeats().tombstone('h2', 'payments', 'db-2', 'run-1', TTL);
      expect(await store.heartbeats().tombstone('h2', 'payments', 'db-2', 'run-1', TTL)).toBe(true);
      expect(await store.heartbeats().tombstone('h2', 'payments', 'db-2', 'run-2', TTL)).toBe(false);
    });

    test('S17: directives only rise, in whatever order they arrive', async () => {
      await registered(store, 'h1', 's1');
      const heartbeats = store.heartbeats();
      await Promise.all([3, 9, 1, 7, 9, 2].map((n) => heartbeats.direct('h1', n)));
      expect((await heartbeats.read('h1'))?.directive).toBe(9);
      await heartbeats.direct('h1', 8);
      expect((await heartbeats.read('h1'))?.directive).toBe(9);
      await heartbeats.direct('h1', 10);
      expect((await heartbeats.read('h1'))?.directive).toBe(10);
    });

    test('a hurry reaches the host with its next renewal, and stays over a new session', async () => {
      const own = await registered(store, 'h1', 's1');
      await store.heartbeats().hurry('h1', 1_700_000_000_123);
      const hurried = { heartbeat: { hurry: 1_700_000_000_123 } };
      expect(await own.renew('s1', beat(), TTL, CAP_MS)).toMatchObject(hurried);
      expect(await own.register(registration('s2'), 's1', beat(), TTL)).toMatchObject(hurried);
    });

    test('a directive or a hurry to a missing host creates no item', async () => {
      await store.heartbeats().direct('h1', 3);
      await store.heartbeats().hurry('h1', 3);
      expect(await store.heartbeats().read('h1')).toBeUndefined();
    });

    test('a scan shows every item, over several pages', async () => {
      const hosts = Array.from({ length: 30 }, (_unused, i) => `h${String(i).padStart(2, '0')}`);
      const bulky = beat({
        slots: [{ group: 'g', slot: 0, epoch: 1, phase: 'Active', health: 'ok', detail: 'x'.repeat(60_000) }],
      });
      await Promise.all(hosts.map((host) => store.own(host).register(registration(`s-${host}`), null, bulky, TTL)));
      const found = await store.heartbeats().scan();
      expect(found.map(({ principal }) => principal).sort()).toEqual(hosts);
    });

    test('malformed items do not break a scan: they are left out, and told', async () => {
      await registered(store, 'good', 's1');
      const whole = { ...registration('s1'), ...beat(), ttl: TTL, seq: 1 };
      await store.plant('empty', {});
      await store.plant('text-seq', { ...whole, seq: '1' });
      await store.plant('negative-seq', { ...whole, seq: -1 });
      await store.plant('no-timing', { ...whole, timing: undefined });
      await store.plant('negative-wait', { ...whole, timing: { ...whole.timing, takerWaitMs: -5 } });
      await store.plant('odd-slot', { ...whole, slots: [7] });
      await store.plant('odd-lists', { ...whole, lists: ['postgres/0'] });
      const told: Record<string, string> = {};
      const found = await store.heartbeats((principal, why) => (told[principal] = why)).scan();
      expect(found.map(({ principal }) => principal)).toEqual(['good']);
      expect(told).toEqual({
        empty: 'session is no string',
        'text-seq': 'seq is no finite number',
        'negative-seq': 'seq is no whole number of 0 or more',
        'no-timing': 'timing is no map',
        'negative-wait': 'takerWaitMs is negative',
        'odd-slot': 'slots is no map',
        'odd-lists': 'lists is no map',
      });
    });

    test('S8: reading or revoking a malformed item is an outage, not an answer', async () => {
      await store.plant('h1', { session: 's1' });
      await expect(store.heartbeats().read('h1')).rejects.toMatchObject({ code: 'store_unavailable' });
      await expect(store.heartbeats().revoke('h1', 's1', 1, 'run-1')).rejects.toMatchObject({
        code: 'store_unavailable',
      });
    });
  });
}
