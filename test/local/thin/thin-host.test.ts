import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { readDefinition } from '../../../adapters/node/definition-file.ts';
import { bootClock } from '../../../adapters/node/boot-clock.ts';
import type { Definition } from '../../../core/config/model.ts';
import { type Assignment, type Heartbeat, keys, type Order, type Report } from '../../../core/protocol/records.ts';
import { ThinLife } from '../../../local/thin/thin-host.ts';
import { parseThinSize, thinDefinition } from '../../../local/thin/thin-definition.ts';
import { until } from '../fleet/until.ts';

const PRINCIPAL = 'arn:thin';

/** Real time, and a lease that runs out within the test. */
function definition(): Definition {
  const read = readDefinition([{ content: thinDefinition({ hosts: 2, groups: 1 }, 'demo') }]);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.definition;
}

let store: MemoryStore;
let network: { isCut: boolean };
let released: Map<string, number>;
const lives: ThinLife[] = [];
let n = 0;

beforeEach(async () => {
  store = new MemoryStore();
  network = { isCut: false };
  released = new Map();
  n = 0;
  await assign([]);
});

afterEach(() => {
  for (const life of lives.splice(0)) life.end();
});

function boot(bootId: string): ThinLife {
  const life = new ThinLife(
    { cluster: 'thin', host: 't001', machine: 'i-00000000000000001', principal: PRINCIPAL },
    { bootId, launchTime: '2026-01-01T00:00:00.000Z' },
    {
      clock: bootClock(),
      store: { own: store.ownHeartbeat(PRINCIPAL), registry: store.registry() },
      network,
      released,
      log: () => undefined,
    },
  );
  lives.push(life);
  return life;
}

async function assign(orders: readonly Order[]): Promise<void> {
  n += 1;
  const { timing } = definition();
  const body: Assignment = { n, cluster: 'thin', host: 't001', rev: 1, incarnation: 'first', timing, orders };
  const registry = store.registry();
  const old = await registry.get(keys.assignment(PRINCIPAL));
  await registry.put(keys.assignment(PRINCIPAL), body, old?.version ?? null);
  await store.heartbeats().direct(PRINCIPAL, n);
}

function order(verb: Order['verb'], session: string, epoch: number): Order {
  const [spec] = definition().groups;
  if (spec === undefined) throw new Error('no group');
  const id = `${verb}.${String(epoch)}.${session}`;
  return { id, verb, group: 'g001', slot: 0, epoch, session, list: { no: 1, hosts: ['t001'] }, spec };
}

function item(): Promise<Heartbeat | undefined> {
  return store.heartbeats().read(PRINCIPAL);
}

async function phase(): Promise<string> {
  const [slot] = (await item())?.slots ?? [];
  return slot === undefined ? 'none' : `${slot.phase} ${String(slot.epoch)}`;
}

async function registered(not = ''): Promise<string> {
  await until('a session', async () => ![undefined, not].includes((await item())?.session));
  return (await item())?.session ?? '';
}

async function report(id: string): Promise<string | undefined> {
  return (await store.registry().get<Report>(keys.report(PRINCIPAL, id)))?.body.outcome;
}

describe('thin host', () => {
  test('registers, beats, starts what it is ordered to, and releases it for good', async () => {
    boot('b1');
    const session = await registered();
    const { seq } = (await item()) ?? { seq: 0 };
    await until('beats', async () => ((await item())?.seq ?? 0) > seq);
    const start = order('start', session, 1);
    await assign([start]);
    await until('Active', async () => (await phase()) === 'Active 1');
    await until('the report', async () => (await report(start.id)) === 'started');
    expect((await item())?.lists).toEqual({ 'g001/0': 1 });

    const release = order('release', session, 1);
    await assign([release]);
    await until('the release', async () => (await report(release.id)) === 'released');
    await assign([{ ...start, id: 'again' }]);
    await until('the refusal', async () => (await report('again')) === 'refused');
    expect(await phase()).not.toBe('Active 1');
  });

  test('ends what is covered when it is cut off for longer than its lease, and takes it up in the same epoch', async () => {
    boot('b1');
    const session = await registered();
    await assign([order('start', session, 1)]);
    await until('Active', async () => (await phase()) === 'Active 1');
    network.isCut = true;
    const { seq } = (await item()) ?? { seq: 0 };
    // The demo lease of 2.8 s less twice the watchdog's 0.4 s.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect((await item())?.seq).toBeLessThanOrEqual(seq + 1);
    network.isCut = false;
    await until('what it says after the cut', async () => ['Stopped 1', 'Starting 1'].includes(await phase()));
    await until('Active again', async () => (await phase()) === 'Active 1');
    expect((await item())?.session).toBe(session);
  });

  test('a revoked session runs nothing any more; the next one begins empty', async () => {
    boot('b1');
    const session = await registered();
    await assign([order('start', session, 1)]);
    await until('Active', async () => (await phase()) === 'Active 1');
    await until('the revocation', async () => {
      const { seq } = (await item()) ?? { seq: 0 };
      return (await store.heartbeats().revoke(PRINCIPAL, session, seq, 'run-1')).outcome === 'revoked';
    });
    await until('the next session', async () => ((await item())?.session ?? '') !== session && !(await isRevoked()));
    expect(await phase()).toBe('none');
  });

  test('off, it says nothing; on again, it is another session of the same machine', async () => {
    const life = boot('b1');
    const session = await registered();
    life.end();
    const { seq } = (await item()) ?? { seq: 0 };
    boot('b2');
    expect(await registered(session)).not.toBe(session);
    expect(seq).toBeGreaterThan(0);
  });
});

async function isRevoked(): Promise<boolean> {
  return (await item())?.session.startsWith('revoked:') ?? true;
}

describe('thin definition', () => {
  test('is valid at every size, with a pair of hosts for every group', () => {
    for (const size of ['2x1', '7x20', '200x200']) {
      const read = readDefinition([{ content: thinDefinition(parseThinSize(size)) }]);
      expect(read.ok).toBe(true);
      if (!read.ok) continue;
      for (const { placement } of read.definition.groups) {
        const possible = read.definition.hosts.filter(({ labels }) => labels['pool'] === placement.require['pool']);
        expect(possible.length).toBeGreaterThanOrEqual(2);
      }
    }
  });

  test('refuses sizes that are none', () => {
    for (const size of ['200', '1x5', '501x1', '10x0', 'x', '10x1001'])
      expect(() => parseThinSize(size)).toThrow(/--thin/);
  });
});
