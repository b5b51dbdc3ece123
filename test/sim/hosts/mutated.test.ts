/** Each mutation does what it says; what it breaks is what the checkers look at. */
import { describe, expect, test } from '@jest/globals';
import { MemoryAccess, memoryTables } from '../../../adapters/memory/memory-tables.ts';
import type { Mutation } from '../../../sim/contract/mutations.ts';
import { writesOf } from '../../../sim/hosts/mutated-writes.ts';
import { Trial } from './trial.ts';

async function running(mutation: Mutation | null): Promise<Trial> {
  const trial = new Trial(mutation === null ? {} : { mutation });
  await trial.running();
  return trial;
}

/** By how much covered services outlived deadline and b at worst, on a slow host with a watchdog that loses its lease. */
async function overstayMs(mutation: Mutation | null): Promise<number> {
  let worst = -Infinity;
  for (let seed = 1; seed <= 60; seed += 1) {
    const trial = new Trial({ level: 'watchdog', seed, ...(mutation === null ? {} : { mutation }) });
    await trial.running();
    trial.hosts.setServices('h1', 'slow_host', true);
    trial.cut.add('h1');
    await trial.run(900);
    const untilMs = trial.belief()?.untilMs ?? 0;
    await trial.until('nothing runs', () => trial.services().length === 0);
    for (const { at } of trial.of('service_down')) worst = Math.max(worst, at - untilMs - 500);
  }
  return worst;
}

describe('mutations of hosts', () => {
  test('feed-at-1w: what cannot be killed outlives the deadline and b; fed at 2w it does not', async () => {
    expect(await overstayMs(null)).toBeLessThanOrEqual(0);
    expect(await overstayMs('feed-at-1w')).toBeGreaterThan(0);
  });

  test.each([
    [null, false],
    ['lease-from-ack', true],
  ] as const)('%s: a deadline lies beyond the write and the lease: %s', async (mutation, isBeyond) => {
    const trial = await running(mutation);
    await trial.run(5_000);
    const [beat] = trial.of('beat').slice(-1);
    expect((trial.belief()?.untilMs ?? 0) > (beat?.at ?? 0) + 10_000).toBe(isBeyond);
  });

  test.each([
    [null, false],
    ['sequence-by-agent', true],
  ] as const)('%s: versions of a session repeat: %s', async (mutation, isRepeated) => {
    const trial = await running(mutation);
    trial.hosts.signal('h1', 'agent', 'kill');
    await trial.run(5_000);
    const versions = trial.of('beat').map(({ session, seq }) => `${session} ${seq}`);
    expect(new Set(versions).size < versions.length).toBe(isRepeated);
  });

  test('forget-m: the session is judged without the life of writes under way', async () => {
    const trial = await running('forget-m');
    expect(trial.heartbeat()?.timing).toMatchObject({ takerWaitMs: 11_499.5, writeLifeMs: 0, killMs: 500 });
    expect((await running(null)).heartbeat()?.timing).toMatchObject({ takerWaitMs: 12_000, writeLifeMs: 500 });
  });

  test('renew-without-condition: a revoked session stands again', async () => {
    const trial = await running('renew-without-condition');
    const session = trial.heartbeat()?.session;
    await trial.revoke();
    await trial.run(3_000);
    expect(trial.heartbeat()?.session).toBe(session);
    expect(trial.services()).toHaveLength(2);
  });

  test('go-on-after-refusal: a revoked session goes on', async () => {
    const trial = await running('go-on-after-refusal');
    await trial.revoke();
    await trial.run(30_000);
    expect(trial.heartbeat()?.session).toBe('revoked:run-1');
    expect(trial.services()).toHaveLength(2);
    expect(trial.belief()?.untilMs).toBeGreaterThan(trial.timeline.now());
  });

  test.each([
    [null, undefined],
    ['recreate-missing-item', 1],
  ] as const)('%s: a missing item comes back with seq %s', async (mutation, seq) => {
    const trial = await running(mutation);
    trial.deleteItem();
    await trial.until('a beat was due', () => trial.heartbeat() !== undefined, 1_200).catch(() => undefined);
    expect(trial.heartbeat()?.seq).toBe(seq);
  });

  test('start-in-released-epoch: something of a released epoch runs', async () => {
    const trial = await running('start-in-released-epoch');
    await trial.assign([trial.order('release', 1)]);
    await trial.until('it is released', () => trial.belief()?.slots.length === 0);
    await trial.run(2_000);
    expect(trial.names()).toEqual(['db/0 again e1']);
  });

  test('guard-in-agent: a stopped agent outlives its deadline', async () => {
    const trial = await running('guard-in-agent');
    trial.hosts.signal('h1', 'agent', 'stop');
    await trial.run(30_000);
    expect(trial.services()).toHaveLength(2);
    expect(trial.belief()?.untilMs).toBeLessThan(trial.timeline.now() - 10_000);
    trial.hosts.signal('h1', 'agent', 'kill');
    await trial.until('the next one has cleaned up', () => trial.services().length === 0);
    await trial.until('and has registered', () => trial.isRegistered());
    expect(trial.of('bug')).toEqual([]);
  });

  test('register-by-machine: a late registration replaces a newer one of its machine', async () => {
    const trial = await running(null);
    const { principal, seq, directive, ...item } = trial.heartbeat() ?? { principal: '', seq: 0, directive: 0 };
    const plant = async (mutation: Mutation | null): Promise<string> => {
      const access = new MemoryAccess(memoryTables(), {});
      access.plant('p', { ...trial.heartbeat(), session: 'newer' });
      const late = { ...trial.heartbeat(), ...item, session: 'late' } as Parameters<
        ReturnType<ReturnType<typeof writesOf>>['register']
      >[0];
      const beat = { obeyed: 0, slots: [], lists: {}, sentAtWallMs: 0 };
      const answer = await writesOf(mutation ?? 'feed-at-1w')(access, 'p').register(late, 'older', beat, 1);
      return `${answer.outcome} ${access.readHeartbeat('p')?.heartbeat.session ?? ''}`;
    };
    expect([seq > 0, directive > 0, principal]).toEqual([true, true, undefined]);
    expect(await plant(null)).toBe('refused newer');
    expect(await plant('register-by-machine')).toBe('registered late');
  });
});
