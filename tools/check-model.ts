/**
 * Searches the models of model/ to the end, and shows that they see: `node tools/check-model.ts`.
 *   --trace NAME   one mutation only, its counterexample in words
 *   --large        the larger configurations too (minutes and gigabytes more)
 *   --json         the last line is {states, violations, mutations: [{name, caught, steps}]}
 * Ends with 1 if a rule is violated, a search did not visit every state, a mutation is not caught, or something that
 * should happen never does; with 2 if spin or gcc is missing.
 */
import { parseArgs } from 'node:util';
import { LARGE, MUTATIONS, RULES, type Mutation, type Rules } from './model/runs.ts';
import { missingPackages, search, type Outcome } from './model/spin.ts';
import { mutationVerdict, rulesVerdict } from './model/verdict.ts';

const LAST_STEPS = 3;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

function figures({ states, depth, seconds }: Outcome): string {
  const [count, deep] = [states.toLocaleString('en'), String(depth)];
  return `${count.padStart(12)} states  depth ${deep.padStart(3)}  ${seconds.toFixed(1).padStart(6)} s`;
}

function checkRules({ name, model, defines, reaches }: Rules): { readonly states: number; readonly ok: boolean } {
  const outcome = search(model, defines);
  const fault = rulesVerdict(outcome, reaches);
  print(
    `${fault === null ? 'ok  ' : 'FAIL'} ${name.padEnd(38)} ${figures(outcome)}  ${fault ?? 'exhausted, no violation'}`,
  );
  if (outcome.errors > 0) showTrace(outcome, outcome.trace.length);
  return { states: outcome.states, ok: fault === null };
}

function showTrace({ trace, assertion }: Outcome, last: number): void {
  for (const [index, words] of trace.entries()) {
    if (index >= trace.length - last) print(`       ${String(index + 1).padStart(3)}  ${words}`);
  }
  if (last === trace.length) print(`       broken: ${assertion}`);
}

function checkMutation({ name, model, defines }: Mutation, whole: boolean) {
  const outcome = search(model, [`MUT_${name}`, ...defines]);
  const fault = mutationVerdict(outcome);
  const steps = outcome.trace.length;
  print(
    `${fault === null ? 'ok  ' : 'FAIL'} ${name.padEnd(38)} ${figures(outcome)}  ${fault ?? `caught in ${String(steps)} steps, the last:`}`,
  );
  showTrace(outcome, whole ? steps : LAST_STEPS);
  return { name, caught: fault === null, steps };
}

function main(): number {
  const { values } = parseArgs({
    options: { trace: { type: 'string' }, large: { type: 'boolean' }, json: { type: 'boolean' } },
  });
  const wanted = MUTATIONS.filter(({ name }) => values.trace === undefined || name === values.trace);
  if (wanted.length === 0) {
    process.stderr.write(
      `no mutation ${String(values.trace)}; there are ${MUTATIONS.map(({ name }) => name).join(', ')}\n`,
    );
    return 2;
  }
  const missing = missingPackages();
  if (missing.length > 0) {
    process.stderr.write(`the models are searched by spin and gcc; install: apt-get install -y ${missing.join(' ')}\n`);
    return 2;
  }
  const whole = values.trace !== undefined;
  const rules = whole ? [] : [...RULES, ...(values.large === true ? LARGE : [])].map((each) => checkRules(each));
  const mutations = wanted.map((mutation) => checkMutation(mutation, whole));
  const states = rules.reduce((sum, each) => sum + each.states, 0);
  const violations = rules.filter(({ ok }) => !ok).length;
  const missed = mutations.filter(({ caught }) => !caught).length;
  print(
    `${String(states)} states, ${String(violations)} of ${String(rules.length)} searches failed, ${String(missed)} of ${String(mutations.length)} mutations missed`,
  );
  if (values.json === true) print(JSON.stringify({ states, violations, mutations }));
  return violations + missed === 0 ? 0 : 1;
}

process.exitCode = main();
