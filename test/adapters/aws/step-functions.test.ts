import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { stepFunctions } from '../../../adapters/aws/step-functions.ts';

const MACHINE = 'arn:aws:states:eu-west-1:111122223333:stateMachine:HoldfastControl-ha-run';
const EXECUTION = 'arn:aws:states:eu-west-1:111122223333:execution:HoldfastControl-ha-run:ha.h1.s.3.1';

let server: Server | undefined;
afterEach(() => void server?.close());

/** Answers every call, and keeps what was asked: `[operation, body]`. */
async function service(): Promise<{ endpoint: string; asked: [string, unknown][] }> {
  const asked: [string, unknown][] = [];
  const listening = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked.push([String(request.headers['x-amz-target']), JSON.parse(Buffer.concat(chunks).toString('utf8'))]);
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify({ executionArn: EXECUTION, startDate: Date.now() / 1_000, status: 'RUNNING' }));
    });
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const { port } = listening.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${String(port)}`, asked };
}

const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };

describe('the workflow in Step Functions', () => {
  test.each([
    ['the machine', MACHINE],
    ['its alias', `${MACHINE}:live`],
    ['a version of it', `${MACHINE}:7`],
  ])('a run started through %s is found under its name', async (_, stateMachineArn) => {
    const { endpoint, asked } = await service();
    const workflow = stepFunctions({ region: 'eu-west-1', endpoint, credentials, stateMachineArn });
    expect(await workflow.start('ha.h1.s.3.1', { host: 'h1' })).toEqual({ outcome: 'started' });
    expect(await workflow.status('ha.h1.s.3.1')).toBe('RUNNING');
    expect(asked).toEqual([
      ['AWSStepFunctions.StartExecution', { stateMachineArn, name: 'ha.h1.s.3.1', input: '{"host":"h1"}' }],
      ['AWSStepFunctions.DescribeExecution', { executionArn: EXECUTION }],
    ]);
  });

  test('what is no machine is refused at once', () => {
    const place = { region: 'eu-west-1', credentials };
    expect(() => stepFunctions({ ...place, stateMachineArn: 'ha-run' })).toThrow('ARN of a state machine');
  });
});
