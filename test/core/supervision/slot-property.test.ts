import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { rememberedOf, restoredSlot } from '../../../core/supervision/memory.ts';
import { slotReport } from '../../../core/supervision/report.ts';
import { SERVICE_TABLE } from '../../../core/supervision/service-table.ts';
import { slotStep } from '../../../core/supervision/slot.ts';
import { SLOT_TABLE } from '../../../core/supervision/slot-table.ts';
import { EMPTY_SLOT, type SlotEvent, type SlotState } from '../../../core/supervision/state.ts';
import { instant } from '../../../core/time/time.ts';
import { CHAIN, order, service } from './fixtures.ts';
import { World } from './world.ts';

jest.setTimeout(60_000); // Thousands of cases, on a machine that others use.

const SERVICES = [...CHAIN, service('extra', { impact: 'minor', dependsOn: ['address'] })];
const NAMES = ['web', 'database', 'volume', 'address', 'extra'];
const DEPENDS: Readonly<Record<string, readonly string[]>> = {
  web: ['database'],
  database: ['volume'],
  extra: ['address'],
};

type Deed = { readonly what: number; readonly n: number; readonly luck: number };

const deeds = fc.array(fc.record({ what: fc.nat(19), n: fc.nat(20), luck: fc.nat(9) }), {
  minLength: 20,
  maxLength: 200,
});

/** Mostly lets things under way end; sometimes orders, stops, crashes and time. */
function play(world: World, list: readonly Deed[]): void {
  let epoch = 1;
  world.send({ type: 'start', order: order(epoch, SERVICES) });
  for (const { what, n, luck } of list) {
    if (what === 0) world.send({ type: 'start', order: order((epoch += n % 2), SERVICES) });
    else if (what === 1) world.send({ type: 'start', order: order(Math.max(1, epoch - (n % 2)), SERVICES) });
    else if (what === 2) world.send({ type: 'stop', reason: 'lease' });
    else if (what === 3) world.send({ type: 'resume' });
    else if (what === 4 && luck === 0) world.send({ type: 'stop', reason: 'order' });
    else if (what === 4 && luck === 1)
      world.send({ type: 'stop', reason: 'release', order: order(epoch, SERVICES, 'release') });
    else if (what === 4 && luck < 4)
      world.send({ type: 'standby', order: order((epoch += n % 2), SERVICES, 'standby') });
    else if (what === 5) world.crash(NAMES[n % NAMES.length] ?? '');
    else if (what === 6) world.pass(n * 1_000);
    else world.settle(n, luck);
  }
}

/** Services that start and stop well but crash again and again, under a guard that refuses now and then. */
function playCrashes(world: World, list: readonly Deed[]): void {
  world.send({ type: 'start', order: order(1, SERVICES) });
  for (const { what, n, luck } of list) {
    if (what < 2) world.crash(NAMES[n] ?? 'address');
    else if (what === 2) world.pass(n * 1_000);
    else world.settle(n, world.isLeaveNext(n) ? luck : 0);
  }
}

/** A host that is to stand by while strangers run, which nobody here may stop and which go one after the other. */
function playStandby(world: World, list: readonly Deed[]): void {
  for (const [index, { n }] of list.slice(0, 3).entries()) world.running.set(NAMES[n % NAMES.length] ?? '', index);
  world.send({ type: 'standby', order: order(5, SERVICES, 'standby') });
  for (const { what, n, luck } of list) {
    if (what < 2) world.running.delete(NAMES[n % NAMES.length] ?? '');
    else if (what < 5) world.pass(n * 1_000);
    else world.settle(n, luck);
  }
}

