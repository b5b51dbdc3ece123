/** The course of `npm run test:aws`: deploy, fail over, deploy again, tear down; each step a check of its own. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FaultStory } from '../../bench/failover/faults.ts';
import { figuresLine, timeline } from '../../bench/failover/report.ts';
import { performStory, type RunOutcome } from '../../bench/failover/run.ts';
import { changeApp } from './changed-app.ts';
import { type Checks, type Passed, Wrong } from './checks.ts';
import { historyLines, visitsOf } from './history.ts';
import { alarmsThere, metricsThere, secondDeploy, statePinned, stateStaysByChangeSet } from './stack-checks.ts';
import { STACKS } from './deployed.ts';
import { definitionText, deployStory, STORIES } from './stories.ts';
import { type Account, type Endings, startAccount, startSystem, type System } from './system.ts';
import { tearDown } from './tear-down.ts';

/** What the emulator knows no type for; everything else is deployed as it is for everybody. */
const SETTINGS = '# For an emulator that has no versions of state machines.\nworkflow: { alias: false }\n';

export const SCENARIOS = ['kill', 'cut', 'service', 'move', 'drain', 'deploy'] as const;
type Scenario = (typeof SCENARIOS)[number];
/** Stack events may be told in whole seconds. */
const SECOND_MS = 1_000;

export interface CourseOptions {
  readonly python: string;
  readonly folder: string;
  readonly endings: Endings;
  readonly say: (text: string) => void;
  readonly checks: Checks;
  readonly only: readonly string[];
  readonly sample: string;
}

interface Apps {
  readonly app: string;
  readonly changed: string;
}

export async function runChecks(options: CourseOptions): Promise<void> {
  const { checks, say } = options;
  const account = await startAccount(options);
  say(`an empty account is at ${account.cloud.url}`);
  const apps: Apps = { app: join(options.folder, 'app'), changed: join(options.folder, 'changed-app') };
  if (!(await checks.check('synth', () => synth(account, options.folder, apps)))) return;
  if (!(await checks.check('bootstrap and deploy', () => deploy(account, apps)))) return;
  await checks.check('the state stack is pinned and protected', () => statePinned(account, apps.app));
  await checks.check('alarms are there', () => alarmsThere(account, apps.app));
  const systems: System[] = [];
  await checks.check('three hosts, a definition by the API, everything active', async () => {
    const system = await startSystem(account, { ...options, definitionText: definitionText(options.sample) });
    systems.push(system);
    return settled(system);
  });
  const [system] = systems;
  if (system === undefined || checks.hasFailed()) return;
  await checks.check('a second deploy changes nothing', () => secondDeploy(account, apps.app));
  await checks.check('a changed app changes nothing of the state', () => stateStaysByChangeSet(account, apps.changed));
  for (const name of SCENARIOS) {
    if (options.only.includes(name)) await checks.check(name, () => perform(system, name, { ...options, apps }));
  }
  const isWhole = SCENARIOS.every((name) => options.only.includes(name));
  await checks.check('states reached', () => statesReached(system, say, isWhole));
  if (isWhole) await checks.check('metrics are there', () => metricsThere(account));
  await checks.check('tear-down', () => tearDown(system, apps.app));
}

async function synth({ cdk }: Account, folder: string, { app, changed }: Apps): Promise<Passed> {
  const settings = join(folder, 'settings.yaml');
  await writeFile(settings, SETTINGS);
  await cdk.synth('app', { holdfast: settings });
  await changeApp(app, changed);
  return { says: 'the app, and the same app one change further' };
}

async function deploy({ cdk, cloud }: Account, { app }: Apps): Promise<Passed> {
  await cdk.bootstrap(app);
  await cdk.deploy(app);
  const outputs = await cdk.outputs();
  const stacks = await cloud.stacks();
  const isIgnored = await cloud.expire(outputs[STACKS.state]?.['HeartbeatsTable'] ?? '', 'ttl');
  const ttl = isIgnored ? '; TTL of the template was ignored, and is set by hand' : '';
  return {
    says: `${stacks.map(({ StackName, StackStatus }) => `${StackName ?? ''} ${StackStatus ?? ''}`).join(', ')}${ttl}`,
  };
}

async function settled({ harness, deployed, cloud }: System): Promise<Passed> {
  const outcome = await harness.untilSettled();
  if ('missing' in outcome) throw new Wrong(outcome.missing);
  const runs = await cloud.executions(deployed.haRunArn);
  if (runs.length === 0)
    throw new Wrong(['everything is active, and yet no execution of the deployed workflow is known']);
  const failed = runs.filter(({ status }) => status !== 'SUCCEEDED' && status !== 'RUNNING');
  if (failed.length > 0) throw new Wrong(failed.map(({ name, status }) => `${name ?? ''} ${status ?? ''}`));
  return { says: `${String(runs.length)} executions of ${deployed.haRunArn} placed every slot` };
}

