import { beforeAll, describe, expect, test } from '@jest/globals';
import { LAMBDA_IDS as IDS, type LambdaId, LAMBDAS } from '../../../lib/control-names.ts';
import { grants } from '../../../lib/permissions/granted.ts';
import { arnOf, type Templates } from '../../../lib/permissions/template.ts';
import { reachedMethods } from '../../../tools/permissions/needed.ts';
import { type Call, evaluate } from './evaluate.ts';
import { documentsOf, dropping, EVERYTHING, without } from './host-policies.ts';
import { HEARTBEATS, instanceOf, REGISTRY } from './host-session.ts';
import { CALLS_OF, DOCUMENT, GROUP, HOST, MACHINE, SSM_TAGGED, TAGGED } from './needed-calls.ts';
import { defaultTemplates, SYNTH_MS } from './templates.ts';

let templates: Templates;
const reached = new Map<LambdaId, string[]>();

beforeAll(async () => {
  templates = await defaultTemplates();
  for (const id of IDS) reached.set(id, await reachedMethods(LAMBDAS[id]));
}, SYNTH_MS);

const documents = (role: string) => documentsOf(templates, role);
const asked = (role: string, call: Call) => evaluate(documents(role), call);

const neededBy = (id: LambdaId): readonly Call[] =>
  (reached.get(id) ?? []).flatMap((method) => CALLS_OF.get(method) ?? []);

describe('each Lambda may make every call that its own code can reach, and has no right that it cannot use', () => {
  test('what its code can reach is read from the code', () => {
    expect(reached.get('HaFence')).toEqual(
      expect.arrayContaining(['power.stop', 'heartbeats.tombstone', 'alerts.page']),
    );
    const stoppers = IDS.filter((id) => reached.get(id)?.includes('power.stop'));
    expect(stoppers).toEqual(['HaFence']);
    expect(IDS.filter((id) => reached.get(id)?.includes('power.start'))).toEqual([]);
  });

  test.each(IDS)('%s may make its calls', async (id) => {
    const refused: string[] = [];
    for (const call of neededBy(id)) {
      if ((await asked(`${id}Role`, call)) === 'no') refused.push(`${call.action} on ${call.on}`);
    }
    expect(refused).toEqual([]);
  });

  test.each(IDS)('%s has no action that none of its calls uses', (id) => {
    const used = new Set(neededBy(id).map(({ action, on }) => (/table\/(.*)$/.exec(on)?.[1] ?? '') + action));
    const own = grants(templates).filter(({ who, action }) => who === `${id}Role` && !/^(logs|xray):/.test(action));
    const unused = own.filter(({ action, on }) => !used.has((/table\/(.*)$/.exec(on)?.[1] ?? '') + action));
    expect(unused.map(({ action, on }) => `${action} on ${on}`)).toEqual([]);
  });
});

const STOP: Call = { action: 'ec2:StopInstances', on: HOST, keys: TAGGED };
const SEND: Call = { action: 'ssm:SendCommand', on: HOST, keys: SSM_TAGGED };

describe('the fence', () => {
  test('stops instances that carry the tag', async () => expect(await asked('HaFenceRole', STOP)).toBe('yes'));

  test.each<[string, Call]>([
    ['stop one without the tag', { ...STOP, keys: {} }],
    ['stop one whose tag says something else', { ...STOP, keys: { 'aws:ResourceTag/holdfast': 'control' } }],
    ['stop one tagged by another key', { ...STOP, keys: { 'aws:ResourceTag/Name': 'host' } }],
    ['terminate', { ...STOP, action: 'ec2:TerminateInstances' }],
    ['start', { ...STOP, action: 'ec2:StartInstances' }],
    ['reboot', { ...STOP, action: 'ec2:RebootInstances' }],
    ['give instances the tag', { action: 'ec2:CreateTags', on: HOST }],
    ['change records in place', { action: 'dynamodb:UpdateItem', on: REGISTRY }],
    ['delete a heartbeat', { action: 'dynamodb:DeleteItem', on: HEARTBEATS }],
    ['delete a table', { action: 'dynamodb:DeleteTable', on: REGISTRY }],
    ['send commands', SEND],
    ['start runs', { action: 'states:StartExecution', on: MACHINE }],
    ['put in standby what is in a group without the tag', { action: 'autoscaling:EnterStandby', on: GROUP }],
    ['take a machine out of a group', { action: 'autoscaling:DetachInstances', on: GROUP, keys: TAGGED }],
    ['change a group', { action: 'autoscaling:UpdateAutoScalingGroup', on: GROUP, keys: TAGGED }],
    ['take protection from a machine', { action: 'ec2:ModifyInstanceAttribute', on: HOST, keys: TAGGED }],
  ])('may not %s', async (_what, call) => {
    expect(await asked('HaFenceRole', call)).toBe('no');
    expect(await evaluate(EVERYTHING, call)).toBe('yes');
  });

  test('the tag is what refuses: without the condition the answer is yes', async () => {
    const open = without(documents('HaFenceRole'), dropping('StringEquals', 'aws:ResourceTag/holdfast'));
    expect(await evaluate(open, { ...STOP, keys: {} })).toBe('yes');
  });
});

