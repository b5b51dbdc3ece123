import { expect, test } from '@jest/globals';
import { ssmGuardPath } from '../../../adapters/aws/ssm-guard-path.ts';
import { CREDENTIALS } from '../../contract/power-fixtures.ts';
import { answering, reply } from './fake-endpoints.ts';

const ONLINE = { InstanceId: 'i-1', PingStatus: 'Online' };

test.each([
  ['a whole answer: it has never reported', { InstanceInformationList: [ONLINE] }, 'absent'],
  ['a page of several: it may be on the next', { InstanceInformationList: [ONLINE], NextToken: 'more' }, 'unknown'],
])('who is left out of %s', async (_what, answer, reach) => {
  const endpoint = await answering((_operation, response) => reply(response, 200, answer));
  const path = ssmGuardPath({ region: 'local', endpoint: endpoint.url, credentials: CREDENTIALS });
  try {
    expect([...(await path.reach(['i-1', 'i-2']))]).toEqual([
      ['i-1', 'online'],
      ['i-2', reach],
    ]);
  } finally {
    path.close();
    await endpoint.close();
  }
});
