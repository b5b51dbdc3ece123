import { describe, expect, jest, test } from '@jest/globals';
import { createWorld, SAMPLE, World } from './world.ts';
import { type HostRecord, keys } from '../../core/protocol/records.ts';
import type { HostScript } from './host-script.ts';
import { CRON, DB, definitionOf, PAIR } from './definitions.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

describe('first placement', () => {
  test('the sample: every slot on a host of its own group, the preferred one first, in epoch 1, without evidence', async () => {
    const world = await createWorld({ yaml: SAMPLE });
    await world.whole();
    expect(world.owner('ledger/0')).toBe('h1');
    expect(['web/0', 'web/1', 'web/2'].map((where) => world.owner(where)).toSorted()).toEqual(['h1', 'h2', 'h3']);
    expect(world.owner('broker/0')).not.toBe(world.owner('broker/1'));
    expect(world.truth.ownerChanges).toHaveLength(6);
    expect(
      world.truth.ownerChanges.every(({ epoch, evidence, from }) => epoch === 1 && evidence === null && from === null),
    ).toBe(true);
    expect(world.runs.map(({ outcome }) => outcome)).toEqual([
      'Placed',
      'Placed',
      'Placed',
      'Placed',
      'Placed',
      'Placed',
    ]);
    expect(world.alerts.pages).toEqual([]);
    // Standbys follow once there is something to stand by for.
    await world.run(2_000);
    expect(world.groups.find(({ group }) => group === 'ledger')?.standbys).toHaveLength(1);
  });

  test('only after every candidate has shown that nothing of it runs there (S20)', async () => {
    const world = await createWorld({ yaml: SAMPLE, scripts: { h3: { probeMs: 8_000 } } });
    await world.run(7_500);
    expect(world.truth.ownerChanges.filter(({ slot }) => !slot.startsWith('web/'))).toEqual([]);
    const places = world.workflow.names.filter(
      (name) => name.startsWith('place.demo.ledger') || name.startsWith('place.demo.broker'),
    );
    expect(places).toEqual([]);
    await world.whole();
    const [first] = world.truth.ownerChanges.filter(({ slot }) => slot === 'ledger/0');
    expect((first?.atMs ?? 0) - 1_700_000_000_000).toBeGreaterThan(8_500);
  });

  test('a preferred host is not passed over for one that was called its standby before anything ran', async () => {
    const world = await createWorld({
      scripts: { h1: { probeMs: 4_000 }, h2: { probeMs: 4_000 }, h3: { probeMs: 4_000 } },
    });
    await world.whole();
    expect(world.owner('ledger/0')).toBe('h1');
  });

  test('I6: no fault, no action: ten minutes without faults moves nothing', async () => {
    const world = await createWorld({ yaml: PAIR });
    await world.whole();
    await world.run(5_000);
    const runs = world.workflow.names.length;
    const groups = JSON.stringify(world.groups);
    await world.run(600_000);
    expect(world.workflow.names).toHaveLength(runs);
    expect(JSON.stringify(world.groups)).toBe(groups);
    expect(world.alerts.pages).toEqual([]);
  }, 60_000);

  test('two clusters of one deployment with groups of the same name do not take each other for done', async () => {
    const world = new World();
    await world.apply(definitionOf({ cluster: 'left', hosts: 2, groups: [DB] }));
    for (const name of ['h1', 'h2']) world.addHost(name).boot();
    world.startControl();
    await world.whole();
    const right = definitionOf({ cluster: 'right', hosts: 2, groups: [DB] }).replaceAll(
      'i-0000000000000000',
      'i-9999999999999999',
    );
    await world.apply(right);
    for (const name of ['h1', 'h2']) world.addHost(name).boot();
    await world.until('the second is placed too', () => world.groups[0]?.slots[0]?.phase === 'Active');
    expect(world.workflow.names).toEqual(['place.left.db.0.e0.1', 'place.right.db.0.e0.1']);
  });
});

