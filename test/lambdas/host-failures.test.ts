import { describe, expect, jest, test } from '@jest/globals';
import type { LateRecord } from '../../core/protocol/observer-records.ts';
import type { Heartbeat } from '../../core/protocol/records.ts';
import { keys } from '../../core/protocol/records.ts';
import type { StatusView } from '../../core/protocol/views.ts';
import { definitionOf, DB, PAIR } from './definitions.ts';
import { createWorld, ROOMY, type World } from './world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

/** Moments of the revocations that were sent, and what the observer had on record then. */
function watchRevocations(
  world: World,
): { readonly atMs: number; readonly observedAtMs: number; readonly lastRenewalMs: number }[] {
  const seen: { atMs: number; observedAtMs: number; lastRenewalMs: number }[] = [];
  const renewals = new Map<string, { readonly version: string; readonly atMs: number }>();
  world.faults = (op, phase, subject) => {
    const text = world.tables.heartbeats.get(subject);
    if (op !== 'heartbeats.revoke' || phase !== 'before' || text === undefined) return;
    const { host, session, seq } = JSON.parse(text) as Heartbeat;
    if (session.startsWith('revoked:')) return;
    const late = world.record<LateRecord>(keys.late(world.cluster, host));
    const renewed = renewals.get(subject);
    seen.push({
      atMs: world.clock.wall.now(),
      observedAtMs: late?.observedAtMs ?? Number.NaN,
      lastRenewalMs: renewed?.version === `${session}#${seq}` ? renewed.atMs : Number.NaN,
    });
  };
  const look = (): void => {
    for (const [principal, text] of world.tables.heartbeats) {
      const { session, seq } = JSON.parse(text) as Heartbeat;
      const version = `${session}#${seq}`;
      if (renewals.get(principal)?.version !== version)
        renewals.set(principal, { version, atMs: world.clock.wall.now() });
    }
    world.clock.after(1, look);
  };
  look();
  return seen;
}

const outcomes = (world: World): readonly (string | null)[] =>
  world.runs.filter(({ work }) => work === 'HA').map(({ outcome }) => outcome);

describe('a host dies', () => {
  test.each([
    ['demo', 3_400],
    ['fast', 13_000],
    ['standard', 34_000],
  ] as const)(
    'profile %s: revoked L_c + ε after it was observed, and not before; then its slots run elsewhere',
    async (profile, waitMs) => {
      const world = await createWorld({ yaml: ROOMY.replace('profile: demo', `profile: ${profile}`) });
      await world.whole();
      const revocations = watchRevocations(world);
      await world.run(1_000);
      const lost = ['ledger/0', 'broker/0', 'broker/1', 'web/0', 'web/1'].filter(
        (where) => world.owner(where) === 'h1',
      );
      expect(lost).toContain('ledger/0');
      const epochs = lost.map((where) => world.slot(where).epoch);
      world.host('h1').die();
      await world.until(
        'ledger runs elsewhere',
        () => world.isActive('ledger/0') && world.owner('ledger/0') !== 'h1',
        90_000,
      );
      await world.whole(60_000);

      expect(revocations).toHaveLength(1);
      const [revocation] = revocations;
      const heldMs = (revocation?.atMs ?? 0) - (revocation?.observedAtMs ?? 0);
      expect(heldMs).toBeGreaterThanOrEqual(waitMs);
      expect(heldMs).toBeLessThanOrEqual(waitMs + 200);
      expect(revocation?.observedAtMs).toBeGreaterThanOrEqual(revocation?.lastRenewalMs ?? Number.NaN);
      const [run] = world.runs.filter(({ work }) => work === 'HA');
      expect(run).toMatchObject({ host: 'h1', phase: 'Done', outcome: 'Recovered' });
      expect(world.steps(run?.run ?? '')[0]?.says).toMatch(
        /^h1 no longer renews its lease: the last renewal was version \d+ of its session /,
      );
      expect(outcomes(world)).toHaveLength(1);
      expect(world.hostRecord('h1')).toMatchObject({ status: 'Fenced', claim: null });
      expect(lost.map((where) => world.slot(where).epoch)).toEqual(epochs.map((epoch) => epoch + 1));
      for (const where of lost)
        expect(world.slot(where).tookOverBy).toMatchObject({ kind: 'lease-over', host: 'h1', run: run?.run });
      expect(world.alerts.pages).toEqual([]);
      const names = world.steps(run?.run ?? '').map(({ step }) => step);
      expect(names).toEqual(
        expect.arrayContaining([
          'Open',
          'Ask heartbeat',
          'Ask registry',
          'Verdict',
          'Fence',
          'Revoke',
          'Await proof',
          'Stop',
          'Plan',
          'Place ledger/0',
          'Close',
        ]),
      );
    },
  );

  test('the new host dies while it starts: its own run takes over', async () => {
    const world = await createWorld({ yaml: definitionOf({ hosts: 3, groups: [DB] }) });
    await world.whole();
    for (const host of world.hosts.values()) host.script.startMs = 1_500;
    const first = world.owner('db/0') ?? '';
    world.host(first).die();
    await world.until('a second host owns it', () => world.owner('db/0') !== first);
    const second = world.owner('db/0') ?? '';
    await world.run(300);
    world.host(second).die();
    await world.whole();
    expect(world.slot('db/0').epoch).toBe(3);
    expect([first, second]).not.toContain(world.owner('db/0'));
    expect(world.truth.ownerChanges.slice(1).map(({ evidence }) => evidence)).toEqual(['lease-over', 'lease-over']);
  });

  test('it comes back after its end was proven: it stands by, and nothing moves back', async () => {
    const world = await createWorld({ yaml: PAIR });
    await world.whole();
    const first = world.owner('db/0') ?? '';
    world.host(first).die();
    await world.until('the other runs it', () => world.isActive('db/0') && world.owner('db/0') !== first);
    world.host(first).boot();
    await world.until('it stands by', () => world.groups[0]?.standbys.some(({ host }) => host === first) === true);
    await world.run(5_000);
    expect(world.slot('db/0').epoch).toBe(2);
    expect(world.hostRecord(first)).toMatchObject({ status: 'Up', tombstoneAtMs: null });
  });
});

