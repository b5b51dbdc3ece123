/** What must hold of the stacks themselves: before, between and after what happens to hosts. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import type { Account } from './system.ts';
import { type Passed, Wrong } from './checks.ts';
import { STACKS, TABLE_IDS } from './deployed.ts';

const Template = z.looseObject({
  Resources: z.record(
    z.string(),
    z.looseObject({
      Type: z.string(),
      DeletionPolicy: z.string().optional(),
      UpdateReplacePolicy: z.string().optional(),
      Properties: z.looseObject({ DeletionProtectionEnabled: z.boolean().optional() }).optional(),
    }),
  ),
});

export async function readTemplate(assembly: string, stack: string) {
  const text = await readFile(join(assembly, `${stack}.template.json`), 'utf8');
  return { text, ...Template.parse(JSON.parse(text)) };
}

/** The whole app once more, unchanged. */
export async function secondDeploy({ cdk }: Account, assembly: string): Promise<Passed> {
  const said = await cdk.deploy(assembly);
  const touched = Object.values(STACKS).filter((stack) => !said.includes(`${stack} (no changes)`));
  if (touched.length > 0) throw new Wrong(touched.map((stack) => `a second deploy changed ${stack}`));
  return { says: 'every stack says "no changes"' };
}

/** By CloudFormation's own change sets: what a deploy of the changed app would do. */
export async function stateStaysByChangeSet({ cloud }: Account, changed: string): Promise<Passed> {
  const state = await cloud.changes(STACKS.state, (await readTemplate(changed, STACKS.state)).text);
  if (state.length > 0)
    throw new Wrong(
      state.map(({ ResourceChange: change }) => `${change?.Action ?? ''} ${change?.LogicalResourceId ?? ''}`),
    );
  const control = await cloud.changes(STACKS.control, (await readTemplate(changed, STACKS.control)).text);
  if (control.length === 0) throw new Wrong(['the changed app changes nothing of the control stack: nothing is shown']);
  const says = `none of ${STACKS.state}, ${String(control.length)} of ${STACKS.control}`;
  return { says: `changes by change set: ${says}`, facts: { state: 0, control: control.length } };
}

/** Also against the template itself: should anybody delete the stack, its tables stay. */
export async function statePinned({ cloud }: Account, assembly: string): Promise<Passed> {
  const { Resources } = await readTemplate(assembly, STACKS.state);
  const wrong = Object.values(TABLE_IDS).flatMap((id) => {
    const table = Resources[id];
    if (table?.Type !== 'AWS::DynamoDB::Table') return [`${STACKS.state} has no table ${id}`];
    const isKept = table.DeletionPolicy === 'Retain' && table.UpdateReplacePolicy === 'Retain';
    const isProtected = table.Properties?.DeletionProtectionEnabled === true;
    return [...(isKept ? [] : [`${id} is not retained`]), ...(isProtected ? [] : [`${id} may be deleted`])];
  });
  const stack = (await cloud.stacks()).find(({ StackName }) => StackName === STACKS.state);
  if (stack?.EnableTerminationProtection !== true) wrong.push(`${STACKS.state} may be deleted`);
  if (wrong.length > 0) throw new Wrong(wrong);
  return { says: 'both tables have their ids, are retained and protected, and so is their stack' };
}

export async function alarmsThere({ cloud }: Account, assembly: string): Promise<Passed> {
  const { Resources } = await readTemplate(assembly, STACKS.observability);
  const wanted = Object.values(Resources).filter(({ Type }) => /^AWS::CloudWatch::\w*Alarm$/.test(Type)).length;
  const found = await cloud.alarms();
  if (wanted === 0 || found.length !== wanted)
    throw new Wrong([`the template has ${String(wanted)} alarms, CloudWatch ${String(found.length)}`]);
  return { says: `${String(found.length)} alarms: ${found.map(({ AlarmName }) => AlarmName ?? '').join(', ')}` };
}

/** What the logs must have measured after some failovers. */
const MEASURED = ['HostsBehind', 'SweepMs', 'Failovers', 'DowntimeMs'] as const;
/** An invocation's log is there when it ends, and that of find-behind ends when the next minute's takes over. */
const LOGS_MS = 120_000;
const LOGS_POLL_MS = 2_000;

/** Of every log group: what was measured, as CloudWatch reads it off there (EMF). */
export async function metricsThere({ cloud }: Account): Promise<Passed> {
  const groups = (await cloud.resources(STACKS.control)).flatMap(({ ResourceType, PhysicalResourceId }) =>
    ResourceType === 'AWS::Logs::LogGroup' ? [PhysicalResourceId ?? ''] : [],
  );
  for (let left = LOGS_MS; ; left -= LOGS_POLL_MS) {
    const lines = (await Promise.all(groups.map((group) => cloud.logLines(group)))).flat();
    const names = [...new Set(lines.flatMap(emf))].toSorted();
    const missing = MEASURED.filter((name) => !names.includes(name));
    if (missing.length === 0)
      return { says: `EMF lines in the logs have ${names.join(', ')}`, facts: { metrics: names } };
    if (left <= 0)
      throw new Wrong([`no EMF line in the logs has ${missing.join(', ')}; there are ${names.join(', ') || 'none'}`]);
    await delay(LOGS_POLL_MS);
  }
}

const Emf = z.looseObject({
  _aws: z.looseObject({
    CloudWatchMetrics: z.array(
      z.looseObject({ Namespace: z.literal('Holdfast'), Metrics: z.array(z.looseObject({ Name: z.string() })) }),
    ),
  }),
});

function emf(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    if (!line.includes('CloudWatchMetrics')) return [];
    try {
      const parsed = Emf.safeParse(JSON.parse(line.slice(line.indexOf('{'))));
      return parsed.success
        ? parsed.data._aws.CloudWatchMetrics.flatMap(({ Metrics }) => Metrics.map(({ Name }) => Name))
        : [];
    } catch {
      return [];
    }
  });
}
