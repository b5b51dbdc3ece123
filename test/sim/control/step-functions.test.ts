import { describe, expect, test } from '@jest/globals';
import type { Noise } from '../../../sim/contract/faults.ts';
import type { Told } from '../../../sim/contract/truth.ts';
import type { Outcome } from '../../../sim/control/environment.ts';
import { StepFunctions } from '../../../sim/control/step-functions.ts';
import { WorkflowApi } from '../../../sim/control/workflow-api.ts';
import { LocalClock } from '../../../sim/kernel/local-clock.ts';
import { SimProcess } from '../../../sim/kernel/process.ts';
import { Random } from '../../../sim/kernel/random.ts';
import { Timeline } from '../../../sim/kernel/timeline.ts';

const WORK = { cluster: 'c', host: 'h1', session: 's', seq: 3 };

function service(noise: Noise = {}, answer: () => Outcome = () => ({ ok: false, error: 'not_found', cause: 'no' })) {
  const timeline = new Timeline();
  const told: Told[] = [];
  const stage = {
    timeline,
    random: new Random(5),
    tell: (fact: object) => void told.push({ ...fact, at: timeline.now() } as Told), // As it was told.
    mutation: null,
  };
  const invoked: { readonly fn: string; readonly at: number }[] = [];
  const executions = new StepFunctions(stage, async (fn) => {
    invoked.push({ fn, at: timeline.now() });
    return answer();
  });
  executions.setNoise(noise);
  const clock = new LocalClock(timeline, { rate: 1, bootMs: 0, wallOffsetMs: 0 });
  const process = new SimProcess(timeline, clock, 'f', () => undefined);
  const api = new WorkflowApi(stage, executions);
  api.setNoise(noise);
  const workflow = api.forProcess(process);
  return { timeline, told, invoked, executions, workflow };
}

describe('step functions', () => {
  test('a name is used once: the same start right after it is the same start, every later one finds it', async () => {
    const { timeline, executions } = service({}, () => ({ ok: false, error: 'conflict', cause: 'for ever' }));
    expect(executions.start('ha.h1', WORK)).toEqual({ outcome: 'started' });
    expect(executions.start('ha.h1', { ...WORK })).toEqual({ outcome: 'started' });
    expect(executions.start('ha.h1', { ...WORK, seq: 4 })).toEqual({ outcome: 'exists' });
    await timeline.run(6_000);
    expect(executions.running()).toEqual(['ha.h1']);
    expect(executions.start('ha.h1', WORK)).toEqual({ outcome: 'exists' });
    await timeline.run(600_000);
    expect(executions.running()).toEqual([]);
    expect(executions.start('ha.h1', WORK)).toEqual({ outcome: 'exists' });
    expect(() => executions.start('ha/h1', WORK)).toThrow('no name of an execution');
  });

  test('a task is tried again as the workflow file says', async () => {
    const { timeline, executions, invoked } = service({}, () => ({ ok: false, error: 'Lambda.Unknown', cause: '' }));
    executions.start('ha.h1', WORK);
    await timeline.run(40_000);
    const opens = invoked.slice(0, 7).map(({ at }) => Math.floor(at / 1_000));
    // Pauses of 1, 2, 4, 8, 10 and 10 s.
    expect(opens).toEqual([0, 1, 3, 7, 15, 25, 35]);
  });

  test('a start whose answer is lost was taken, one that was throttled was not', async () => {
    const lost = service({ answer_lost: 1 });
    const answer = lost.workflow.start('ha.h1', WORK).catch((error: unknown) => error);
    await lost.timeline.run(1_000);
    expect(lost.executions.status('ha.h1')).toBeDefined();
    await lost.timeline.run(20_000);
    expect(await answer).toMatchObject({ code: 'timed_out' });

    const throttled = service({ throttled: 1 });
    const refusal = throttled.workflow.start('ha.h1', WORK).catch((error: unknown) => error);
    await throttled.timeline.run(20_000);
    expect(await refusal).toMatchObject({ code: 'store_throttled' });
    expect(throttled.executions.status('ha.h1')).toBeUndefined();
    expect(throttled.told).toMatchObject([{ type: 'fault', kind: 'throttled' }]);
  });

  test('it wakes late where that is drawn, and never early', async () => {
    const late = service({ step_late: 1 });
    late.executions.start('ha.h1', WORK);
    await late.timeline.run(60_000);
    expect(late.invoked[0]?.at).toBeGreaterThan(50);
    const prompt = service();
    prompt.executions.start('ha.h1', WORK);
    await prompt.timeline.run(60_000);
    expect(prompt.invoked[0]?.at).toBeLessThan(50);
  });
});