describe('safety, whatever fails, lies or comes late', () => {
  const holds = (what: (world: World) => void, how: typeof play = play) =>
    fc.assert(
      fc.property(deeds, (list) => {
        const world = new World();
        how(world, list);
        what(world);
      }),
      { numRuns: 2_000 },
    );

  test('S6: every start is by a leave that was asked for after the last stop and has just been granted', () => {
    holds((world) => expect(world.starts.filter((start) => !start.isFresh)).toEqual([]));
  });

  test('no start before everything it depends on is active', () => {
    holds((world) => {
      for (const start of world.starts)
        expect(start.active).toEqual(expect.arrayContaining([...(DEPENDS[start.service] ?? [])]));
    });
  });

  test('S7: at a report of "released" nothing runs', () => {
    holds((world) => expect(world.releases.filter(({ running }) => running.length > 0)).toEqual([]));
  });

  test.each([
    ['whatever happens', play],
    ['while strangers run', playStandby],
  ])('S20: at a report of "standing-by" nothing runs, %s', (_, how) => {
    holds((world) => expect(world.standbys.filter((running) => running.length > 0)).toEqual([]), how);
  });

  test('S6: nothing starts in a released epoch', () => {
    holds((world) => {
      const before = world.starts.length;
      const { epoch } = world.releases.at(-1) ?? { epoch: 0 };
      world.send({ type: 'start', order: order(epoch, SERVICES) });
      for (let round = 0; round < 50; round += 1) world.settle(0, 0);
      expect(world.starts.slice(before).filter((start) => start.epoch <= epoch)).toEqual([]);
    });
  });

  test('after a stop has completed nothing runs, but for what is named as left', () => {
    holds((world) => {
      world.send({ type: 'stop', reason: 'release', order: order(1_000, SERVICES, 'release') });
      for (let round = 0; round < 300 && !world.isQuiet(); round += 1) world.settle(round, 6 - (round % 7));
      expect(world.isQuiet()).toBe(true);
      const left = Object.entries(world.state.services).filter(([, { condition }]) => condition === 'stop-failed');
      expect(left.map(([name]) => name)).toEqual(expect.arrayContaining([...world.running.keys()]));
    });
  });

  test.each([
    ['whatever happens', play],
    ['crashing again and again', playCrashes],
  ])('S15: at most restartsPerWindow restarts of a service within any window, %s', (_, how) => {
    holds((world) => {
      for (const name of NAMES) {
        const at = world.starts.filter((start) => start.service === name && start.isRestart).map((start) => start.at);
        // 2 in 90 s: the third from any restart on lies a whole window later.
        for (const [index, first] of at.entries())
          expect((at[index + 2] ?? Infinity) - first).toBeGreaterThanOrEqual(90_000);
      }
    }, how);
  });

  test.each([
    ['whatever happens', play],
    ['crashing again and again', playCrashes],
  ])('a tick never asks for another at the same moment, %s', (_, how) => {
    holds((world) => expect(world.hotWakes).toBe(0), how);
  });

  test('once everything goes well, a newer order is up', () => {
    holds((world) => expect(world.healed(order(2_000, SERVICES))).toBe(true));
  });

  test('once everything goes well, a newer standby order is stood by for, with nothing running', () => {
    holds((world) => {
      expect(world.healed(order(2_000, SERVICES, 'standby'))).toBe(true);
      expect([...world.running.keys()]).toEqual([]);
    });
  });

  test('an agent that crashed at any moment starts nothing by itself, and is up once its order comes again', () => {
    holds((world) => {
      const memory = rememberedOf(world.state);
      if (memory === undefined) return;
      const again = new World();
      again.state = restoredSlot(memory);
      for (const [name, epoch] of world.running) again.running.set(name, epoch);
      again.send({ type: 'tick' });
      for (let round = 0; round < 50; round += 1) again.settle(round, round % 10);
      expect(again.starts).toEqual([]);
      expect(again.healed(order(2_000, SERVICES))).toBe(true);
    });
  });
});

describe('total', () => {
  const EVENTS: readonly SlotEvent[] = [
    ...['start', 'standby'].map((type) => ({ type, order: order(2, SERVICES) }) as SlotEvent),
    ...(['release', 'lease', 'order'] as const).flatMap((reason): SlotEvent[] => [
      { type: 'stop', reason },
      { type: 'stop', reason, order: order(2, SERVICES) },
    ]),
    { type: 'resume' },
    { type: 'tick' },
    ...[true, false].map((granted): SlotEvent => ({ type: 'leave', run: 1, granted, why: '' })),
    ...[true, false].map((proven): SlotEvent => ({ type: 'release_done', run: 1, proven })),
    ...['web', 'nobody'].flatMap((name): SlotEvent[] => [
      ...(['start', 'stop', 'kill'] as const).flatMap((action) =>
        (['success', 'failed', 'timed_out'] as const).map((result): SlotEvent => ({
          type: 'action_done',
          service: name,
          action,
          run: 1,
          result,
          detail: '',
        })),
      ),
      ...(['running', 'stopped', 'failed', 'timed_out'] as const).map((result): SlotEvent => ({
        type: 'monitor',
        service: name,
        run: 1,
        result,
        detail: '',
      })),
      { type: 'process_died', service: name, run: 1, code: null },
    ]),
  ];

  const PHASES = ['unknown', 'disabled', 'enabling', 'enabled-active', 'disabling', 'failed'] as const;
  const WANTS = ['idle', 'standby', 'watch', 'run', 'pause', 'halt', 'fail', 'release', 'replace'] as const;
  const DOINGS = ['start', 'stop', 'kill', 'monitor', null] as const;

  const states = WANTS.flatMap((want) =>
    PHASES.flatMap((phase) =>
      DOINGS.map((doing): SlotState => {
        const base = restoredSlot({ order: order(1, SERVICES), standing: 'up', why: '', releasedEpoch: 0 });
        const services = Object.fromEntries(
          Object.entries(base.services).map(([name, record]) => [name, { ...record, phase, doing, run: 1, life: 1 }]),
        );
        return { ...base, want, services, lastRun: 1, ask: 1, release: { ...base.release, run: 1 } };
      }),
    ),
  );

  test.each([...EVENTS.map((event) => [JSON.stringify({ ...event, order: undefined }), event] as const)])(
    '%s is taken in every state',
    (_, event) => {
      for (const state of [EMPTY_SLOT, ...states]) {
        const step = slotStep(state, event, instant(10_000));
        expect(WANTS).toContain(step.state.want);
        expect(slotReport(step.state)?.group ?? 'shop').toBe('shop');
      }
    },
  );

  test('the tables answer every pair', () => {
    expect(Object.keys(SERVICE_TABLE).sort()).toEqual([...PHASES].sort());
    for (const row of Object.values(SERVICE_TABLE)) expect(Object.keys(row)).toHaveLength(9);
    expect(Object.keys(SLOT_TABLE).sort()).toEqual([...WANTS].sort());
    for (const row of Object.values(SLOT_TABLE)) expect(Object.keys(row)).toHaveLength(8);
  });
});