describe('a host is only late', () => {
  test('it renews just before the revocation: the run closes as Alive and nothing has changed', async () => {
    const world = await createWorld();
    await world.whole();
    await world.run(1_000);
    const before = world.groups.map(({ slots }) => slots.map(({ owner, epoch }) => ({ owner, epoch })));
    const revocations = watchRevocations(world);
    world.host('h1').isCut = true;
    await world.run(3_000);
    world.host('h1').isCut = false;
    await world.until('the run has ended', () => world.workflow.running.length === 0);
    await world.whole();
    expect(revocations).toEqual([]);
    expect(outcomes(world)).toEqual(['Alive']);
    expect(world.groups.map(({ slots }) => slots.map(({ owner, epoch }) => ({ owner, epoch })))).toEqual(before);
    expect(world.hostRecord('h1')).toMatchObject({ status: 'Up', claim: null });
    expect(world.alerts.pages).toEqual([]);
  });

  test('it renews while the revocation is on its way: refused, and Alive', async () => {
    const world = await createWorld();
    await world.whole();
    let sent = 0;
    world.faults = async (op, phase) => {
      if (op !== 'heartbeats.revoke' || phase !== 'before') return;
      sent += 1;
      world.host('h1').isCut = false;
      await world.clock.sleeper.sleep(300);
    };
    world.host('h1').isCut = true;
    await world.until('a run was opened', () => world.workflow.running.length > 0);
    await world.until('it has ended', () => world.workflow.running.length === 0);
    expect(sent).toBe(1);
    expect(outcomes(world)).toEqual(['Alive']);
    await world.whole();
    expect(world.truth.ownerChanges.every(({ from }) => from === null)).toBe(true);
  });

  test('two runs for one host: the second is a duplicate and takes nothing from the first', async () => {
    const world = await createWorld();
    await world.whole();
    world.host('h1').die();
    await world.until('a run was opened', () => world.hostRecord('h1')?.claim !== null);
    const first = world.workflow.running[0] ?? '';
    const { cluster, host, session, seq } = world.workflow.execution(first)?.input as Record<string, string | number>;
    await world.ports.workflow.start('second', { cluster, host, session, seq });
    await world.run(100);
    expect(world.workflow.execution('second')?.status).toBe('SUCCEEDED');
    expect(world.workflow.visited).toContain('Duplicate: close');
    expect(world.hostRecord('h1')?.claim?.run).toBe(first);
    expect(world.runRecord('second')).toBeUndefined();
    await world.until('ledger runs elsewhere', () => world.isActive('ledger/0') && world.owner('ledger/0') !== 'h1');
    await world.whole();
    expect(outcomes(world)).toEqual(['Recovered']);
  });
});

