/** A driver over a folder of its own, with tasks that the test answers by hand. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json } from '../../../core/workflow/workflow.ts';
import type { WorkflowDriver, WorkflowDriverOptions } from '../../../local/workflow/driver.ts';
import type { ManualTimers } from './manual-timers.ts';
import { openWorkflowDriver } from '../../../local/workflow/driver.ts';
import { manualTimers } from './manual-timers.ts';

export interface Call {
  readonly resource: string;
  readonly input: Json;
  readonly answer: (output: unknown) => void;
  readonly fail: (name: string, message: string) => void;
}

export interface Bench {
  readonly folder: string;
  readonly timers: ManualTimers;
  readonly logs: string[];
  /** Every invocation so far, over all drivers. */
  readonly calls: Call[];
  /** Resolves with the call of that number (from 0) once it has been made. */
  call(index: number): Promise<Call>;
  /** A driver over the same folder. An earlier one is closed first, as a crash would end it, unless it is to be abandoned. */
  open(asl: Json, options?: Partial<WorkflowDriverOptions>): Promise<WorkflowDriver>;
  close(): Promise<void>;
}

export async function openBench(): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'workflow-'));
  const timers = manualTimers();
  const logs: string[] = [];
  const calls: Call[] = [];
  const watchers: { index: number; seen: (call: Call) => void }[] = [];
  let driver: WorkflowDriver | undefined;

  const invoke = (resource: string, input: Json): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const call: Call = {
        resource,
        input,
        answer: resolve,
        fail: (name, message) => reject(Object.assign(new Error(message), { name })),
      };
      calls.push(call);
      for (const { index, seen } of watchers) if (index === calls.length - 1) seen(call);
    });

  return {
    folder,
    timers,
    logs,
    calls,
    call: (index) =>
      new Promise((resolve) => {
        const made = calls[index];
        if (made === undefined) watchers.push({ index, seen: resolve });
        else resolve(made);
      }),
    async open(asl, options = {}) {
      driver?.close();
      driver = await openWorkflowDriver({ folder, asl, invoke, timers, log: (text) => logs.push(text), ...options });
      return driver;
    },
    async close() {
      driver?.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
