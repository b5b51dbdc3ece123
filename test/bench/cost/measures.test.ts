import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDynamo, CONTROL_LIMITS } from '../../../adapters/aws/dynamodb-client.ts';
import { dynamoRegistry } from '../../../adapters/aws/dynamodb-registry.ts';
import { ensureTables } from '../../../adapters/aws/dynamodb-tables.ts';
import { emfMetrics } from '../../../bench/cost/emf.ts';
import { transitionsOf } from '../../../bench/cost/failover.ts';
import { itemBytes, scanItems } from '../../../bench/cost/items.ts';
import { type Meter, startMeter, unitsOf } from '../../../bench/cost/meter.ts';
import type { HistoryEvent } from '../../../core/workflow/workflow.ts';
import { type Emulator, startEmulator } from '../../../local/emulator.ts';

const TABLES = { heartbeats: 'beats', registry: 'records' };
const PLACE = { region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };

describe('the meter', () => {
  let emulator: Emulator;
  let meter: Meter;

  beforeAll(async () => {
    emulator = await startEmulator();
    await ensureTables({ ...PLACE, credentials: { ...PLACE.credentials }, endpoint: emulator.url }, TABLES);
    meter = await startMeter(emulator.url);
  });

  afterAll(async () => {
    await meter.close();
    await emulator.close();
  });

  test('counts what a client consumes that knows nothing of it', async () => {
    const dynamo = createDynamo({ ...PLACE, endpoint: meter.url }, CONTROL_LIMITS);
    const registry = dynamoRegistry({ dynamo, table: TABLES.registry });
    const key = { pk: 'a', sk: 'b' };

    await registry.put(key, { text: 'x'.repeat(2_500) }, null); // Over 2 KB: 3 units.
    await registry.put(key, { text: '' }, 7); // Refused, and paid for.
    const found = await registry.get(key); // Strong, under 4 KB: 1 unit.
    dynamo.close();

    expect(found?.version).toBe(1);
    const consumed = meter.take();
    expect(consumed).toEqual([
      { operation: 'PutItem', table: 'records', requests: 2, refused: 1, units: 4 },
      { operation: 'GetItem', table: 'records', requests: 1, refused: 0, units: 1 },
    ]);
    expect(unitsOf(consumed)).toEqual({ reads: 1, writes: 4, requests: 3 });
    expect(meter.take()).toEqual([]);
    expect(await scanItems(emulator.url, TABLES.registry)).toHaveLength(1);
  });
});

test('an item is as large as its names and values', () => {
  // pk 2 + 3; n 1 + (2 digits: 1 + 1); list 1 + 3 + (1 + 1) + (1 + 2); map 1 + 3 + (1 + 1 + 5); flag 4 + 1.
  const item = {
    pk: { S: 'abc' },
    n: { N: '42' },
    l: { L: [{ S: 'x' }, { N: '7' }] },
    m: { M: { k: { S: 'value' } } },
    flag: { BOOL: true },
  };

  expect(itemBytes(item)).toBe(5 + 3 + 9 + 11 + 5);
});

test('metrics are told apart by name and dimensions', () => {
  const line = (cluster: string): string =>
    JSON.stringify({
      cluster,
      HostsBehind: [0, 0],
      SweepMs: [3, 4],
      _aws: {
        CloudWatchMetrics: [
          { Namespace: 'Holdfast', Dimensions: [['cluster']], Metrics: [{ Name: 'HostsBehind' }, { Name: 'SweepMs' }] },
        ],
      },
    });
  const log = ['{"level":"INFO"}', line('a'), line('a'), line('b'), ''].join('\n');

  expect(emfMetrics(log)).toEqual([
    'Holdfast/HostsBehind{cluster=a}',
    'Holdfast/SweepMs{cluster=a}',
    'Holdfast/HostsBehind{cluster=b}',
    'Holdfast/SweepMs{cluster=b}',
  ]);
  expect(emfMetrics('')).toEqual([]);
});

describe('state transitions', () => {
  const entry = (type: string, state: string, id: number): HistoryEvent =>
    ({ type, state, where: '', id, atMs: 0, input: null, taskId: String(id), resource: '' }) as unknown as HistoryEvent;

  test('are states entered, and attempts after the first', () => {
    const history = [
      entry('StateEntered', 'Open', 1),
      entry('TaskScheduled', 'Open', 2),
      entry('TaskScheduled', 'Open', 3),
      entry('TaskScheduled', 'Open', 4),
      entry('StateEntered', 'Opened', 5),
    ];

    expect(transitionsOf(history)).toBe(4);
  });

  test('of a state entered again begin anew', () => {
    const again = ['StateEntered', 'TaskScheduled', 'StateEntered', 'TaskScheduled'];

    expect(transitionsOf(again.map((type, id) => entry(type, 'Await proof', id)))).toBe(2);
  });
});
