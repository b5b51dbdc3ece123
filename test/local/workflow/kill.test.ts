import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openWorkflowDriver } from '../../../local/workflow/driver.ts';
import { processTimers } from '../../../local/workflow/timers.ts';

const ASL = {
  StartAt: 'Quick',
  States: {
    Quick: { Type: 'Task', Resource: 'fn:quick', ResultPath: '$.quick', Next: 'Hold' },
    Hold: { Type: 'Task', Resource: 'fn:hold', End: true },
  },
};

/** Starts the runner and kills it, with no chance to tidy up, at the given line of its output. */
async function killAtLine(folder: string, line: number): Promise<void> {
  const runner = new URL('./killed-runner.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [runner, folder, JSON.stringify(ASL)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  let lines = 0;
  for await (const _ of createInterface({ input: child.stdout })) {
    lines += 1;
    if (lines === line) child.kill('SIGKILL');
  }
  await ended;
  expect(child.signalCode).toBe('SIGKILL');
}

test.each([1, 15, 33])(
  'a process killed at its %ith invocation loses no execution',
  async (line) => {
    const folder = await mkdtemp(join(tmpdir(), 'workflow-kill-'));
    try {
      await killAtLine(folder, line);
      const logs: string[] = [];
      const driver = await openWorkflowDriver({
        folder,
        asl: ASL,
        timers: processTimers,
        log: (text) => logs.push(text),
        invoke: (_resource, input) => Promise.resolve(input),
      });
      const survivors = driver.list({ limit: 100 });
      expect(survivors.length).toBeGreaterThan(0);
      for (const { name } of survivors) {
        expect(await driver.whenEnded(name)).toBe('SUCCEEDED');
        const index = Number(name.slice('run-'.length));
        expect((await driver.describe(name))?.output).toEqual({ index, quick: { index } });
        const ids = (await driver.history(name))?.map((event) => event.id);
        expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      }
      // Whatever had been acknowledged or invoked is there; what was half written has left no trace.
      expect(logs).toEqual([]);
      driver.close();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  30_000,
);
