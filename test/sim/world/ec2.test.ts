import { describe, expect, jest, test } from '@jest/globals';
import type { PowerReading } from '../../../core/ports.ts';
import type { Noise } from '../../../sim/contract/faults.ts';
import type { MachinePower, PowerChange, SimEc2 } from '../../../sim/contract/parts.ts';
import type { Scene } from '../../../sim/contract/scene.ts';
import { createEc2 } from '../../../sim/world/ec2.ts';
import { factsOf, testStage, type TestStage } from './stage.ts';

jest.setTimeout(60_000); // Thousands of virtual events, on a machine that others use.

const M = 'i-00000000000000001';
const NOW = { skipOsShutdown: true, force: false };

/** One machine as its firmware sees it. */
function machine() {
  const listeners: ((machine: string, now: PowerChange) => void)[] = [];
  const state: { power: PowerChange; launches: number } = { power: 'on', launches: 1 };
  const set = (now: PowerChange): void => {
    state.power = now;
    listeners.forEach((listener) => listener(M, now));
  };
  const power: MachinePower = {
    view: (id) => {
      const launchTime = `2026-01-05T09:00:0${state.launches}.000Z`;
      const principal = `arn:aws:ec2:us-east-1:123456789012:instance/${M}`;
      return id === M ? { host: 'h1', principal, power: state.power, launchTime, isFrozen: false } : undefined;
    },
    powerOff: () => void (state.power === 'on' && set('off')),
    powerOn: () => {
      if (state.power !== 'off') return;
      state.launches += 1;
      set('on');
    },
    checkGuard: () => (state.power === 'on' ? { outcome: 'answered', session: 's1', stands: true, running: [] } : null),
    onChange: (listener) => void listeners.push(listener),
  };
  return { power, state };
}

interface World extends TestStage {
  readonly ec2: SimEc2;
  readonly state: { power: PowerChange; launches: number };
  readonly control: ReturnType<SimEc2['forControl']>;
  readonly read: () => Promise<PowerReading>;
  readonly events: unknown[];
  readonly crash: () => void;
  readonly boot: () => void;
}

function world(seed = 1, noise: Noise = {}): World {
  const at = testStage(seed);
  const { power, state } = machine();
  const host = {
    name: 'h1',
    instanceId: M,
    zone: 'a',
    guardLevel: 'watchdog',
    clockRate: 1,
    wallOffsetMs: 0,
    isOnAtFirst: true,
  } as const;
  const scene: Scene = {
    ...{ seed, profile: 'fast', cluster: 'sim', yaml: '', hosts: [host], faultsForMs: 0, quietForMs: 0 },
    ...{ noise, faults: [], acts: [] },
  };
  const ec2 = createEc2(at.stage, scene, power);
  ec2.setNoise(noise);
  const events: unknown[] = [];
  ec2.onEvent((event) => events.push(event));
  const control = ec2.forControl(at.process());
  const read = async (): Promise<PowerReading> => {
    const reading = await at.outcome(control.power.read(M), 700);
    if (typeof reading === 'string') throw new Error(reading);
    return reading;
  };
  return { ...at, ec2, state, control, read, events, crash: () => power.powerOff(M), boot: () => power.powerOn(M) };
}

