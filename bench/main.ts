/** `npm run bench -- [NAME] [--json] [--size HxG] [--cases N] [--seed N] [--hosts N]`: one benchmark per claim in the docs. Figures are ratios or sizes where machines differ. */
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { messageOf } from '../core/failures/failures.ts';
import { benchAgent } from './agent.ts';
import { benchApi } from './api.ts';
import { benchBundles } from './bundles/bench.ts';
import { benchCost } from './cost/bench.ts';
import type { Bench, BenchOptions, Figure } from './figure.ts';
import { benchPlacement } from './placement.ts';
import { benchSimulate } from './simulate/bench.ts';

const BENCHES: Readonly<Record<string, Bench>> = {
  agent: async (say) => ({ figures: await benchAgent(say), failures: [] }),
  api: async (say, { size }) => ({ figures: await benchApi(say, size), failures: [] }),
  bundles: benchBundles,
  cost: benchCost,
  placement: async () => ({ figures: await benchPlacement(), failures: [] }),
  simulate: benchSimulate,
};
const SEEDS = 2 ** 32;

function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  return `${cpus().length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
}

function line({ name, value, unit, params }: Figure): string {
  const about = Object.entries(params).map(([key, setting]) => `${key} ${setting}`);
  return `  ${name.padEnd(34)} ${String(value).padStart(8)} ${unit.padEnd(12)} ${about.join(', ')}`;
}

interface Options extends BenchOptions {
  readonly names: readonly string[];
  readonly json: boolean;
}

/** `npm run bench -- cost -- --hosts N` passes a second `--` on: what follows it are options all the same. */
function givenArguments(): string[] {
  return process.argv.slice(2).filter((argument) => argument !== '--');
}

function readOptions(): Options {
  const { values, positionals } = parseArgs({
    args: givenArguments(),
    options: {
      json: { type: 'boolean', default: false },
      size: { type: 'string', default: '200x200' },
      cases: { type: 'string', default: '20' },
      hosts: { type: 'string', default: '3' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * SEEDS)) },
    },
    allowPositionals: true,
  });
  const names = positionals.length === 0 ? Object.keys(BENCHES) : positionals;
  for (const name of names) {
    if (BENCHES[name] === undefined)
      throw new TypeError(`no benchmark ${name}: known are ${Object.keys(BENCHES).join(', ')}`);
  }
  const [cases, seed] = [Number(values.cases), Number(values.seed)];
  if (!Number.isInteger(cases) || cases < 1) throw new TypeError(`--cases ${values.cases}: give a number from 1 on`);
  if (!Number.isInteger(seed) || seed < 0) throw new TypeError(`--seed ${values.seed}: give a whole number`);
  const hosts = Number(values.hosts);
  if (!Number.isInteger(hosts) || hosts < 1) throw new TypeError(`--hosts ${values.hosts}: give a number from 1 on`);
  return { names, json: values.json, size: values.size, cases, seed, hosts };
}

async function main(): Promise<boolean> {
  const options = readOptions();
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  let isWell = true;
  for (const name of options.names) {
    const bench = BENCHES[name];
    if (bench === undefined) continue;
    say(`${name} (${machine()})`);
    const { figures, failures } = await bench(say, options);
    for (const figure of figures) say(line(figure));
    for (const failure of failures) say(`  FAILED: ${failure}`);
    isWell &&= failures.length === 0;
    if (options.json) say(JSON.stringify({ bench: name, machine: machine(), figures }));
  }
  return isWell;
}

main().then(
  (isWell) => process.exit(isWell ? 0 : 1),
  (error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(1);
  },
);
