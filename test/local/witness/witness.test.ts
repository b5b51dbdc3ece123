import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { environmentOf } from '../../../adapters/node/processes.ts';
import { measureSlot } from '../../../bench/failover/measure.ts';
import { connectWitness, readWitnessLog } from '../../../local/witness/client.ts';
import type { WitnessEntry } from '../../../local/witness/protocol.ts';
import { startWitness } from '../../../local/witness/witness.ts';
import type { Witness } from '../../../local/witness/witness.ts';
import { until } from '../fleet/until.ts';

/** Real processes on a busy machine. */
jest.setTimeout(30_000);

const SERVICE = fileURLToPath(new URL('../../../local/samples/service.ts', import.meta.url));
const SLOT = 'demo/ledger/0';

let folder = '';
let witness: Witness;
let services: ChildProcess[] = [];

const log = (): WitnessEntry[] => readWitnessLog(join(folder, 'log'));
const writes = (pid: number | undefined): number[] => {
  const connection = log().find((entry) => entry.e === 'hello' && entry.pid === pid)?.c;
  return log().flatMap((entry) => (entry.e === 'write' && entry.c === connection ? [entry.value] : []));
};

function startService(host: string, epoch: number): ChildProcess {
  const child = spawn(process.execPath, [SERVICE, '--name', 'db'], {
    env: {
      HOLDFAST_SLOT: SLOT,
      HOLDFAST_EPOCH: String(epoch),
      HOLDFAST_HOST: host,
      HOLDFAST_WITNESS: join(folder, 'socket'),
    },
    stdio: 'inherit',
  });
  services.push(child);
  return child;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-witness-'));
  witness = await startWitness({ socket: join(folder, 'socket'), log: join(folder, 'log') });
});
afterEach(async () => {
  for (const service of services) service.kill('SIGKILL');
  services = [];
  await witness.close();
  rmSync(folder, { recursive: true });
});

describe('witness and sample service', () => {
  test('a service counts on from where the last one was acknowledged', async () => {
    const first = startService('h1', 1);
    await until('some writes', () => writes(first.pid).length >= 3);
    first.kill('SIGTERM');
    expect(await once(first, 'exit')).toEqual([0, null]);
    const last = writes(first.pid).at(-1) ?? 0;
    expect(writes(first.pid)).toEqual(Array.from({ length: last }, (_, n) => n + 1));
    const second = startService('h2', 2);
    await until('some writes', () => writes(second.pid).length >= 3);
    expect(writes(second.pid).slice(0, 3)).toEqual([last + 1, last + 2, last + 3]);
    expect(log()).toContainEqual(
      expect.objectContaining({ e: 'hello', slot: SLOT, service: 'db', host: 'h2', epoch: 2 }),
    );
    expect(measureSlot(log(), SLOT, { from: 0, to: Number.MAX_SAFE_INTEGER })).toMatchObject({ overlapMs: 0, lost: 0 });
  });

  test('two at once are seen', async () => {
    const first = startService('h1', 1);
    const second = startService('h2', 2);
    await until('both to write', () => writes(first.pid).length >= 3 && writes(second.pid).length >= 3);
    const seen = measureSlot(log(), SLOT, { from: 0, to: log().at(-1)?.t ?? 0 });
    expect(seen.overlapMs).toBeGreaterThan(0);
    expect(seen.lost).toBeGreaterThan(0);
  });

  test('a stopped service is still running for the witness; a stubborn one only ends by SIGKILL', async () => {
    const service = startService('h1', 1);
    await until('its hello', () => log().some((entry) => entry.e === 'hello'));
    service.kill('SIGUSR1');
    // Two signals at once may change places: threads of one process take them.
    await until('it to be stubborn', () =>
      readFileSync(`/proc/${String(service.pid)}/cmdline`, 'utf8').startsWith('stubborn'),
    );
    expect(environmentOf(service.pid ?? 0)).toMatchObject({ HOLDFAST_SLOT: SLOT });
    service.kill('SIGTERM');
    const before = writes(service.pid).length;
    await until('it to write on', () => writes(service.pid).length > before + 2);
    service.kill('SIGSTOP');
    const client = await connectWitness(join(folder, 'socket'));
    await client.mark('stopped');
    expect(log().some((entry) => entry.e === 'close')).toBe(false);
    service.kill('SIGKILL');
    await until('its close', () => log().some((entry) => entry.e === 'close'));
    client.close();
  });

  test('a mark is answered with its time once the log up to it is on file', async () => {
    const client = await connectWitness(join(folder, 'socket'));
    const one = await client.mark('fault');
    expect(log().at(-1)).toEqual({ t: one, c: 1, e: 'mark', mark: 'fault' });
    const two = await client.mark('end');
    expect(two).toBeGreaterThan(one);
    client.close();
  });

  test('a bounded log keeps its newest part', async () => {
    const socket = join(folder, 'bounded.sock');
    const bounded = await startWitness({ socket, log: join(folder, 'bounded'), bytesMax: 100 });
    const client = await connectWitness(socket);
    for (const name of ['one', 'two', 'three', 'four', 'five']) await client.mark(name);
    client.close();
    await bounded.close();
    const kept = [...readWitnessLog(join(folder, 'bounded.1')), ...readWitnessLog(join(folder, 'bounded'))];
    expect(kept.flatMap((entry) => (entry.e === 'mark' ? [entry.mark] : []))).toContain('five');
    expect(readFileSync(join(folder, 'bounded')).length).toBeLessThanOrEqual(100);
    expect(readFileSync(join(folder, 'bounded.1')).length).toBeLessThanOrEqual(100);
  });
});