describe('a start that fails', () => {
  test('on both hosts: held with a page, and no loop (S15)', async () => {
    const starts: string[] = [];
    const onStart = () => {
      starts.push('try');
      return 'failed' as const;
    };
    const world = await createWorld({ yaml: PAIR, scripts: { h1: { onStart }, h2: { onStart } } });
    await world.until('it is held', () => world.groups[0]?.slots[0]?.phase === 'Held');
    expect(starts).toHaveLength(2);
    expect(world.slot('db/0')).toMatchObject({ phase: 'Held', epoch: 2 });
    expect(world.slot('db/0').evidence?.kind).toBe('released');
    expect(world.alerts.pages).toHaveLength(1);
    expect(world.alerts.pages[0]).toMatchObject({ subject: 'db/0 is held' });
    expect(world.alerts.pages[0]?.text).toContain('h1: a start failed there');
    expect(world.workflow.names).toHaveLength(1);
    // 30 s after a failure a host is better than none, but only for as many moves as the group allows per hour: three.
    await world.run(1_200_000);
    expect(starts).toHaveLength(4);
    expect(world.slot('db/0')).toMatchObject({ phase: 'Held', epoch: 4 });
  });

  test('everywhere, for a moment only: tried again after 30 s, without a person', async () => {
    let isOverloaded = true;
    const onStart = () => (isOverloaded ? ('failed' as const) : ('started' as const));
    const world = await createWorld({ yaml: PAIR, scripts: { h1: { onStart }, h2: { onStart } } });
    await world.until('it is held', () => world.groups[0]?.slots[0]?.phase === 'Held');
    isOverloaded = false;
    await world.run(45_000);
    expect(world.slot('db/0')).toMatchObject({ phase: 'Active', epoch: 3 });
  });

  test('on one host: it runs on the other, and says what happened', async () => {
    const world = await createWorld({ yaml: PAIR, scripts: { h1: { onStart: () => 'failed' } } });
    await world.whole();
    expect(world.owner('db/0')).toBe('h2');
    expect(world.alerts.pages).toEqual([]);
  });

  test('without a word from the host: after the limit of its services it is taken back', async () => {
    const world = await createWorld({ yaml: PAIR, scripts: { h1: { onStart: () => 'silent' } } });
    await world.whole();
    const changes = world.truth.ownerChanges.map(({ to }) => to);
    if (changes.length === 2) expect(world.truth.ownerChanges[1]).toMatchObject({ evidence: 'released', to: 'h2' });
    expect(world.owner('db/0')).toBe('h2');
  });

  test('and will not stop either: held on its host, a person is called, nothing is started elsewhere', async () => {
    const script: Partial<HostScript> = { onStart: () => 'failed', onRelease: () => 'stuck' };
    const world = await createWorld({ yaml: PAIR, scripts: { h1: script, h2: script } });
    await world.until('it is held', () => world.groups[0]?.slots[0]?.phase === 'Held');
    await world.run(30_000);
    expect(world.slot('db/0')).toMatchObject({ epoch: 1, evidence: null });
    expect(world.alerts.pages.length).toBeGreaterThan(0);
    expect(world.alerts.pages[0]?.text).toContain('did not release db/0');
  });
});

