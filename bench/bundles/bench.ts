/** `npm run bench -- bundles`: how large each Lambda's package is, and how long find-behind takes from nothing to its first sweep. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CLUSTER, TABLES, withSystem } from '../cost/system.ts';
import type { BenchOptions, BenchResult, Figure } from '../figure.ts';
import { startLambda } from './lambda-process.ts';
import { lambdaNamed, type Synthesised, synthesise } from './synth.ts';
import { filesOf, zippedBytes } from './zip.ts';

/** Target of the project: what is small starts fast. */
export const ZIPPED_BYTES_MAX = 1.5 * 2 ** 20;
const STARTS_APART_MS = 250;

export async function benchBundles(say: (text: string) => void, options: BenchOptions): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  try {
    say('  synthesising the stacks');
    const synthesised = await synthesise(join(folder, 'cdk.out'));
    const sizes = await sizesOf(synthesised);
    say(`  starting find-behind ${options.cases} times, each in a new process`);
    const starts = await coldStarts(synthesised, options);
    const failures = sizes
      .filter(({ value }) => value > ZIPPED_BYTES_MAX / 2 ** 20)
      .map(({ name, value }) => `${name}: ${value} MiB zipped, over ${ZIPPED_BYTES_MAX / 2 ** 20}`);
    return { figures: [...sizes, ...starts], failures };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function sizesOf({ lambdas }: Synthesised): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { name, folder, memoryMb } of lambdas) {
    const files = await filesOf(folder);
    const mib = zippedBytes(files) / 2 ** 20;
    const code = files
      .filter(({ name: file }) => file.endsWith('.mjs'))
      .reduce((sum, { bytes }) => sum + bytes.length, 0);
    const params = { code: `${(code / 2 ** 20).toFixed(2)} MiB`, memory: `${memoryMb} MB` };
    figures.push({ name: `${name}, zipped`, value: Number(mib.toFixed(3)), unit: 'MiB', params });
  }
  return figures;
}

/** From the start of the process: to the handler loaded, and to the first sweep done. */
async function coldStarts(synthesised: Synthesised, { cases, hosts }: BenchOptions): Promise<Figure[]> {
  const lambda = lambdaNamed(synthesised, 'FindBehind');
  return withSystem({ hosts: Math.max(2, hosts), profile: 'standard' }, async ({ emulatorUrl }) => {
    const loaded: number[] = [];
    const swept: number[] = [];
    const cpu: number[] = [];
    for (let n = 0; n < cases; n += 1) {
      const process = await startLambda(lambda, { dynamoUrl: emulatorUrl, tables: TABLES });
      try {
        const { sinceStartMs, cpuSinceStartMs } = await process.invoke({ once: true });
        loaded.push(process.loadedMs);
        swept.push(sinceStartMs);
        cpu.push(cpuSinceStartMs);
      } finally {
        await process.end();
      }
      await delay(STARTS_APART_MS);
    }
    const params = { starts: cases, hosts, cluster: CLUSTER };
    return [
      ...spread('process start to handler loaded', loaded, params),
      ...spread('process start to first sweep done', swept, params),
      ...spread('process start to first sweep, processor', cpu, params),
    ];
  });
}

/** Median, and the tenth and ninetieth in a hundred. */
function spread(name: string, values: readonly number[], params: Figure['params']): Figure[] {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
  return [
    { name: `${name}, median`, value: Math.round(at(0.5)), unit: 'ms', params },
    { name: `${name}, p10`, value: Math.round(at(0.1)), unit: 'ms', params },
    { name: `${name}, p90`, value: Math.round(at(0.9)), unit: 'ms', params },
  ];
}