describe('certain ends need no wait', () => {
  test('a quick reboot: the successor is evidence at once', async () => {
    const world = await createWorld({ scripts: { h1: { bootMs: 100 } } });
    await world.whole();
    await world.run(1_000);
    const rebootedAtMs = world.clock.wall.now();
    world.host('h1').boot();
    await world.until(
      'ledger runs in a new epoch',
      () => world.slot('ledger/0').epoch === 2 && world.isActive('ledger/0'),
    );
    expect(world.clock.wall.now() - rebootedAtMs).toBeLessThan(2_000);
    await world.whole();
    expect(world.slot('ledger/0').tookOverBy).toMatchObject({ kind: 'successor', host: 'h1' });
    expect(world.alerts.pages).toEqual([]);
    await world.run(3_000);
    expect(world.hostRecord('h1')?.status).toBe('Up');
  });

  test('the only host there is reboots: its slots come back to it, and nobody is called', async () => {
    const world = await createWorld({ yaml: PAIR, off: ['h2'], scripts: { h1: { bootMs: 100 } } });
    await world.whole();
    world.host('h1').boot();
    await world.until('it runs again', () => world.slot('db/0').epoch === 2 && world.isActive('db/0'));
    expect(world.owner('db/0')).toBe('h1');
    expect(world.alerts.pages).toEqual([]);
  });

  test('an orderly shutdown: closed', async () => {
    const world = await createWorld();
    await world.whole();
    await world.run(1_000);
    const endedAtMs = world.clock.wall.now();
    await world.host('h1').shutdown();
    await world.until('ledger runs elsewhere', () => world.isActive('ledger/0') && world.owner('ledger/0') !== 'h1');
    expect(world.clock.wall.now() - endedAtMs).toBeLessThan(3_000);
    await world.whole();
    expect(world.slot('ledger/0').tookOverBy).toMatchObject({ kind: 'closed', host: 'h1' });
  });
});

describe('what cannot be proven is held', () => {
  test('guard level none: never lease-over, a person is called; a new session of the machine ends it (S4)', async () => {
    const world = await createWorld({
      yaml: PAIR,
      scripts: { h1: { guardLevel: 'none' }, h2: { guardLevel: 'none' } },
    });
    await world.whole();
    const owner = world.owner('db/0') ?? '';
    world.host(owner).die();
    await world.run(60_000);
    expect(world.slot('db/0')).toMatchObject({ epoch: 1, evidence: null });
    expect(world.hostRecord(owner)?.status).toBe('Alert');
    expect(outcomes(world)[0]).toBe('Held');
    expect(world.alerts.pages.length).toBeGreaterThan(0);
    expect(world.alerts.pages[0]?.text).toContain('guard level is none');
    expect(world.alerts.pages.length).toBeLessThan(15);
    expect(world.truth.evidences).toEqual([]);
    world.host(owner).boot();
    await world.whole();
    expect(world.slot('db/0').tookOverBy?.kind).toBe('successor');
  });

  test('unknown rules version: held (S7)', async () => {
    const world = await createWorld({ yaml: PAIR, scripts: { h1: { rules: 99 }, h2: { rules: 99 } } });
    await world.whole();
    world.host(world.owner('db/0') ?? '').die();
    await world.run(20_000);
    expect(world.slot('db/0')).toMatchObject({ epoch: 1, evidence: null });
    expect(outcomes(world)[0]).toBe('Held');
    expect(world.alerts.pages[0]?.text).toContain('rules version 99');
  });
});

