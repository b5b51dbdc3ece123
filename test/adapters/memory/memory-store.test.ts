import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { MemoryClock } from '../../../adapters/memory/memory-clock.ts';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { memoryTables } from '../../../adapters/memory/memory-tables.ts';
import type { MemoryOperation } from '../../../adapters/memory/memory-tables.ts';
import { HaError } from '../../../core/failures/failures.ts';
import { beat, CAP_MS, registration, TTL } from '../../contract/fixtures.ts';

jest.setTimeout(60_000); // Thousands of cases, on a machine that others use.

const key = { pk: 'C#payments', sk: 'CLUSTER' };

describe('memory store: faults', () => {
  function storeFailing(op: MemoryOperation, phase: 'before' | 'after') {
    const tables = memoryTables();
    let isDown = true;
    const failing = new MemoryStore(tables, {
      faults: (now, at) => {
        if (isDown && now === op && at === phase) throw new HaError('store_unavailable', 'cut');
      },
    });
    return { failing, sound: new MemoryStore(tables), mend: () => (isDown = false) };
  }

  test('before: the request never arrived', async () => {
    const { failing, sound, mend } = storeFailing('registry.put', 'before');
    await expect(failing.registry().put(key, 1, null)).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(await sound.registry().get(key)).toBeUndefined();
    mend();
    expect(await failing.registry().put(key, 1, null)).toBe('written');
  });

  test('after: the answer was lost, what was done stands', async () => {
    const { failing, sound } = storeFailing('own.renew', 'after');
    await sound.ownHeartbeat('h1').register(registration('s1'), null, beat(), TTL);
    await expect(failing.ownHeartbeat('h1').renew('s1', beat(), TTL, CAP_MS)).rejects.toMatchObject({
      code: 'store_unavailable',
    });
    expect((await sound.heartbeats().read('h1'))?.seq).toBe(2);
  });

  test('every operation is named, with what it is about', async () => {
    const seen: string[] = [];
    const store = new MemoryStore(memoryTables(), {
      faults: (op, phase, subject) => {
        if (phase === 'before') seen.push(`${op} ${subject}`);
      },
    });
    const own = store.ownHeartbeat('h1');
    await own.read();
    await own.register(registration('s1'), null, beat(), TTL);
    await own.renew('s1', beat(), TTL, CAP_MS);
    await store.heartbeats().scan();
    await store.heartbeats().read('h1');
    await store.heartbeats().revoke('h1', 's1', 2, 'run-1');
    await store.heartbeats().tombstone('h2', 'payments', 'db-2', 'run-1', TTL);
    await store.heartbeats().direct('h1', 1);
    await store.registry().put(key, 1, null);
    await store.registry().get(key);
    await store.registry().query('C#payments', { limit: 1 });
    await store.registry().remove(key, 1);
    expect(seen).toEqual([
      'own.read h1',
      'own.register h1',
      'own.renew h1',
      'heartbeats.scan ',
      'heartbeats.read h1',
      'heartbeats.revoke h1',
      'heartbeats.tombstone h2',
      'heartbeats.direct h1',
      'registry.put C#payments/CLUSTER',
      'registry.get C#payments/CLUSTER',
      'registry.query C#payments',
      'registry.remove C#payments/CLUSTER',
    ]);
  });

  test('a delayed renewal ends at its cap on the virtual clock, and is committed late', async () => {
    const clock = new MemoryClock();
    const tables = memoryTables();
    const sound = new MemoryStore(tables);
    await sound.ownHeartbeat('h1').register(registration('s1'), null, beat(), TTL);
    const slow = new MemoryStore(tables, {
      sleeper: clock.sleeper,
      faults: (_op, phase) => (phase === 'before' ? clock.sleeper.sleep(500) : undefined),
    });
    const renewal = slow.ownHeartbeat('h1').renew('s1', beat(), TTL, 200);
    const ended = expect(renewal).rejects.toMatchObject({ code: 'timed_out' });
    await clock.advance(200);
    await ended;
    expect((await sound.heartbeats().read('h1'))?.seq).toBe(1);
    await clock.advance(300);
    expect((await sound.heartbeats().read('h1'))?.seq).toBe(2);
  });
});