async function perform(
  system: System,
  name: Scenario,
  { say, apps }: CourseOptions & { readonly apps: Apps },
): Promise<Passed> {
  const before = await codes(system);
  const story: FaultStory =
    name === 'deploy'
      ? deployStory({
          async deployChanged() {
            await system.cdk.deploy(apps.changed);
          },
        })
      : STORIES[name];
  say(`  ${story.says}`);
  if (name === 'deploy') await system.cdk.prepare(apps.changed);
  const outcome = await performStory(system.harness, name, story);
  say(`\n${timeline(outcome, system.harness.log.read())}\n`);
  await tellRuns(system, outcome, { say, isFull: name === 'kill' });
  const failures = [...outcome.failures, ...(outcome.stories.length === 0 ? ['no run was recorded'] : [])];
  if (name === 'deploy')
    failures.push(...unchanged(before, await codes(system)), ...(await besideRun(system, outcome)));
  if (failures.length > 0) throw new Wrong([figuresLine(outcome), ...failures]);
  const { overlapMs, downtimeMs, lost, evidence } = outcome;
  return { says: figuresLine(outcome), facts: { overlapMs, downtimeMs, lost, evidence } };
}

/** Digest of each Lambda's code, by its name. */
async function codes({ cloud, deployed }: System): Promise<ReadonlyMap<string, string>> {
  const all = [...deployed.lambdas.values()].map(async (name) => [name, await cloud.codeOf(name)] as const);
  return new Map(await Promise.all(all));
}

function unchanged(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  return [...after].flatMap(([name, code]) => (before.get(name) === code ? [`${name} was not replaced`] : []));
}

/** The HA run must have been under way when its Lambdas and its workflow were replaced; else nothing is shown. */
async function besideRun({ cloud, deployed }: System, { stories }: RunOutcome): Promise<string[]> {
  const ha = stories.find(({ run }) => run.work === 'HA')?.run.run;
  const execution = (await cloud.executions(deployed.haRunArn)).find(({ name }) => name === ha);
  const from = execution?.startDate?.getTime() ?? Number.POSITIVE_INFINITY;
  const to = execution?.stopDate?.getTime() ?? 0;
  const replaced = (await cloud.stackEvents(STACKS.control)).flatMap((event) => {
    const isUpdate =
      event.ResourceStatus === 'UPDATE_COMPLETE' && (event.Timestamp?.getTime() ?? 0) >= from - SECOND_MS;
    return isUpdate ? [event] : [];
  });
  return ['AWS::Lambda::Function', 'AWS::StepFunctions::StateMachine'].flatMap((type) => {
    const times = replaced.flatMap((event) => (event.ResourceType === type ? [event.Timestamp?.getTime() ?? 0] : []));
    const isBeside = times.length > 0 && times.every((at) => at <= to);
    return isBeside ? [] : [`${type}: replaced ${String(times.length)}, but not while ${ha ?? 'a run'} was under way`];
  });
}

/** Each run of the outcome must have been an execution of the deployed workflow; the first is shown whole. */
async function tellRuns(
  { cloud, deployed }: System,
  { stories }: RunOutcome,
  { say, isFull }: { readonly say: (text: string) => void; readonly isFull: boolean },
): Promise<void> {
  const known = await cloud.executions(deployed.haRunArn);
  for (const { run } of stories) {
    const execution = known.find(({ name }) => name === run.run);
    if (execution?.executionArn === undefined)
      throw new Wrong([`run ${run.run} is no execution of the deployed workflow`]);
    say(`  execution ${run.run}: ${execution.status ?? ''}`);
    if (!isFull || run.work !== 'HA') continue;
    const events = await cloud.history(execution.executionArn);
    say(`\n${historyLines(events).join('\n')}\n`);
  }
}

/** Of all executions together. */
async function statesReached(
  { cloud, deployed }: System,
  say: (text: string) => void,
  isWhole: boolean,
): Promise<Passed> {
  const counts = new Map<string, number>();
  const executions = await cloud.executions(deployed.haRunArn);
  for (const { executionArn } of executions) {
    for (const { state } of visitsOf(await cloud.history(executionArn ?? '')))
      counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
  say(`  ${sorted.map(([state, times]) => `${state} ×${String(times)}`).join(', ')}`);
  const missing = ['Open', 'Investigate', 'Verdict', 'Fence', 'Await proof', 'Stop', 'Plan', 'Place', 'Close'].filter(
    (state) => !counts.has(state),
  );
  if (isWhole && missing.length > 0) throw new Wrong(missing.map((state) => `no execution reached ${state}`));
  return {
    says: `${String(counts.size)} states in ${String(executions.length)} executions`,
    facts: { states: sorted },
  };
}