describe('a heartbeat item vanishes', () => {
  test.each([true, false])(
    'a tombstone is written, the wait counts from there, then lease-over (host alive: %s)',
    async (isAlive) => {
      const world = await createWorld({ yaml: PAIR });
      await world.whole();
      const owner = world.owner('db/0') ?? '';
      if (!isAlive) world.host(owner).die();
      world.tables.heartbeats.delete(world.host(owner).principal);
      await world.until('a tombstone stands', () => world.hostRecord(owner)?.tombstoneAtMs !== null);
      const stoneAtMs = world.hostRecord(owner)?.tombstoneAtMs ?? 0;
      await world.until('it was taken over', () => world.slot('db/0').epoch === 2);
      const [proven] = world.truth.evidences;
      // A host that lives meets the tombstone, ends its session and registers anew, which is evidence too.
      if (isAlive) expect(['lease-over', 'successor']).toContain(proven?.kind);
      else {
        expect(proven?.kind).toBe('lease-over');
        expect((proven?.atMs ?? 0) - stoneAtMs).toBeGreaterThanOrEqual(3_400);
      }
      await world.whole();
    },
  );

  test('another machine under the same name is no successor: the old session is waited out (S7)', async () => {
    const world = await createWorld({ yaml: PAIR });
    await world.whole();
    const owner = world.owner('db/0') ?? '';
    // The old machine is cut off and runs on until its lease ends; its clone registers where the item was.
    world.host(owner).isCut = true;
    world.tables.heartbeats.delete(world.host(owner).principal);
    const clone = world.cloneHost(owner);
    clone.boot();
    await world.until('the clone stands in the item', () => world.hostRecord(owner)?.replaced !== undefined);
    const seenAtMs = world.hostRecord(owner)?.replaced?.atMs ?? 0;
    await world.until('it was taken over', () => world.slot('db/0').epoch === 2);
    const [proven] = world.truth.evidences;
    expect(proven?.kind).toBe('lease-over');
    expect((proven?.atMs ?? 0) - seenAtMs).toBeGreaterThanOrEqual(3_400);
  });

  test('a machine that replaces a dead one under its name takes part as soon as the old session is over', async () => {
    const world = await createWorld({ yaml: PAIR });
    await world.whole();
    const owner = world.owner('db/0') ?? '';
    world.host(owner).die();
    world.cloneHost(owner).boot();
    await world.until('it was taken over', () => world.slot('db/0').epoch === 2 && world.isActive('db/0'));
    await world.whole();
    expect(world.slot('db/0').tookOverBy?.kind).toBe('lease-over');
  });

  test('of a host that owns nothing: nothing moves', async () => {
    const world = await createWorld({ yaml: PAIR });
    await world.whole();
    const idle = world.owner('db/0') === 'h1' ? 'h2' : 'h1';
    world.host(idle).die();
    world.tables.heartbeats.delete(world.host(idle).principal);
    await world.run(15_000);
    expect(world.slot('db/0').epoch).toBe(1);
    expect(world.workflow.running).toEqual([]);
  });

  test('all items at once: doubt comes first (S13), and everything runs again without a person', async () => {
    const world = await createWorld({ yaml: PAIR });
    await world.whole();
    world.tables.heartbeats.clear();
    await world.run(3_000);
    expect(world.workflow.names.filter((name) => name.startsWith('ha.'))).toEqual([]);
    await world.run(30_000);
    await world.whole();
  });
});

describe('many fail', () => {
  test('all hosts die and come back: everything is active without a person', async () => {
    const world = await createWorld();
    await world.whole();
    for (const host of world.hosts.values()) host.die();
    await world.run(20_000);
    expect(world.truth.runners('ledger/0')).toEqual([]);
    for (const host of world.hosts.values()) host.boot();
    await world.whole();
    await world.run(5_000);
    expect([...world.hosts.keys()].map((name) => world.hostRecord(name)?.status)).toEqual(['Up', 'Up', 'Up']);
  });

  test('three hosts die one after another and return', async () => {
    const world = await createWorld();
    await world.whole();
    for (const name of ['h1', 'h2', 'h3']) {
      world.host(name).die();
      await world.run(2_000);
    }
    await world.run(6_000);
    for (const name of ['h3', 'h2', 'h1']) {
      world.host(name).boot();
      await world.run(1_500);
    }
    await world.whole();
  });

  test('a cut that heals: the host that was taken over from has stopped by itself', async () => {
    const world = await createWorld();
    await world.whole();
    world.host('h1').isCut = true;
    await world.until('ledger runs elsewhere', () => world.isActive('ledger/0') && world.owner('ledger/0') !== 'h1');
    world.host('h1').isCut = false;
    await world.whole();
    await world.run(5_000);
    expect(world.hostRecord('h1')?.status).toBe('Up');
  });
});

test('the bound of a run is that of the status where the host owns something of every group (V10)', async () => {
  const world = await createWorld({ yaml: definitionOf({ hosts: 2, groups: [DB] }) });
  await world.whole();
  world.host(world.owner('db/0') ?? '').die();
  await world.until('a run is opened', () => world.runs.some(({ work }) => work === 'HA'));
  const { bound } = JSON.parse((await world.http('GET', '/api/v1/status')).body) as StatusView;
  // demo: 0.25 s + 3.4 s / 0.999 + 0.2 s, and one start of 2 s.
  expect(bound.recoveryMs).toBe(5_854);
  expect(world.runs.find(({ work }) => work === 'HA')?.boundMs).toBe(5_854);
});
