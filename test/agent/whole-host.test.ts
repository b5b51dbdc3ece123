import { beforeEach, describe, expect, test } from '@jest/globals';
import { EMPTY_LEDGER } from '../../core/lease/ledger.ts';
import type { Order } from '../../core/protocol/records.ts';
import { group, service } from '../core/supervision/fixtures.ts';
import { WholeHost } from './whole-host.ts';

let host: WholeHost;

beforeEach(async () => {
  host = new WholeHost();
  await host.assign(1, []);
});

function startOrder(session: string): Order {
  const spec = group([service('web')]);
  const list = { no: 1, hosts: ['h1'] };
  return { id: 'o1', verb: 'start', group: 'shop', slot: 0, epoch: 1, session, list, spec };
}

/** L_h 2,800 ms, beats every 250 ms, w 400 ms. */
async function active(): Promise<void> {
  host.start();
  await host.clock.advance(1_000);
  await host.assign(2, [startOrder('s1')]);
  await host.clock.advance(1_000);
}

describe('from power on', () => {
  test('it cleans up, registers, beats, obeys and reports', async () => {
    host.running.add('left from before');
    host.start();
    await host.clock.advance(1_000);
    expect([...host.running]).toEqual([]);
    expect(await host.heartbeat()).toMatchObject({ session: 's1', guardLevel: 'init', machine: 'm-h1' });
    await host.assign(2, [startOrder('s1')]);
    await host.clock.advance(1_000);
    expect([...host.running]).toEqual(['web']);
    expect(await host.report('o1')).toMatchObject({ outcome: 'started', epoch: 1 });
    expect(await host.heartbeat()).toMatchObject({ obeyed: 2, slots: [{ group: 'shop', phase: 'Active' }] });
    expect(host.guard?.state().ledger.entries).toMatchObject([{ group: 'shop', epoch: 1, covered: true }]);
  });

  test('two hosts in the same world say the same at the same moments', async () => {
    await active();
    const first = { logged: host.logged, tables: host.tables };
    host = new WholeHost();
    await host.assign(1, []);
    await active();
    expect(host.logged).toEqual(first.logged);
    expect(host.tables).toEqual(first.tables);
    expect(host.logged.length).toBeGreaterThan(1);
  });
});

test("orders for another session are not obeyed: a release by a clone would be heard as the owner's", async () => {
  await active();
  const other = { ...startOrder('s-other'), epoch: 3 };
  const orders: readonly Order[] = [
    { ...other, id: 'o2', verb: 'release' },
    { ...other, id: 'o3', verb: 'standby', slot: 1 },
    { ...other, id: 'o4', slot: 2 },
  ];
  await host.assign(3, orders);
  await host.clock.advance(70_000);
  for (const { id } of orders) expect(await host.report(id)).toBeUndefined();
  expect([...host.running]).toEqual(['web']);
});

test('an agent that dies is followed by another in the same session, and its services run on', async () => {
  await active();
  host.killAgent('SIGSEGV');
  await host.clock.advance(1_000);
  expect(host.agents).toBe(2);
  expect(host.logged).toContainEqual(expect.stringMatching(/guard warn the agent ended \(SIGSEGV\)$/));
  const before = (await host.heartbeat())?.seq ?? 0;
  await host.clock.advance(1_000);
  expect(await host.heartbeat()).toMatchObject({ session: 's1', seq: before + 4 });
  expect([...host.running]).toEqual(['web']);
});

test('S4: cut off from the store, what is covered is stopped before the lease has run out', async () => {
  await active();
  host.isCut = true;
  await host.clock.advance(1_300);
  expect([...host.running]).toEqual(['web']);
  // The last renewal was sent at most 250 ms before the cut: its deadline is at 2,550 to 2,800 ms from there.
  await host.clock.advance(1_200);
  expect([...host.running]).toEqual([]);
  host.isCut = false;
  await host.clock.advance(3_000);
  expect([...host.running]).toEqual(['web']);
});

test('a drain releases, reports the session closed, and ends the guard with 0', async () => {
  await active();
  host.guard?.drain();
  await host.clock.advance(1_000);
  expect([...host.running]).toEqual([]);
  expect(await host.report('closed.s1')).toMatchObject({ outcome: 'released', session: 's1' });
  expect(host.exits).toEqual([0]);
});

test('without its init it ends the agent and every service, however long that takes, and goes', async () => {
  await active();
  host.endingMs = 5_000;
  void host.guard?.endAll();
  await host.clock.advance(4_000);
  expect(host.exits).toEqual([]);
  await host.clock.advance(2_000);
  expect([...host.running]).toEqual([]);
  expect(host.exits).toEqual([1]);
  expect(host.agents).toBe(1);
});

describe('S1: what will not stop', () => {
  test.each([0, 1])('resets the host before anything is registered (%i resets so far)', async (resets) => {
    host.ledger.content = { state: 'read', value: { ...EMPTY_LEDGER, resets } };
    host.canEnd = false;
    host.start();
    await host.clock.advance(10_000);
    expect(host.exits).toEqual([75]);
    expect(host.ledger.content).toMatchObject({ value: { resets: resets + 1 } });
    expect(host.agents).toBe(0);
  });

  test('after two resets it stays unregistered and says so every minute', async () => {
    host.ledger.content = { state: 'read', value: { ...EMPTY_LEDGER, resets: 2 } };
    host.canEnd = false;
    host.start();
    await host.clock.advance(180_000);
    expect(host.exits).toEqual([]);
    expect(host.agents).toBe(0);
    expect(await host.heartbeat()).toBeUndefined();
    expect(host.logged.filter((line) => line.endsWith('unregistered: something will not stop'))).toHaveLength(3);
  });

  test('a ledger that cannot be read is said, and the host starts with an empty one', async () => {
    host.ledger.content = { state: 'unreadable', why: 'not JSON' };
    host.start();
    await host.clock.advance(1_000);
    expect(host.logged[0]).toContain('the ledger cannot be read (not JSON)');
    expect(await host.heartbeat()).toMatchObject({ session: 's1' });
  });
});
