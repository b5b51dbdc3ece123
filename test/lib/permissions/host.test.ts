import { describe, expect, test } from '@jest/globals';
import type { PolicyDocument } from '../../../lib/permissions/granted.ts';
import { arnOf } from '../../../lib/permissions/template.ts';
import { type Call, evaluate } from './evaluate.ts';
import { dropping, EVERYTHING, hostPolicy, without } from './host-policies.ts';
import {
  certificateSession,
  type DynamoCall,
  dynamoCall,
  HEARTBEATS,
  instanceOf,
  instanceSession,
  type Keys,
  NEIGHBOUR,
  OWN,
  REGISTRY,
  RENEWAL,
} from './host-session.ts';

const SESSION = instanceSession(OWN);
const policy = hostPolicy('instance');

const asked = (call: DynamoCall, session: Keys = SESSION, documents: readonly PolicyDocument[] = policy) =>
  evaluate(documents, dynamoCall(call, session));

const GET_OWN: DynamoCall = { operation: 'GetItem', table: HEARTBEATS, key: OWN };
const ASSIGNMENT: DynamoCall = { operation: 'GetItem', table: REGISTRY, key: `H#${OWN}` };
const REPORT: DynamoCall = { operation: 'PutItem', table: REGISTRY, key: `REPORTS#${OWN}` };

/** AWS leaves a key without values out of the request. */
const { attributes: _named, ...NAMELESS } = RENEWAL;

describe('a host may (S16)', () => {
  test.each<[string, DynamoCall]>([
    ['renew its own heartbeat', RENEWAL],
    ['read its own heartbeat', GET_OWN],
    ['read its own assignment', ASSIGNMENT],
    ['write its own reports', REPORT],
    ['read its own reports', { ...REPORT, operation: 'GetItem' }],
    ['remove its own reports', { ...REPORT, operation: 'DeleteItem' }],
  ])('%s', async (_what, call) => expect(await asked(call)).toBe('yes'));
});

describe('a host may not (S16)', () => {
  test.each<[string, DynamoCall]>([
    ['renew the heartbeat of its neighbour', { ...RENEWAL, key: NEIGHBOUR }],
    ['read the heartbeat of its neighbour', { ...GET_OWN, key: NEIGHBOUR }],
    ['write its directive', { ...RENEWAL, attributes: [...(RENEWAL.attributes ?? []), 'directive'] }],
    ['write the mark for faster beats', { ...RENEWAL, attributes: ['pk', 'hurry'] }],
    ['name what a revocation left', { ...RENEWAL, attributes: ['pk', 'session', 'revokedSession'] }],
    ['update without naming a key', { ...RENEWAL, key: null }],
    ['update without naming attributes', NAMELESS],
    ['ask for the item as it was', { ...RENEWAL, returns: 'ALL_OLD' }],
    ['put a whole heartbeat', { ...RENEWAL, operation: 'PutItem' }],
    ['delete its heartbeat', { ...RENEWAL, operation: 'DeleteItem' }],
    ['scan heartbeats', { operation: 'Scan', table: HEARTBEATS, key: null }],
    ['query its own heartbeat', { operation: 'Query', table: HEARTBEATS, key: OWN }],
    ['write its own assignment', { ...ASSIGNMENT, operation: 'PutItem' }],
    ['update its own assignment', { ...ASSIGNMENT, operation: 'UpdateItem' }],
    ['delete its own assignment', { ...ASSIGNMENT, operation: 'DeleteItem' }],
    ['read the assignment of its neighbour', { ...ASSIGNMENT, key: `H#${NEIGHBOUR}` }],
    ['write reports of its neighbour', { ...REPORT, key: `REPORTS#${NEIGHBOUR}` }],
    ['read reports of its neighbour', { ...REPORT, operation: 'GetItem', key: `REPORTS#${NEIGHBOUR}` }],
    ['read without naming a key', { ...ASSIGNMENT, key: null }],
    ['write reports without naming a key', { ...REPORT, key: null }],
    ['read who owns a slot', { ...ASSIGNMENT, key: 'C#payments' }],
    ['write who owns a slot', { ...REPORT, key: 'C#payments' }],
    ['query the registry', { ...REPORT, operation: 'Query' }],
    ['scan the registry', { operation: 'Scan', table: REGISTRY, key: null }],
    ['write a report by its bare name', { ...REPORT, key: OWN }],
    ['read from a table of somebody else', { ...GET_OWN, table: arnOf('dynamodb', 'table/Orders') }],
    ['delete a table', { operation: 'DeleteTable', table: HEARTBEATS, key: null }],
  ])('%s', async (_what, call) => {
    expect(await asked(call)).toBe('no');
    expect(await asked(call, SESSION, EVERYTHING)).toBe('yes');
  });

  const mine = (call: Call): Call => ({ ...call, keys: { ...SESSION, ...call.keys } });
  test.each<[string, Call]>([
    ['stop another machine', { action: 'ec2:StopInstances', on: instanceOf('i-0bbbbbbbbbbbbbbbb') }],
    ['stop itself', { action: 'ec2:StopInstances', on: OWN }],
    ['look at machines', { action: 'ec2:DescribeInstances', on: '*' }],
    ['tag itself as a host', { action: 'ec2:CreateTags', on: OWN }],
    ['start a run', { action: 'states:StartExecution', on: arnOf('states', 'stateMachine:HoldfastControl-ha-run') }],
    ['answer for a step', { action: 'states:SendTaskSuccess', on: '*' }],
    ['call a Lambda', { action: 'lambda:InvokeFunction', on: arnOf('lambda', 'function:HaFenceFunction') }],
    ['call the API', { action: 'execute-api:Invoke', on: arnOf('execute-api', 'abc/$default/POST/hosts/db-1/fence') }],
    ['send commands', { action: 'ssm:SendCommand', on: instanceOf('i-0bbbbbbbbbbbbbbbb') }],
    ['page', { action: 'sns:Publish', on: arnOf('sns', 'Pages') }],
    ['take another role', { action: 'sts:AssumeRole', on: 'arn:aws:iam::111122223333:role/HaFenceRole' }],
  ])('%s', async (_what, call) => {
    expect(await evaluate(policy, mine(call))).toBe('no');
    expect(await evaluate(EVERYTHING, mine(call))).toBe('yes');
  });

  test('use credentials that version 1 of the metadata service handed out', async () => {
    for (const call of [RENEWAL, GET_OWN, ASSIGNMENT, REPORT]) {
      expect(await asked(call, instanceSession(OWN, '1.0'))).toBe('no');
    }
  });

  test('use the policy away from its machine, where no instance stands in the request', async () => {
    for (const call of [RENEWAL, GET_OWN, ASSIGNMENT, REPORT]) {
      expect(await asked(call, { 'ec2:RoleDelivery': '2.0' })).toBe('no');
      expect(await asked({ ...call, key: '' }, { 'ec2:RoleDelivery': '2.0' })).toBe('no');
      expect(await asked({ ...call, key: '${ec2:SourceInstanceARN}' }, { 'ec2:RoleDelivery': '2.0' })).toBe('no');
    }
  });
});