describe('who asks guards', () => {
  test('by one document, on hosts', async () => {
    expect(await asked('HaInvestigateRole', SEND)).toBe('yes');
    expect(await asked('HaInvestigateRole', { action: 'ssm:SendCommand', on: DOCUMENT })).toBe('yes');
  });

  test.each<[string, Call]>([
    ['send to an instance without the tag', { ...SEND, keys: {} }],
    ['send to a machine outside of EC2', { ...SEND, on: arnOf('ssm', 'managed-instance/mi-0aaaaaaaaaaaaaaaa') }],
    ['run another document', { action: 'ssm:SendCommand', on: DOCUMENT.replace('ShellScript', 'PatchBaseline') }],
    ['run a document of the account', { action: 'ssm:SendCommand', on: arnOf('ssm', 'document/AWS-RunShellScript') }],
    ['open a session', { action: 'ssm:StartSession', on: HOST }],
    ['read parameters', { action: 'ssm:GetParameter', on: arnOf('ssm', 'parameter/secret') }],
    ['stop the machine', STOP],
    ['write heartbeats', { action: 'dynamodb:UpdateItem', on: HEARTBEATS }],
  ])('may not %s', async (_what, call) => {
    expect(await asked('HaInvestigateRole', call)).toBe('no');
    expect(await evaluate(EVERYTHING, call)).toBe('yes');
  });

  test('the tag is what refuses: without the condition the answer is yes', async () => {
    const open = without(documents('HaInvestigateRole'), dropping('StringEquals', 'ssm:resourceTag/holdfast'));
    expect(await evaluate(open, { ...SEND, keys: {} })).toBe('yes');
  });
});

describe('no other', () => {
  const others = IDS.filter((id) => id !== 'HaFence');
  test.each(others)('%s stops, starts or terminates a machine', async (id) => {
    for (const action of ['ec2:StopInstances', 'ec2:StartInstances', 'ec2:TerminateInstances']) {
      expect(await asked(`${id}Role`, { ...STOP, action })).toBe('no');
    }
  });

  test.each(IDS.filter((id) => id !== 'HaInvestigate'))('%s sends commands', async (id) => {
    expect(await asked(`${id}Role`, SEND)).toBe('no');
  });

  test.each(IDS)('%s goes beyond its own tables, topic, workflow and log', async (id) => {
    const beyond: Call[] = [
      { action: 'dynamodb:Scan', on: arnOf('dynamodb', 'table/Orders') },
      { action: 'dynamodb:Scan', on: REGISTRY },
      { action: 'dynamodb:UpdateItem', on: REGISTRY },
      { action: 'dynamodb:DeleteItem', on: HEARTBEATS },
      { action: 'dynamodb:DeleteTable', on: HEARTBEATS },
      { action: 'dynamodb:UpdateTable', on: REGISTRY },
      { action: 'dynamodb:RestoreTableToPointInTime', on: REGISTRY },
      { action: 'states:StartExecution', on: arnOf('states', 'stateMachine:another') },
      { action: 'states:StopExecution', on: arnOf('states', 'execution:HoldfastControl-ha-run:r1') },
      { action: 'states:SendTaskSuccess', on: '*' },
      { action: 'sns:Publish', on: arnOf('sns', 'another') },
      { action: 'lambda:InvokeFunction', on: arnOf('lambda', 'function:HaFenceFunction') },
      { action: 'lambda:UpdateFunctionCode', on: arnOf('lambda', `function:${id}Function`) },
      { action: 'iam:PassRole', on: `arn:aws:iam::111122223333:role/${id}Role` },
      { action: 'sts:AssumeRole', on: 'arn:aws:iam::111122223333:role/HaFenceRole' },
      { action: 'ec2:CreateTags', on: instanceOf('i-0aaaaaaaaaaaaaaaa') },
      { action: 'logs:PutLogEvents', on: arnOf('logs', 'log-group:another:log-stream:s') },
    ];
    const allowed: string[] = [];
    for (const call of beyond)
      if ((await asked(`${id}Role`, call)) === 'yes') allowed.push(`${call.action} on ${call.on}`);
    expect(allowed).toEqual([]);
    for (const call of beyond) expect([call, await evaluate(EVERYTHING, call)]).toEqual([call, 'yes']);
  });

  test.each(IDS)('%s may write its own log', async (id) => {
    const call = { action: 'logs:PutLogEvents', on: arnOf('logs', `log-group:${id}Logs:log-stream:s`) };
    expect(await asked(`${id}Role`, call)).toBe('yes');
  });
});

describe('services of AWS', () => {
  const invoke = (id: string): Call => ({
    action: 'lambda:InvokeFunction',
    on: arnOf('lambda', `function:${id}Function`),
  });
  const invoked = async (role: string): Promise<LambdaId[]> => {
    const yes: LambdaId[] = [];
    for (const id of IDS) if ((await asked(role, invoke(id))) === 'yes') yes.push(id);
    return yes;
  };

  test('the workflow calls its three steps', async () => {
    expect(await invoked('HaRunWorkflowRole')).toEqual(['HaInvestigate', 'HaFence', 'HaRecover']);
  });

  test('schedules call find-behind, reconcile and the self-test of the fence', async () => {
    expect(await invoked('TriggersSchedulerRole')).toEqual(['FindBehind', 'Reconcile', 'HaFence']);
  });

  test.each(['HaRunWorkflowRole', 'TriggersSchedulerRole'])('%s reads and stops nothing itself', async (role) => {
    for (const call of [
      STOP,
      { action: 'dynamodb:GetItem', on: REGISTRY },
      { action: 'dynamodb:Scan', on: HEARTBEATS },
    ]) {
      expect(await asked(role, call)).toBe('no');
    }
  });

  test('API Gateway calls the API, rules of EventBridge instance-state, and nothing else', () => {
    const byService = grants(templates).filter(
      ({ who, action }) => /[.]amazonaws[.]com$/.test(who) && action === 'lambda:InvokeFunction',
    );
    const pairs = byService.map(({ who, on, when }) => `${who} ${on} ${Object.keys(when).join()}`);
    expect([...new Set(pairs)].sort()).toEqual([
      'apigateway.amazonaws.com lambda:function:ApiFunction ArnLike',
      'events.amazonaws.com lambda:function:InstanceStateFunction ArnLike',
    ]);
  });
});
