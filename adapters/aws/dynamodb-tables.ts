/** Creates the two tables where nobody else does: in the emulator. On AWS they belong to the state stack. */
import { setTimeout as wait } from 'node:timers/promises';
import { CreateTableCommand, DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import { HaError } from '../../core/failures/failures.ts';
import { createDynamo, CONTROL_LIMITS } from './dynamodb-client.ts';
import type { AwsPlace } from './bounded-call.ts';
import type { Dynamo } from './dynamodb-client.ts';
import { HEARTBEAT_KEY } from './heartbeat-item.ts';

const POLLS_MAX = 100;
const POLL_MS = 50;

export interface TableNames {
  readonly heartbeats: string;
  readonly registry: string;
}

/** Creates what is missing, on demand, and returns when both tables take requests. */
export async function ensureTables(place: AwsPlace, names: TableNames): Promise<void> {
  const dynamo = createDynamo(place, CONTROL_LIMITS);
  try {
    for (const definition of tableDefinitions(names)) {
      await createIfMissing(dynamo, definition);
      await untilActive(dynamo, definition.TableName);
    }
  } finally {
    dynamo.close();
  }
}

type TableDefinition = CreateTableCommandInput & { readonly TableName: string };

function tableDefinitions(names: TableNames): readonly TableDefinition[] {
  return [
    {
      TableName: names.heartbeats,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: HEARTBEAT_KEY, AttributeType: 'S' }],
      KeySchema: [{ AttributeName: HEARTBEAT_KEY, KeyType: 'HASH' }],
    },
    {
      TableName: names.registry,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'PK', AttributeType: 'S' },
        { AttributeName: 'SK', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'PK', KeyType: 'HASH' },
        { AttributeName: 'SK', KeyType: 'RANGE' },
      ],
    },
  ];
}

async function createIfMissing(dynamo: Dynamo, definition: TableDefinition): Promise<void> {
  const exists = (await statusOf(dynamo, definition.TableName)) !== undefined;
  if (exists) return;
  await dynamo.call(`create table ${definition.TableName}`, async (signal) => {
    try {
      await dynamo.client.send(new CreateTableCommand(definition), { abortSignal: signal });
    } catch (error) {
      // Another runtime, or our own first attempt, was faster.
      if (!isNamed(error, 'ResourceInUseException')) throw error;
    }
  });
}

async function untilActive(dynamo: Dynamo, table: string): Promise<void> {
  for (let poll = 0; poll < POLLS_MAX; poll++) {
    if ((await statusOf(dynamo, table)) === 'ACTIVE') return;
    await wait(POLL_MS);
  }
  throw new HaError('timed_out', `table ${table} is not ACTIVE after ${POLLS_MAX * POLL_MS} ms`);
}

function statusOf(dynamo: Dynamo, table: string): Promise<string | undefined> {
  return dynamo.call(`describe table ${table}`, async (signal) => {
    try {
      const command = new DescribeTableCommand({ TableName: table });
      return (await dynamo.client.send(command, { abortSignal: signal })).Table?.TableStatus;
    } catch (error) {
      if (isNamed(error, 'ResourceNotFoundException')) return undefined;
      throw error;
    }
  });
}

function isNamed(error: unknown, name: string): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === name;
}
