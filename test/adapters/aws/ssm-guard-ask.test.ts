import {
  DescribeInstanceInformationCommand,
  GetCommandInvocationCommand,
  SendCommandCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ssmGuardAsk } from '../../../adapters/aws/ssm-guard-ask.ts';
import type { MachineView, RunResult } from '../../../local/fleet/ec2/machine-source.ts';
import type { Ec2Server } from '../../../local/fleet/ec2/server.ts';
import { CREDENTIALS, Machines, openEc2 } from '../../contract/power-fixtures.ts';
import { blackHole } from './fake-endpoints.ts';

jest.setTimeout(30_000);

const ID = 'i-0123456789abcdef0';
const SELF = { session: 's-1', stands: true, running: ['ledger/0'] };

class Hosts extends Machines {
  answer: () => Promise<RunResult> = async () => ({ status: 0, stdout: `${JSON.stringify(SELF)}\n`, stderr: '' });
  checked = 0;
  async check(): Promise<RunResult> {
    this.checked += 1;
    return this.answer();
  }
}

let hosts: Hosts;
let server: Ec2Server;
let guard: ReturnType<typeof ssmGuardAsk>;

const open = async (more: Partial<MachineView> = {}) => {
  hosts = new Hosts();
  hosts.add(ID, more);
  server = await openEc2(hosts);
  guard = ssmGuardAsk({ region: 'local', endpoint: server.url, credentials: CREDENTIALS, budgetMs: 2_000, pollMs: 30 });
};
beforeEach(() => open());
afterEach(async () => {
  guard.close();
  await server.close();
});

describe('asking a guard by Systems Manager', () => {
  test("the guard's own words", async () => {
    expect(await guard.check(ID)).toEqual({ outcome: 'answered', ...SELF });
    expect(hosts.checked).toBe(1);
  });

  test.each<[string, RunResult, string]>([
    ['no guard on the host', { status: 1, stdout: '', stderr: 'no guard answers on this host\n' }, 'no guard answers'],
    ['an answer of half a line', { status: 0, stdout: '{"session":"s-1"', stderr: '' }, 'not JSON'],
    ['an answer without the deadline', { status: 0, stdout: '{"session":"s-1","running":[]}', stderr: '' }, 'stands'],
    ['nothing', { status: 0, stdout: '', stderr: '' }, 'not JSON'],
  ])('S8: %s is unknown', async (_what, result, says) => {
    hosts.answer = async () => result;
    expect(await guard.check(ID)).toEqual({ outcome: 'unknown', says: expect.stringContaining(says) });
  });

  test('S8: a machine that is cut off, or that SSM does not know, is unknown', async () => {
    expect(await guard.check('i-00000000000000009')).toMatchObject({
      outcome: 'unknown',
      says: expect.stringContaining('InvalidInstanceId'),
    });
    guard.close();
    await server.close();
    await open({ isConnected: false });
    expect(await guard.check(ID)).toMatchObject({
      says: expect.stringMatching(/^its SSM agent is not connected \(InvalidInstanceId\)$/),
    });
    expect(hosts.checked).toBe(0);
  });

  test('S8: a machine that crashed, or was cut off before it answered, never answers', async () => {
    await server.cloud.crash(ID);
    expect(await guard.check(ID)).toMatchObject({ outcome: 'unknown' });
    expect(hosts.checked).toBe(0);
  });

  test('S8: a guard that hangs is unknown, within the time given', async () => {
    hosts.answer = () => new Promise(() => undefined);
    expect(await guard.check(ID)).toMatchObject({ outcome: 'unknown', says: expect.stringContaining('2000 ms') });
  });

  test('S8: an SSM that says nothing is unknown, within the time given', async () => {
    const hole = await blackHole();
    const lost = ssmGuardAsk({ region: 'local', endpoint: hole.url, credentials: CREDENTIALS, budgetMs: 300 });
    expect(await lost.check(ID)).toMatchObject({ outcome: 'unknown' });
    lost.close();
    await hole.close();
  });
});

describe('the local SSM', () => {
  test('runs that one command and nothing else', async () => {
    const client = new SSMClient({ region: 'local', endpoint: server.url, credentials: { ...CREDENTIALS } });
    const send = (commands: string[]) =>
      client.send(
        new SendCommandCommand({ InstanceIds: [ID], DocumentName: 'AWS-RunShellScript', Parameters: { commands } }),
      );
    const { Command } = await send(['holdfast-agent check --json', 'touch /tmp/x']);
    const CommandId = Command?.CommandId ?? '';
    const ask = () => client.send(new GetCommandInvocationCommand({ CommandId, InstanceId: ID }));
    await expect(ask()).rejects.toMatchObject({ name: 'InvocationDoesNotExist' });
    let status: string | undefined;
    for (let round = 0; round < 100 && status === undefined; round += 1) {
      status = await ask().then(
        (answer) => answer.Status,
        () => undefined,
      );
    }
    expect([status, hosts.checked]).toEqual(['Failed', 0]);
    const { InstanceInformationList } = await client.send(new DescribeInstanceInformationCommand({}));
    expect(InstanceInformationList).toMatchObject([{ InstanceId: ID, PingStatus: 'Online' }]);
    client.destroy();
  });
});
