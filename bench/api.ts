/**
 * How long the API takes to answer about a large cluster: through the front door, as the console and the command line ask,
 * while hundreds of hosts beat, sweeps run, and the groups are reconciled.
 */
import { join } from 'node:path';
import { HaError } from '../core/failures/failures.ts';
import type { StatusView } from '../core/protocol/views.ts';
import { sweepOnce, EMPTY_SWEEP_MEMORY } from '../lambdas/find-behind/sweep.ts';
import { reconcileCluster } from '../lambdas/reconcile/pass.ts';
import { readControlConfig } from '../local/control-config.ts';
import { controlPorts } from '../local/control/handlers.ts';
import { parseThinSize } from '../local/thin/thin-definition.ts';
import type { Figure } from './figure.ts';
import { type ThinSystem, untilActive, withThinProcess } from './thin.ts';

const UP_LIMIT_MS = 900_000;
const ASKED = 100;
const STREAMS = 20;
const PASSES = 10;
const WARM_UP = 5;
const REQUEST_MS = 30_000;

interface Question {
  readonly name: string;
  readonly times: number;
  /** Resolves at the moment that counts. */
  readonly ask: () => Promise<void>;
}

export async function benchApi(say: (text: string) => void, size: string): Promise<readonly Figure[]> {
  const params = parseThinSize(size);
  return withThinProcess(params, async (system) => {
    say(`  starting ${size} (hosts x groups, without processes)`);
    const from = performance.now();
    const status = await untilActive(system.api, UP_LIMIT_MS, say);
    const figures: Figure[] = [figure('until all are active', (performance.now() - from) / 1_000, 's', size)];
    for (const question of questions(system, status)) {
      say(`  asking ${question.name}`);
      figures.push(...(await measure(question, size)));
    }
    return figures;
  });
}

function questions(system: ThinSystem, status: StatusView): Question[] {
  const get = (name: string, path: string): Question => ({ name, times: ASKED, ask: () => whole(system, path) });
  const hosts = status.hosts.map(({ name }) => name);
  const groups = status.groups.map(({ name }) => name);
  return [
    get('GET status', '/api/v1/status'),
    get('GET runs', '/api/v1/runs'),
    get('GET events', '/api/v1/events'),
    get('GET definition', '/api/v1/definition'),
    {
      name: 'GET why',
      times: ASKED,
      ask: () => whole(system, `/api/v1/groups/${oneOf(groups)}/slots/0/why`),
    },
    {
      name: 'POST simulate, a host down',
      times: ASKED,
      ask: () => whole(system, '/api/v1/simulate', { changes: [{ change: 'host-down', host: oneOf(hosts) }] }),
    },
    { name: 'stream, first byte', times: STREAMS, ask: () => firstByte(system) },
    ...passes(system, status.cluster),
  ];
}

/** The scheduled work, as one more invocation beside those of the control plane. */
function passes({ stateDir }: ThinSystem, cluster: string): Question[] {
  const refuse = (): never => {
    throw new HaError('conflict', 'a benchmark starts no runs: the cluster was not at rest');
  };
  const config = readControlConfig(join(stateDir, 'control.json'));
  const ports = controlPorts(config, { start: refuse, status: refuse }, () => undefined);
  return [
    {
      name: 'one sweep of find-behind',
      times: PASSES,
      ask: async () => void (await sweepOnce(ports, EMPTY_SWEEP_MEMORY)),
    },
    { name: 'one pass of reconcile', times: PASSES, ask: async () => void (await reconcileCluster(ports, cluster)) },
  ];
}

async function measure({ name, times, ask }: Question, size: string): Promise<Figure[]> {
  for (let n = 0; n < Math.min(WARM_UP, times); n += 1) await ask();
  const took: number[] = [];
  for (let n = 0; n < times; n += 1) {
    const from = performance.now();
    await ask();
    took.push(performance.now() - from);
  }
  took.sort((a, b) => a - b);
  return [0.5, 0.99].map((share) =>
    figure(`${name}, p${String(share * 100)}`, took[Math.ceil(share * took.length) - 1] ?? Number.NaN, 'ms', size),
  );
}

function figure(name: string, value: number, unit: string, size: string): Figure {
  return { name, value: Math.round(value * 10) / 10, unit, params: { size } };
}

async function whole({ address }: ThinSystem, path: string, body?: object): Promise<void> {
  const response = await fetch(`${address.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${address.token}`, 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
    signal: AbortSignal.timeout(REQUEST_MS),
  });
  const text = await response.text();
  if (!response.ok) throw new HaError('protocol_mismatch', `${path}: ${String(response.status)} ${text.slice(0, 300)}`);
}

async function firstByte({ address }: ThinSystem): Promise<void> {
  const enough = new AbortController();
  const headers = { authorization: `Bearer ${address.token}`, accept: 'text/event-stream' };
  const response = await fetch(`${address.url}/api/v1/stream`, { headers, signal: enough.signal });
  const read = await response.body?.getReader().read();
  enough.abort();
  if (!response.ok || read?.value === undefined) throw new HaError('protocol_mismatch', 'the stream sent nothing');
}

function oneOf(names: readonly string[]): string {
  return encodeURIComponent(names[Math.floor(Math.random() * names.length)] ?? '');
}
