/**
 * A meter between a client and the emulator: asks for the consumed capacity in the client's place, and adds it up. So
 * what is counted is what agents, handlers and deployed bundles send, and none of them knows of it.
 */
import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import * as z from 'zod';
import { invariant } from '../../core/failures/invariant.ts';

const WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem']);
const READS = new Set(['GetItem', 'Query', 'Scan']);

/** What was consumed by one kind of request on one table. */
export interface Consumed {
  readonly operation: string;
  readonly table: string;
  readonly requests: number;
  /** Conditional writes that were refused: AWS charges them like others, by the size of the item that stands. */
  readonly refused: number;
  readonly units: number;
}

export interface Meter {
  readonly url: string;
  /** What was consumed since the last call, or since the beginning. */
  take(): readonly Consumed[];
  close(): Promise<void>;
}

const Answer = z.looseObject({ ConsumedCapacity: z.looseObject({ CapacityUnits: z.number() }).optional() });
const Asked = z.looseObject({ TableName: z.string().optional() });

export async function startMeter(emulatorUrl: string): Promise<Meter> {
  const far = new URL(emulatorUrl);
  const agent = new Agent({ keepAlive: true });
  const counted = new Map<string, Consumed>();
  const count = (operation: string, table: string, answer: Buffer, isRefused: boolean): void => {
    const key = `${operation} ${table}`;
    const old = counted.get(key) ?? { operation, table, requests: 0, refused: 0, units: 0 };
    // A refusal names no units. What these tables refuse are writes to items of less than 1 KB, one unit each.
    const units = isRefused ? 1 : (Answer.parse(JSON.parse(answer.toString())).ConsumedCapacity?.CapacityUnits ?? 0);
    const [requests, refused] = [old.requests + 1, old.refused + (isRefused ? 1 : 0)];
    counted.set(key, { operation, table, requests, refused, units: old.units + units });
  };
  const server = createServer((near, response) => {
    pass(near, response, { far, agent, count }).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  invariant(typeof address === 'object' && address !== null, 'a TCP server has a port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    take() {
      const taken = [...counted.values()];
      counted.clear();
      return taken;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      agent.destroy();
    },
  };
}

interface Way {
  readonly far: URL;
  readonly agent: Agent;
  readonly count: (operation: string, table: string, answer: Buffer, isRefused: boolean) => void;
}

async function pass(near: IncomingMessage, response: ServerResponse, { far, agent, count }: Way): Promise<void> {
  const asked = await bytesOf(near);
  const [, operation = ''] = String(near.headers['x-amz-target'] ?? '').split('.');
  const isMetered = WRITES.has(operation) || READS.has(operation);
  const body = Asked.parse(JSON.parse(asked.toString()));
  const sent = isMetered ? Buffer.from(JSON.stringify({ ...body, ReturnConsumedCapacity: 'TOTAL' })) : asked;
  const { host: _host, 'content-length': _length, ...headers } = near.headers;
  const passed = httpRequest({
    ...{ host: far.hostname, port: far.port, method: 'POST', path: '/', agent },
    headers: { ...headers, 'content-length': sent.length },
  });
  passed.end(sent);
  const [answer] = (await once(passed, 'response')) as [IncomingMessage];
  const bytes = await bytesOf(answer);
  const isRefused = answer.statusCode === 400 && bytes.includes('ConditionalCheckFailedException');
  if (isMetered && (answer.statusCode === 200 || isRefused)) {
    count(operation, body.TableName ?? '', bytes, isRefused);
  }
  response.writeHead(answer.statusCode ?? 500, { ...answer.headers, 'content-length': bytes.length });
  response.end(bytes);
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export interface Units {
  readonly reads: number;
  readonly writes: number;
  readonly requests: number;
}

export function unitsOf(consumed: readonly Consumed[]): Units {
  const sum = (kinds: ReadonlySet<string>): number =>
    consumed.filter(({ operation }) => kinds.has(operation)).reduce((total, { units }) => total + units, 0);
  return { reads: sum(READS), writes: sum(WRITES), requests: consumed.reduce((n, { requests }) => n + requests, 0) };
}