describe('each guard is what refuses: without it the answer is yes', () => {
  const ALL = 'ForAllValues:StringEquals';
  test.each<[string, string, string, DynamoCall, Keys]>([
    ['own partition, to write', ALL, 'dynamodb:LeadingKeys', { ...RENEWAL, key: NEIGHBOUR }, SESSION],
    ['own partition, to read', ALL, 'dynamodb:LeadingKeys', { ...ASSIGNMENT, key: `H#${NEIGHBOUR}` }, SESSION],
    ['own partition, to report', ALL, 'dynamodb:LeadingKeys', { ...REPORT, key: `REPORTS#${NEIGHBOUR}` }, SESSION],
    ['a key must be named, to write', 'Null', 'dynamodb:LeadingKeys', { ...RENEWAL, key: null }, SESSION],
    ['a key must be named, to read', 'Null', 'dynamodb:LeadingKeys', { ...ASSIGNMENT, key: null }, SESSION],
    ['own attributes', ALL, 'dynamodb:Attributes', { ...RENEWAL, attributes: ['pk', 'directive'] }, SESSION],
    ['attributes must be named', 'Null', 'dynamodb:Attributes', NAMELESS, SESSION],
    ['what is returned', 'StringEquals', 'dynamodb:ReturnValues', { ...RENEWAL, returns: 'ALL_OLD' }, SESSION],
    ['version 2 of metadata', 'NumericGreaterThanEquals', 'ec2:RoleDelivery', RENEWAL, instanceSession(OWN, '1.0')],
  ])('%s', async (_what, operator, key, call, session) => {
    expect(await asked(call, session)).toBe('no');
    expect(await asked(call, session, without(policy, dropping(operator, key)))).toBe('yes');
  });
});

describe('hosts outside of AWS', () => {
  const certified = hostPolicy('certificate');

  test('their own items, not those of another', async () => {
    const session = certificateSession('db-1.example');
    const calls = (who: string): DynamoCall[] => [
      { ...RENEWAL, key: who },
      { ...GET_OWN, key: who },
      { ...ASSIGNMENT, key: `H#${who}` },
      { ...REPORT, key: `REPORTS#${who}` },
    ];
    for (const call of calls('db-1.example')) expect(await asked(call, session, certified)).toBe('yes');
    for (const call of calls('db-2.example')) expect(await asked(call, session, certified)).toBe('no');
    const write: DynamoCall = { ...ASSIGNMENT, operation: 'PutItem', key: 'H#db-1.example' };
    expect(await asked(write, session, certified)).toBe('no');
    const direct: DynamoCall = { ...RENEWAL, key: 'db-1.example', attributes: ['pk', 'directive'] };
    expect(await asked(direct, session, certified)).toBe('no');
  });

  test('a certificate cannot name an instance, and that is what refuses', async () => {
    const session = certificateSession(NEIGHBOUR);
    const open = without(certified, dropping('StringNotLike', 'aws:PrincipalTag/x509Subject/CN'));
    for (const call of [
      { ...RENEWAL, key: NEIGHBOUR },
      { ...ASSIGNMENT, key: `H#${NEIGHBOUR}` },
    ]) {
      expect(await asked(call, session, certified)).toBe('no');
      expect(await asked(call, session, open)).toBe('yes');
    }
  });

  test('a certificate that names a pattern names nobody else', async () => {
    for (const name of ['*', 'db-?', '${aws:PrincipalTag/x509Subject/CN}']) {
      expect(await asked({ ...RENEWAL, key: 'db-1' }, certificateSession(name), certified)).toBe('no');
    }
  });

  test('the policy of one kind is of no use to another', async () => {
    expect(await asked(RENEWAL, SESSION, certified)).toBe('no');
    expect(await asked({ ...RENEWAL, key: 'db-1' }, certificateSession('db-1'), policy)).toBe('no');
  });
});
