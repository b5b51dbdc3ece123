/** `npm run bench -- [NAME ...]`: one benchmark per claim in the docs. Figures are ratios or sizes where machines differ. */
import { cpus, totalmem } from 'node:os';
import { FAILURES, failureCode, messageOf } from '../core/failures/failures.ts';
import { benchAgent } from './agent.ts';
import { benchApi } from './api.ts';
import { type BenchAsk, type BenchName, parseBench } from './arguments.ts';
import { benchBundles } from './bundles/bench.ts';
import { benchCost } from './cost/bench.ts';
import type { Bench, Figure } from './figure.ts';
import { benchPlacement } from './placement.ts';
import { benchSimulate } from './simulate/bench.ts';

const BENCHES: Readonly<Record<BenchName, Bench>> = {
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

async function measure({ names, isJson, seed, ...asked }: BenchAsk): Promise<boolean> {
  const options = { ...asked, seed: seed ?? Math.floor(Math.random() * SEEDS) };
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  let isWell = true;
  for (const name of names) {
    say(`${name} (${machine()})`);
    const { figures, failures } = await BENCHES[name](say, options);
    for (const figure of figures) say(line(figure));
    for (const failure of failures) say(`  FAILED: ${failure}`);
    isWell &&= failures.length === 0;
    if (isJson) say(JSON.stringify({ bench: name, machine: machine(), figures }));
  }
  return isWell;
}

async function main(): Promise<number> {
  const asked = parseBench(process.argv.slice(2));
  if ('help' in asked) {
    process.stdout.write(asked.help);
    return 0;
  }
  if ('problem' in asked) {
    process.stderr.write(`bench: ${asked.problem}; see npm run bench -- --help\n`);
    return FAILURES.config_invalid.exit;
  }
  return (await measure(asked)) ? 0 : 1;
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    process.stderr.write(`bench: ${messageOf(error)}\n`);
    process.exit(failureCode(error) === 'config_invalid' ? FAILURES.config_invalid.exit : 1);
  },
);
