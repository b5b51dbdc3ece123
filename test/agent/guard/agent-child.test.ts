import { afterEach, expect, test } from '@jest/globals';
import { spawnAgent } from '../../../agent/guard/agent-child.ts';

const { execPath } = process;

afterEach(() => {
  process.execPath = execPath;
});

test('an agent that could not even be started has ended, so that it is started again', async () => {
  process.execPath = '/nowhere/node';
  const child = spawnAgent({ entry: 'agent.ts', configFile: 'host.json' });
  const how = await new Promise<string>((resolve) => child.onExit(resolve));
  expect(how).toMatch(/^not started: .*ENOENT/);
});
