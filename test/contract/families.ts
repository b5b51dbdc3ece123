import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { createDynamo, CONTROL_LIMITS, hostLimits } from '../../adapters/aws/dynamodb-client.ts';
import type { AwsPlace } from '../../adapters/aws/bounded-call.ts';
import { dynamoHeartbeats } from '../../adapters/aws/dynamodb-heartbeats.ts';
import { dynamoOwnHeartbeat } from '../../adapters/aws/dynamodb-own-heartbeat.ts';
import { dynamoRegistry } from '../../adapters/aws/dynamodb-registry.ts';
import { ensureTables } from '../../adapters/aws/dynamodb-tables.ts';
import { toItem } from '../../adapters/aws/json-attributes.ts';
import { MemoryStore } from '../../adapters/memory/memory-store.ts';
import { memoryTables } from '../../adapters/memory/memory-tables.ts';
import { startEmulator } from '../../local/emulator.ts';
import type { Emulator } from '../../local/emulator.ts';
import type { StoreFamily } from './fixtures.ts';

export const memoryFamily: StoreFamily = {
  name: 'memory',
  open: async () => {
    const tables = memoryTables();
    const store = new MemoryStore(tables);
    return {
      own: (principal) => store.ownHeartbeat(principal),
      heartbeats: (onMalformed) => new MemoryStore(tables, { ...(onMalformed && { onMalformed }) }).heartbeats(),
      registry: () => store.registry(),
      plant: async (principal, fields) => store.plant(principal, fields),
    };
  },
  close: async () => undefined,
};

export function placeOf(url: string): AwsPlace {
  return { region: 'us-east-1', endpoint: url, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
}

/** DynamoDB's adapters on the emulator; each `open` has tables of its own. */
export function emulatorFamily(): StoreFamily {
  let emulator: Emulator | undefined;
  let opened = 0;
  const closers: (() => void)[] = [];
  return {
    name: 'DynamoDB emulator',
    open: async () => {
      emulator ??= await startEmulator();
      const names = { heartbeats: `heartbeats-${++opened}`, registry: `registry-${opened}` };
      const place = placeOf(emulator.url);
      await ensureTables(place, names);
      const host = createDynamo(place, hostLimits(20_000));
      const control = createDynamo(place, { ...CONTROL_LIMITS, requestMs: 20_000, budgetMs: 20_000 });
      closers.push(host.close, control.close);
      return {
        own: (principal) => dynamoOwnHeartbeat({ dynamo: host, table: names.heartbeats, principal }),
        heartbeats: (onMalformed) => dynamoHeartbeats({ dynamo: control, table: names.heartbeats, onMalformed }),
        registry: () => dynamoRegistry({ dynamo: control, table: names.registry }),
        plant: async (principal, fields) => {
          const Item = { pk: { S: principal }, ...toItem(fields) };
          await control.client.send(new PutItemCommand({ TableName: names.heartbeats, Item }));
        },
      };
    },
    close: async () => {
      for (const close of closers) close();
      await emulator?.close();
    },
  };
}
