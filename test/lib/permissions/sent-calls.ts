/** What the agent's own adapters send, caught on its way out of the SDK's client, as DynamoDB would describe it to IAM. */
import * as z from 'zod';
import type { Dynamo } from '../../../adapters/aws/dynamodb-client.ts';
import type { DynamoCall } from './host-session.ts';

const Text = z.string().optional();
const Item = z.record(z.string(), z.object({ S: z.string().optional() }).loose());

const Input = z.object({
  TableName: z.string(),
  Key: Item.optional(),
  Item: Item.optional(),
  UpdateExpression: Text,
  ConditionExpression: Text,
  ProjectionExpression: Text,
  KeyConditionExpression: Text,
  FilterExpression: Text,
  ExpressionAttributeNames: z.record(z.string(), z.string()).default({}),
  ReturnValues: Text,
});

const WORDS = new Set(
  [
    'SET',
    'REMOVE',
    'ADD',
    'DELETE',
    'AND',
    'OR',
    'NOT',
    'IN',
    'BETWEEN',
    'attribute_exists',
    'attribute_not_exists',
  ].concat(['attribute_type', 'begins_with', 'contains', 'size', 'if_not_exists', 'list_append']),
);

/** Tables by their names in the emulator, to ARNs. */
export function catchCalls(dynamo: Dynamo, tables: ReadonlyMap<string, string>): readonly DynamoCall[] {
  const sent: DynamoCall[] = [];
  dynamo.client.middlewareStack.add(
    (next, context) => (args) => {
      sent.push(described(context.commandName ?? '', Input.parse(args.input), tables));
      return next(args);
    },
    { step: 'initialize', name: 'catchCalls' },
  );
  return sent;
}

function described(command: string, input: z.output<typeof Input>, tables: ReadonlyMap<string, string>): DynamoCall {
  const operation = command.replace(/Command$/, '');
  const table = tables.get(input.TableName);
  if (table === undefined) throw new Error(`a host calls ${operation} on ${input.TableName}, a table it does not know`);
  const item = input.Key ?? input.Item ?? {};
  // A query, too, would have a leading key; no host makes one, and none is allowed.
  const key = item['pk']?.S ?? item['PK']?.S ?? null;
  const isWrite = /^(Put|Update|Delete)/.test(operation);
  const attributes = [...new Set([...Object.keys(item), ...namesIn(input)])];
  return { operation, table, key, attributes, ...(isWrite && { returns: input.ReturnValues ?? 'NONE' }) };
}

/** Top-level attributes that expressions name, behind placeholders or bare. */
function namesIn(input: z.output<typeof Input>): string[] {
  const expressions = [input.UpdateExpression, input.ConditionExpression, input.ProjectionExpression];
  return [...expressions, input.KeyConditionExpression, input.FilterExpression]
    .flatMap((expression) => expression?.match(/[:#]?[A-Za-z_][A-Za-z0-9_]*/g) ?? [])
    .filter((word) => !word.startsWith(':') && !WORDS.has(word))
    .map((word) => input.ExpressionAttributeNames[word] ?? word)
    .concat(Object.values(input.ExpressionAttributeNames));
}