describe('sim EC2', () => {
  test('S7: the power is off before `stopped` is shown, and a start changes the launch time before anything shows it', async () => {
    for (let seed = 0; seed < 12; seed += 1) {
      const at = world(seed, { ec2_stale: 0.5 });
      const first = (await at.read()).launchTime;
      await at.outcome(at.control.power.stop(M, NOW), 500);
      const states = new Set<string>();
      for (let n = 0; n < 100; n += 1) {
        const { state, launchTime } = await at.read();
        states.add(state);
        if (state === 'stopped') expect([at.state.power, launchTime]).toEqual(['off', first]);
        if (at.state.power === 'on') expect(state).not.toBe('stopped');
      }
      expect([...states]).toEqual(expect.arrayContaining(['stopping', 'stopped']));
      at.ec2.startByHand(M);
      for (let n = 0; n < 40; n += 1) {
        const { state, launchTime } = await at.read();
        // A reading that lags is about the life before, and says so.
        if (state === 'stopped') expect(launchTime).toBe(first);
        if (launchTime !== first) expect(['pending', 'running']).toContain(state);
      }
      expect(at.ec2.isRunning(M)).toBe(true);
      expect(factsOf(at.facts, 'power_call')).toEqual([
        { type: 'power_call', machine: M, host: 'h1', call: 'stop', by: 'p' },
      ]);
    }
  });

  test('a stuck stop does not end until it is forced, or the trouble is over', async () => {
    for (const end of ['force', 'healed'] as const) {
      const at = world(3);
      at.ec2.setStuck(true);
      await at.outcome(at.control.power.stop(M, NOW), 200_000);
      expect((await at.read()).state).toBe('stopping');
      if (end === 'healed') at.ec2.setStuck(false);
      else await at.outcome(at.control.power.stop(M, { ...NOW, force: true }), 500);
      await at.timeline.run(at.timeline.now() + 60_000);
      expect((await at.read()).state).toBe('stopped');
    }
  });

  test('a machine whose power fails is still running for EC2, and impaired after a while', async () => {
    const at = world();
    at.crash();
    await at.timeline.run(at.timeline.now() + 30_000);
    expect(await at.read()).toMatchObject({ state: 'running', checks: 'impaired' });
    at.boot();
    expect(await at.read()).toMatchObject({ state: 'running', checks: 'ok', launchTime: '2026-01-05T09:00:02.000Z' });
  });

  test('what nobody wants any more is not sent', async () => {
    const at = world();
    expect(
      await at.outcome(
        at.control.power.stop(M, NOW, () => false),
        500,
      ),
    ).toBe('failed: power_throttled');
    expect(at.ec2.isRunning(M)).toBe(true);
    expect(factsOf(at.facts, 'power_call')).toEqual([]);
  });

  test('throttled and empty answers say nothing of the machine', async () => {
    const throttled = world(1, { ec2_throttled: 1 });
    expect(await throttled.outcome(throttled.control.power.read(M), 3_000)).toMatchObject({
      state: 'unknown',
      principal: null,
    });
    expect(await throttled.outcome(throttled.control.power.stop(M, NOW), 3_000)).toBe('failed: power_throttled');
    expect(throttled.ec2.isRunning(M)).toBe(true);
    const empty = world(1, { ec2_empty: 1 });
    expect(await empty.read()).toMatchObject({ state: 'unknown', launchTime: null });
  });

  test('each change of state is an event in the shape of EventBridge, once; again under event_repeated', async () => {
    for (const [noise, times] of [
      [{}, 1],
      [{ event_repeated: 1 }, 2],
      [{ event_late: 1 }, 1],
    ] as const) {
      const at = world(1, noise);
      at.ec2.stopByHand(M);
      await at.timeline.run(400_000);
      const states = at.events.map((event) => (event as { detail: Record<string, string> }).detail);
      expect(states.filter(({ state }) => state === 'stopping')).toHaveLength(times);
      expect(states.filter(({ state }) => state === 'stopped')).toHaveLength(times);
      expect(at.events[0]).toMatchObject({
        ...{ source: 'aws.ec2', 'detail-type': 'EC2 Instance State-change Notification', account: '123456789012' },
        ...{ region: 'us-east-1', detail: { 'instance-id': M } },
      });
    }
  });

  test('started by hand while it is still stopping, it comes back once it is stopped', async () => {
    const at = world();
    at.ec2.stopByHand(M);
    await at.timeline.run(200);
    at.ec2.startByHand(M);
    await at.timeline.run(120_000);
    expect([at.ec2.isRunning(M), at.state.power, at.state.launches]).toEqual([true, 'on', 2]);
  });

  test('S8: the guard of a machine without power says nothing; that of a healthy one answers', async () => {
    const at = world();
    expect(await at.outcome(at.control.guardAsk.check(M), 5_001)).toMatchObject({ outcome: 'answered', session: 's1' });
    at.crash();
    expect(await at.outcome(at.control.guardAsk.check(M), 5_001)).toMatchObject({ outcome: 'unknown' });
    expect(await at.outcome(at.control.probe.ask({ kind: 'tcp', address: 'a', port: 1 }, 1_000), 500)).toBe('silent');
  });
});