describe('a service that fails beyond its local restarts', () => {
  test("runs elsewhere, in a new epoch, by the owner's own release", async () => {
    const world = await createWorld({ yaml: PAIR });
    await world.whole();
    const first = world.owner('db/0') ?? '';
    world.host(first).fail('db/0', 'db crashed 3 times');
    await world.until('it runs again', () => world.slot('db/0').epoch === 2 && world.isActive('db/0'));
    expect(world.owner('db/0')).not.toBe(first);
    await world.whole();
    expect(world.runs.at(-1)).toMatchObject({ work: 'Restart', outcome: 'Restarted' });
    expect(world.slot('db/0').tookOverBy?.kind).toBe('released');
  });

  test('also where nobody stands by for it: not on the host where it has just failed', async () => {
    const world = await createWorld({ yaml: definitionOf({ hosts: 2, groups: [CRON] }) });
    await world.whole();
    const first = world.owner('cron/0') ?? '';
    world.host(first).fail('cron/0', 'crashed');
    await world.until('it runs again', () => world.slot('cron/0').epoch === 2 && world.isActive('cron/0'));
    expect(world.owner('cron/0')).not.toBe(first);
  });

  test('again and again: as often as the group allows per window, then it is left alone and a person is called', async () => {
    const world = await createWorld({ yaml: PAIR });
    await world.whole();
    const limit = world.definition.groups[0]?.limits.movesPerWindow ?? 0;
    for (let round = 0; round < limit + 3; round += 1) {
      if (world.isActive('db/0')) world.host(world.owner('db/0') ?? '').fail('db/0', 'crashed');
      await world.run(20_000);
    }
    expect(limit).toBeGreaterThan(0);
    expect(world.slot('db/0')).toMatchObject({ phase: 'Failed', epoch: 1 + limit });
    expect(world.alerts.pages.filter(({ subject }) => subject === 'db/0 has failed')).toHaveLength(1);
  });

  test('with no place anywhere: nothing is stopped, a person is called, and it is tried again ever more rarely (S15)', async () => {
    const world = await createWorld({ yaml: PAIR });
    await world.whole();
    await world.run(1_000);
    const first = world.owner('db/0') ?? '';
    for (const name of world.hosts.keys()) {
      const key = keys.host(world.cluster, name);
      const stored = await world.ports.registry.get<HostRecord>(key);
      if (stored !== undefined)
        await world.ports.registry.put(key, { ...stored.body, admin: 'locked' }, stored.version);
    }
    world.host(first).fail('db/0', 'crashed');
    await world.run(300_000);
    const restarts = world.runs.filter(({ work }) => work === 'Restart');
    expect(restarts.length).toBeGreaterThanOrEqual(3);
    expect(restarts.length).toBeLessThanOrEqual(12);
    expect(restarts[0]).toMatchObject({ phase: 'Held', outcome: 'Held' });
    expect(world.alerts.pages.length).toBeGreaterThan(0);
    expect(world.slot('db/0').epoch).toBe(1);
  });

  test('stops by itself and stays stopped: noticed, and restarted elsewhere (I11)', async () => {
    const world = await createWorld({ yaml: PAIR });
    await world.whole();
    const first = world.owner('db/0') ?? '';
    world.host(first).stopQuietly('db/0');
    await world.until('it runs again', () => world.slot('db/0').epoch === 2 && world.isActive('db/0'));
  });
});

describe('the definition changes', () => {
  test('a removed group is stopped with evidence; its record keeps the epoch, from which it goes on when it is back (S20)', async () => {
    const world = await createWorld({ yaml: definitionOf({ hosts: 2, groups: [DB, CRON] }) });
    await world.whole();
    const epoch = world.slot('cron/0').epoch;
    await world.apply(PAIR);
    await world.until('it is stopped', () => world.slot('cron/0').evidence !== null);
    await world.run(3_000);
    expect(world.truth.runners('cron/0')).toEqual([]);
    expect(world.slot('cron/0')).toMatchObject({ epoch, phase: 'Stopped', claim: null });
    expect(world.slot('cron/0').evidence?.kind).toBe('released');
    expect(world.runs.at(-1)).toMatchObject({ work: 'Stop', outcome: 'Stopped' });
    expect(world.alerts.pages).toEqual([]);
    await world.apply(definitionOf({ hosts: 2, groups: [DB, CRON] }));
    await world.whole();
    expect(world.slot('cron/0').epoch).toBe(epoch + 1);
  });

  test('its owner dies first: evidence all the same, and nobody is called about what is no longer wanted', async () => {
    const world = await createWorld({ yaml: definitionOf({ hosts: 2, groups: [DB, CRON] }) });
    await world.whole();
    world.host(world.owner('cron/0') ?? '').die();
    await world.apply(PAIR);
    await world.until('it is over', () => world.slot('cron/0').evidence !== null);
    await world.run(5_000);
    expect(world.slot('cron/0').evidence?.kind).toBe('lease-over');
    expect(world.alerts.pages.filter(({ text }) => text.includes('cron'))).toEqual([]);
  });
});

