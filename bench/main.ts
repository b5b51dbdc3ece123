/** `npm run bench -- [NAME] [--json]`: one benchmark per claim in the docs. Figures are ratios or sizes where machines differ. */
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { messageOf } from '../core/failures/failures.ts';
import { benchAgent } from './agent.ts';
import type { Bench, Figure } from './figure.ts';

const BENCHES: Readonly<Record<string, Bench>> = { agent: benchAgent };

function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  return `${cpus().length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
}

function line({ name, value, unit, params }: Figure): string {
  const about = Object.entries(params).map(([key, setting]) => `${key} ${setting}`);
  return `  ${name.padEnd(34)} ${String(value).padStart(8)} ${unit.padEnd(12)} ${about.join(', ')}`;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { json: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const names = positionals.length === 0 ? Object.keys(BENCHES) : positionals;
  for (const name of names) {
    const bench = BENCHES[name];
    if (bench === undefined) throw new TypeError(`no benchmark ${name}: known are ${Object.keys(BENCHES).join(', ')}`);
    const say = (text: string): void => void process.stdout.write(`${text}\n`);
    say(`${name} (${machine()})`);
    const figures = await bench(say);
    for (const figure of figures) say(line(figure));
    if (values.json) say(JSON.stringify({ bench: name, machine: machine(), figures }));
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(1);
  },
);