describe('memory store: requests that are carried', () => {
  test('a request may arrive later, twice or never, and each arrival is atomic', async () => {
    const tables = memoryTables();
    const arriving: (() => void)[] = [];
    const store = new MemoryStore(tables, {
      carry: (request) => new Promise((resolve) => arriving.push(() => resolve(request.commit()))),
    });
    const sound = new MemoryStore(tables);
    await sound.ownHeartbeat('h1').register(registration('s1'), null, beat(), TTL);
    const renewal = store.ownHeartbeat('h1').renew('s1', beat(), TTL, CAP_MS);
    const put = store.registry().put(key, 1, null);
    expect((await sound.heartbeats().read('h1'))?.seq).toBe(1);
    for (const arrive of [...arriving, ...arriving]) arrive();
    expect(await renewal).toMatchObject({ outcome: 'renewed', heartbeat: { seq: 2 } });
    expect((await sound.heartbeats().read('h1'))?.seq).toBe(3);
    expect(await put).toBe('written');
    expect(await sound.registry().get(key)).toMatchObject({ version: 1, body: 1 });
  });

  test('the cap of a renewal is known to whoever carries it', async () => {
    const caps: (number | null)[] = [];
    const store = new MemoryStore(memoryTables(), {
      carry: async (request) => {
        caps.push(request.capMs);
        return request.commit();
      },
    });
    await store.ownHeartbeat('h1').renew('s1', beat(), TTL, 800);
    await store.heartbeats().read('h1');
    expect(caps).toEqual([800, null]);
  });

  test('each write that was taken is told, with what stood there', async () => {
    const told: string[] = [];
    const store = new MemoryStore(memoryTables(), {
      onWritten: ({ table, pk, sk, before, after }) => {
        const seqOf = (text: string | undefined): unknown =>
          text === undefined ? null : (JSON.parse(text) as { seq?: number; version?: number });
        const short = (text: string | undefined): string => {
          const value = seqOf(text) as { seq?: number; version?: number } | null;
          return String(value?.seq ?? value?.version ?? null);
        };
        told.push(`${table} ${pk} ${sk} ${short(before)}>${short(after)}`);
      },
    });
    await store.ownHeartbeat('h1').register(registration('s1'), null, beat(), TTL);
    await store.ownHeartbeat('h1').renew('s1', beat(), TTL, CAP_MS);
    await store.ownHeartbeat('h1').renew('s9', beat(), TTL, CAP_MS);
    await store.registry().put(key, 1, null);
    await store.registry().put(key, 2, null);
    await store.registry().remove(key, 1);
    store.unplant('h1');
    store.unplant('h1');
    expect(told).toEqual([
      'heartbeats h1  null>1',
      'heartbeats h1  1>2',
      'registry C#payments CLUSTER null>1',
      'registry C#payments CLUSTER 1>null',
      'heartbeats h1  2>null',
    ]);
  });

  test('an item that was deleted by hand is gone, and a stale scan may still show it', async () => {
    let behind = 0;
    const store = new MemoryStore(memoryTables(), { staleBy: () => behind });
    await store.ownHeartbeat('h1').register(registration('s1'), null, beat(), TTL);
    store.unplant('h1');
    expect(await store.heartbeats().read('h1')).toBeUndefined();
    expect(await store.heartbeats().scan()).toEqual([]);
    behind = 1;
    expect(await store.heartbeats().scan()).toMatchObject([{ principal: 'h1', seq: 1 }]);
    expect(await store.heartbeats().read('h1')).toBeUndefined();
  });
});

describe('memory store: stale scans', () => {
  test('a scan shows each item as far behind as the hook says; reads stay strong', async () => {
    let behind = 0;
    const store = new MemoryStore(memoryTables(), { staleBy: (principal) => (principal === 'h1' ? behind : 0) });
    for (const host of ['h1', 'h2']) {
      const own = store.ownHeartbeat(host);
      await own.register(registration('s1'), null, beat(), TTL);
      await own.renew('s1', beat(), TTL, CAP_MS);
      await own.renew('s1', beat(), TTL, CAP_MS);
    }
    const scanned = async () =>
      (await store.heartbeats().scan()).map(({ principal, seq }) => `${principal}:${seq}`).sort();
    expect(await scanned()).toEqual(['h1:3', 'h2:3']);
    behind = 1;
    expect(await scanned()).toEqual(['h1:2', 'h2:3']);
    behind = 2;
    expect(await scanned()).toEqual(['h1:1', 'h2:3']);
    behind = 3;
    expect(await scanned()).toEqual(['h2:3']);
    expect((await store.heartbeats().read('h1'))?.seq).toBe(3);
  });

  test('what is kept is bounded', async () => {
    const keptAt: number[] = [];
    const store = new MemoryStore(memoryTables(), {
      staleBy: (_principal, kept) => {
        keptAt.push(kept);
        return 1_000;
      },
    });
    const own = store.ownHeartbeat('h1');
    await own.register(registration('s1'), null, beat(), TTL);
    for (let n = 0; n < 40; n++) await own.renew('s1', beat(), TTL, CAP_MS);
    expect((await store.heartbeats().scan())[0]?.seq).toBe(25);
    expect(keptAt).toEqual([16]);
  });
});

describe('memory store: every interleaving', () => {
  test('S7: a renewal, a revocation and a registration at once leave one truth, whatever the order', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const tables = memoryTables();
        await new MemoryStore(tables).ownHeartbeat('h1').register(registration('s1'), null, beat(), TTL);
        // Requests and answers each arrive in an order of their own.
        const store = new MemoryStore(tables, {
          faults: (op, phase) => scheduler.schedule(Promise.resolve(), `${op} ${phase}`),
        });
        const own = store.ownHeartbeat('h1');
        const racing = Promise.all([
          own.renew('s1', beat(), TTL, CAP_MS),
          store.heartbeats().revoke('h1', 's1', 1, 'run-1'),
          own.register(registration('s2'), 's1', beat(), TTL),
        ]);
        await scheduler.waitAll();
        const [renewed, revoked, registered] = await racing;
        const stands = await new MemoryStore(tables).heartbeats().read('h1');

        // A revocation is exact: whatever came first excludes it, and it excludes whatever comes later.
        if (revoked.outcome === 'revoked') {
          expect([renewed.outcome, registered.outcome]).toEqual(['refused', 'refused']);
          expect(revoked.heartbeat).toMatchObject({ session: 's1', seq: 1 });
          expect(stands?.session).toBe('revoked:run-1');
        } else {
          expect(registered.outcome).toBe('registered');
          expect(stands).toMatchObject({ session: 's2', seq: 1 });
        }
        seen.add(`${renewed.outcome} ${revoked.outcome} ${registered.outcome}`);
      }),
      { numRuns: 2_000 },
    );
    expect([...seen].sort()).toEqual([
      'refused refused registered',
      'refused revoked refused',
      'renewed refused registered',
    ]);
  });
});