describe('between the choice and the write', () => {
  test('a host that an operator locks meanwhile is not given the slot: it is chosen anew', async () => {
    const world = await createWorld({ yaml: definitionOf({ hosts: 3, groups: [DB] }) });
    await world.whole();
    await world.run(2_000);
    const from = world.owner('db/0') ?? '';
    const to = world.groups[0]?.standbys[0]?.host ?? '';
    let queries = Number.NaN;
    let isLocked = false;
    world.invoke = (task) => {
      if (task.state === 'Place') queries = 0;
      return world.call(task);
    };
    // The choice is made on two queries, hosts and groups; the third looks again before the write.
    world.faults = (op, phase) => {
      if (isLocked || op !== 'registry.query' || phase !== 'before') return;
      queries += 1;
      if (queries !== 3) return;
      isLocked = true;
      lock(world, to);
    };
    world.host(from).die();
    await world.until('it was locked', () => isLocked);
    await world.whole();
    expect(world.truth.ownerChanges.map((change) => change.to)).not.toContain(to);
    expect(['h1', 'h2', 'h3'].filter((name) => name !== from && name !== to)).toContain(world.owner('db/0'));
  });
});

/** As an operator's verb leaves it, in the very moment of a read. */
function lock(world: World, host: string): void {
  const { pk, sk } = keys.host(world.cluster, host);
  const records = world.tables.registry.get(pk);
  const { version, body } = JSON.parse(records?.get(sk) ?? '{}') as { version: number; body: HostRecord };
  records?.set(sk, JSON.stringify({ version: version + 1, body: { ...body, admin: 'locked', adminReason: 'x' } }));
}

describe('the kill switch', () => {
  test('while HA is off nothing starts, moves or stops; once it is on again everything does', async () => {
    const world = await createWorld({ yaml: definitionOf({ hosts: 2, groups: [DB, CRON] }) });
    await world.whole();
    await world.setHaEnabled(false);
    const owner = world.owner('db/0') ?? '';
    const epochs = [world.slot('db/0').epoch, world.slot('cron/0').epoch];
    world.host(owner).die();
    await world.apply(PAIR);
    await world.run(20_000);
    expect([world.slot('db/0').epoch, world.slot('cron/0').epoch]).toEqual(epochs);
    expect(world.truth.runners('db/0')).toEqual([]);
    expect(world.workflow.names.filter((name) => name.startsWith('stop.'))).toEqual([]);
    await world.setHaEnabled(true);
    await world.whole();
    await world.until('what is no longer defined is stopped', () => world.slot('cron/0').evidence !== null);
  });

  test('before the first placement: nothing is started', async () => {
    const world = await createWorld({ yaml: PAIR, off: ['h1', 'h2'] });
    await world.setHaEnabled(false);
    for (const host of world.hosts.values()) host.boot();
    await world.run(10_000);
    expect(world.truth.ownerChanges).toEqual([]);
    expect(world.workflow.names).toEqual([]);
  });

  test('an operator may still move', async () => {
    const world = await createWorld({ yaml: PAIR });
    await world.whole();
    await world.run(2_000);
    await world.setHaEnabled(false);
    const first = world.owner('db/0');
    const { run = '' } = await world.move('db/0');
    await world.whole();
    expect(world.runRecord(run)?.outcome).toBe('Moved');
    expect(world.owner('db/0')).not.toBe(first);
  });
});
