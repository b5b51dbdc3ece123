import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { nodeTimers } from '../../../adapters/node/clocks.ts';
import { bootClock } from '../../../adapters/node/boot-clock.ts';
import { spawnAgent } from '../../../agent/guard/agent-child.ts';
import {
  type AgentChild,
  type AgentProcess,
  nextBackoffMs,
  superviseAgent,
} from '../../../agent/guard/agent-process.ts';
import type { AgentMessage } from '../../../core/protocol/guard-link.ts';
import { until } from '../../local/fleet/until.ts';

/** Real processes on a busy machine. */
jest.setTimeout(30_000);

let folder: string;
let agent: AgentProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-agent-'));
});

afterEach(() => {
  agent?.close();
  rmSync(folder, { recursive: true });
});

/** An agent that notes its start, says `ready`, and does as told. */
function script(then: string): string {
  const file = join(folder, 'agent.mjs');
  const note = `appendFileSync(${JSON.stringify(join(folder, 'starts'))}, process.env.HOLDFAST_ROLE + '\\n');`;
  writeFileSync(file, `import { appendFileSync } from 'node:fs'; ${note} process.send({ type: 'ready' }); ${then}`);
  return file;
}

function lives(then: string): () => AgentChild {
  const entry = script(then);
  return () => spawnAgent({ entry, configFile: 'none' });
}

const starts = (): string[] => readFileSync(join(folder, 'starts'), 'utf8').trim().split('\n');

test('a successor starts only when nothing of the agent before it is left', async () => {
  const exits: string[] = [];
  const asked: ((isGone: boolean) => void)[] = [];
  agent = superviseAgent({
    clock: bootClock(),
    timers: nodeTimers,
    spawnAgent: lives('process.disconnect(); process.exitCode = 3;'),
    onMessage: () => undefined,
    onExit: (how) => void exits.push(how),
    endAgent: () => new Promise((resolve) => void asked.push(resolve)),
  });
  await until('its end', () => asked.length === 1);
  expect(exits).toEqual(['exit 3']);
  asked[0]?.(false);
  await until('another look', () => asked.length === 2);
  expect(starts()).toEqual(['agent']);
  asked[1]?.(true);
  await until('its successor', () => starts().length === 2);
  agent.close();
  await until('the end of that one', () => exits.length === 2);
});

test('what an agent says is heard while it lives; end() kills it even if it is stopped', async () => {
  const heard: AgentMessage[] = [];
  const exits: string[] = [];
  agent = superviseAgent({
    clock: bootClock(),
    timers: nodeTimers,
    spawnAgent: lives("process.kill(process.pid, 'SIGSTOP'); setInterval(() => undefined, 1000);"),
    onMessage: (message) => void heard.push(message),
    onExit: (how) => void exits.push(how),
    endAgent: () => Promise.resolve(true),
  });
  await until('its word', () => heard.length === 1);
  expect(heard).toEqual([{ type: 'ready' }]);
  agent.close();
  expect(await agent.end()).toBe(true);
  await until('its end', () => exits.length === 1);
  expect(exits).toEqual(['SIGKILL']);
});

test.each([
  ['renewed, then died young: no pause grows', 1_280, { livedMs: 4_000, hasRenewed: true }, 20],
  ['died young without a renewal: twice the pause', 20, { livedMs: 4_000, hasRenewed: false }, 40],
  ['again and again: two seconds at most', 1_280, { livedMs: 100, hasRenewed: false }, 2_000],
  ['lived long through an outage: begun anew', 2_000, { livedMs: 10_001, hasRenewed: false }, 20],
])('the pause before the next agent: %s', (_, backoffMs, life, expected) => {
  expect(nextBackoffMs(backoffMs, life)).toBe(expected);
});
