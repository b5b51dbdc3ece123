import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MemoryStore } from '../../adapters/memory/memory-store.ts';
import { memoryTables, type MemoryOperation } from '../../adapters/memory/memory-tables.ts';
import { closeOrder, createReports, type Reports } from '../../agent/reports.ts';
import { HaError } from '../../core/failures/failures.ts';
import { keys, type Report, type ReportOutcome } from '../../core/protocol/records.ts';
import { fakeTime, pass, realTime } from './faked-time.ts';

let control: MemoryStore;
let faults: (op: MemoryOperation, phase: 'before' | 'after') => void | Promise<void>;
let puts: number;
let logged: string[];
let reports: Reports;

beforeEach(() => {
  const { timers } = fakeTime();
  const tables = memoryTables();
  control = new MemoryStore(tables);
  faults = () => undefined;
  puts = 0;
  logged = [];
  const store = new MemoryStore(tables, {
    faults: (op, phase) => {
      if (op === 'registry.put' && phase === 'before') puts += 1;
      return faults(op, phase);
    },
  });
  reports = createReports({
    registry: store.registry(),
    timers,
    principal: 'p-h1',
    log: (_, text) => void logged.push(text),
  });
});

afterEach(realTime);

function report(order: string, outcome: ReportOutcome = 'started', detail = ''): Report {
  return { order, session: 's1', group: 'db', slot: 0, epoch: 1, outcome, detail };
}

const stored = async (order: string): Promise<Report | undefined> =>
  (await control.registry().get<Report>(keys.report('p-h1', order)))?.body;
const lost = (): never => {
  throw new HaError('store_unavailable', 'no route');
};
const sleeping = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

test('it is written, and the same again is not written twice', async () => {
  reports.put(report('o1'));
  await pass(10);
  expect(await stored('o1')).toEqual(report('o1'));
  reports.put(report('o1'));
  await pass(10);
  expect(puts).toBe(1);
});

test('the newest word on an order wins, also over one that is on its way', async () => {
  faults = (_, phase) => (phase === 'before' ? sleeping(50) : undefined);
  reports.put(report('o1', 'failed', 'exit 1'));
  await pass(70);
  reports.put(report('o1', 'failed', 'exit 2'));
  reports.put(report('o1', 'released'));
  await pass(1_000);
  expect(await stored('o1')).toEqual(report('o1', 'released'));
  expect(puts).toBe(2);
});

test('it is tried until it is written, said once, and what is said meanwhile follows', async () => {
  faults = lost;
  reports.put(report('o1'));
  await pass(5_000);
  reports.put(report('o2', 'released'));
  expect(logged).toEqual(['report o1 waits: no route']);
  faults = () => undefined;
  await pass(500);
  expect(await stored('o1')).toEqual(report('o1'));
  expect(await stored('o2')).toEqual(report('o2', 'released'));
});

test('an answer that is lost after the commit is no second word', async () => {
  let isLost = true;
  faults = (op, phase) => {
    if (op === 'registry.put' && phase === 'after' && isLost) lost();
  };
  reports.put(report('o1'));
  await pass(100);
  isLost = false;
  await pass(500);
  expect(await stored('o1')).toEqual(report('o1'));
  expect(puts).toBe(1);
});

test('what was said about orders that no longer stand goes; what was never sent is sent first', async () => {
  reports.put(report('o1'));
  reports.put(report('o2'));
  await pass(10);
  faults = lost;
  reports.put(report('o3'));
  reports.keepOnly(new Set(['o2']));
  await pass(100);
  faults = () => undefined;
  await pass(500);
  expect(await stored('o1')).toBeUndefined();
  expect(await stored('o2')).toEqual(report('o2'));
  expect(await stored('o3')).toEqual(report('o3'));
});

test('a removal never takes away what is said anew', async () => {
  reports.put(report('o1'));
  await pass(10);
  faults = (_, phase) => (phase === 'before' ? sleeping(50) : undefined);
  reports.keepOnly(new Set());
  await pass(10);
  reports.put(report('o1', 'released'));
  await pass(1_000);
  expect(await stored('o1')).toEqual(report('o1', 'released'));
});

test('a removal that fails is let go, and holds up nothing', async () => {
  reports.put(report('o1'));
  await pass(10);
  faults = (op) => (op === 'registry.remove' ? lost() : undefined);
  reports.keepOnly(new Set());
  reports.put(report('o2'));
  await pass(100);
  expect(await stored('o2')).toEqual(report('o2'));
  expect(logged).toEqual([]);
});

test('S7: the close of a session outlives the orders', async () => {
  expect(closeOrder('s1')).toBe('closed.s1');
  reports.put(report('closed.s1', 'released'));
  await pass(10);
  reports.keepOnly(new Set());
  await pass(500);
  expect(await stored('closed.s1')).toEqual(report('closed.s1', 'released'));
});

test('flushed tells whether everything is written', async () => {
  faults = lost;
  reports.put(report('o1'));
  const inVain = reports.flushed(1_000);
  await pass(1_100);
  expect(await inVain).toBe(false);
  const inTime = reports.flushed(1_000);
  faults = () => undefined;
  await pass(1_000);
  expect(await inTime).toBe(true);
});
