import { describe, expect, test } from '@jest/globals';
import { EVERYWHERE, Trial } from './trial.ts';

const M1 = 'i-00000000000000001';

describe('a guard that stands still or dies', () => {
  test.each(['init', 'watchdog'] as const)(
    'level %s: everything covered is dead by the deadline and b, whenever it was stopped',
    async (level) => {
      for (let seed = 1; seed <= 12; seed += 1) {
        const trial = new Trial({ level, seed });
        await trial.running();
        await trial.run(137 * seed);
        const untilMs = trial.belief()?.untilMs ?? 0;
        trial.hosts.signal('h1', 'guard', 'stop');
        await trial.run(14_000);
        const ends = trial.of('service_down');
        expect(ends).toHaveLength(2);
        for (const { at } of ends) expect(at).toBeLessThanOrEqual(untilMs + 500);
        // A fresh guard takes over in a new session, on the same boot or a new one.
        await trial.until('a fresh guard has registered', () => trial.isRegistered());
        const resets = trial.of('machine').filter(({ host, now }) => host === 'h1' && now === 'reset');
        expect(resets).toHaveLength(level === 'watchdog' ? 1 : 0);
      }
    },
  );

  test.each(['init', 'watchdog'] as const)('level %s: a killed guard takes all processes with it', async (level) => {
    const trial = new Trial({ level });
    await trial.running(EVERYWHERE);
    const killedAt = trial.timeline.now();
    trial.hosts.signal('h1', 'guard', 'kill');
    await trial.run(10_000);
    const ends = trial.of('service_down');
    expect(ends).toHaveLength(4);
    // Init notices at once; a watchdog after w.
    for (const { at } of ends) expect(at).toBeLessThanOrEqual(killedAt + (level === 'init' ? 500 : 2_500));
  });

  test('level none: nothing bounds it', async () => {
    const trial = new Trial({ level: 'none' });
    await trial.running();
    trial.hosts.signal('h1', 'guard', 'kill');
    await trial.run(60_000);
    expect(trial.services()).toHaveLength(2);
    expect(trial.belief()).toBeNull();
    expect(trial.hosts.power.checkGuard(M1)).toEqual({ outcome: 'unknown', says: 'no guard answers on this host' });
  });

  test('a stopped agent and a stopped guard take no step until they are continued', async () => {
    const trial = new Trial({ level: 'none' });
    await trial.running();
    trial.hosts.signal('h1', 'guard', 'stop');
    trial.hosts.signal('h1', 'agent', 'stop');
    await trial.run(1_100);
    const facts = trial.ofHost('h1').length;
    const before = trial.heartbeat()?.seq;
    await trial.run(60_000);
    expect(trial.heartbeat()?.seq).toBe(before);
    expect(trial.ofHost('h1').length).toBe(facts);
    trial.hosts.signal('h1', 'guard', 'continue');
    await trial.until('what is covered has ended', () => trial.services().length === 0, 2_000);
  });
});

describe('a machine', () => {
  test('after a crash nothing of it takes another step; it boots in place with a new session', async () => {
    const trial = new Trial();
    await trial.running(EVERYWHERE);
    const launchTime = trial.hosts.power.view(M1)?.launchTime;
    const changes: string[] = [];
    trial.hosts.power.onChange((machine, now) => void changes.push(`${machine} ${now}`));
    trial.hosts.crash('h1');
    const old = trial.heartbeat();
    const facts = trial.ofHost('h1').length;
    await trial.run(30_000);
    expect(trial.services()).toEqual([]);
    expect(trial.heartbeat()?.seq).toBe(old?.seq);
    expect(trial.ofHost('h1').length).toBe(facts);
    expect(trial.hosts.power.view(M1)).toMatchObject({ power: 'off', launchTime });
    expect(trial.hosts.power.checkGuard(M1)).toBeNull();

    trial.hosts.boot('h1');
    await trial.until('it has registered', () => trial.heartbeat()?.session !== old?.session);
    expect(trial.heartbeat()?.bootId).not.toBe(old?.bootId);
    expect(trial.heartbeat()?.launchTime).toBe(launchTime);
    expect(changes).toEqual([`${M1} off`, `${M1} on`]);
  });

  test('each stop and start is a new launch', async () => {
    const trial = new Trial();
    await trial.running();
    const old = trial.heartbeat();
    trial.hosts.power.powerOff(M1);
    trial.hosts.power.powerOn(M1);
    await trial.until('it has registered', () => trial.heartbeat()?.session !== old?.session);
    expect(trial.heartbeat()?.launchTime).toBe(trial.hosts.power.view(M1)?.launchTime);
    expect(trial.heartbeat()?.launchTime).not.toBe(old?.launchTime);
  });

  test('a reboot is a new boot of the same launch', async () => {
    const trial = new Trial();
    await trial.running();
    const old = trial.heartbeat();
    trial.hosts.reboot('h1');
    expect(trial.services()).toEqual([]);
    await trial.until('it has registered', () => trial.heartbeat()?.session !== old?.session);
    expect(trial.heartbeat()?.launchTime).toBe(old?.launchTime);
    expect(trial.heartbeat()?.bootId).not.toBe(old?.bootId);
  });

  test('a crash at one of its calls comes there, whatever was under way', async () => {
    for (let calls = 1; calls <= 24; calls += 1) {
      const trial = new Trial({ seed: calls });
      await trial.assign([]);
      trial.hosts.power.powerOff(M1);
      await trial.run(10);
      trial.hosts.boot('h1');
      trial.hosts.crashAtCall('h1', calls);
      await trial.until('it crashed', () => trial.hosts.power.view(M1)?.power === 'off', 30_000);
      const steps = trial.ofHost('h1').length;
      await trial.run(5_000);
      expect(trial.ofHost('h1').length).toBe(steps);
      trial.hosts.boot('h1');
      await trial.running();
      expect(trial.of('bug')).toEqual([]);
    }
  });

  test.each([
    { isSeen: true, late: 0 },
    { isSeen: false, late: 5_000 },
  ])('a freeze that its clock sees ($isSeen) moves its deadline by $late', async ({ isSeen, late }) => {
    const trial = new Trial();
    await trial.running();
    const before = trial.belief()?.untilMs ?? 0;
    const frozenAt = trial.timeline.now();
    trial.cut.add('h1');
    trial.hosts.freeze('h1', isSeen);
    await trial.run(5_000);
    expect(trial.of('beat').filter(({ at, host }) => host === 'h1' && at > frozenAt)).toEqual([]);
    expect(trial.hosts.truth()[0]).toMatchObject({ isFrozen: true, power: 'on' });
    trial.hosts.thaw('h1');
    expect(trial.belief()?.untilMs).toBeCloseTo(before + late, 3);
    await trial.run(30_000);
    expect(trial.services()).toEqual([]);
  });

  test('with a full disk no leave is given; when there is room again the order is obeyed', async () => {
    const trial = new Trial();
    await trial.assign([]);
    await trial.until('it is registered', () => trial.heartbeat() !== undefined);
    trial.hosts.setDiskFull('h1', true);
    await trial.assign([trial.order('start', 1)]);
    await trial.run(10_000);
    expect(trial.services()).toEqual([]);
    trial.hosts.setDiskFull('h1', false);
    await trial.until('it runs', () => trial.services().length === 2);
  });

  test('a guard that cannot write its ledger at its start is started again until it can', async () => {
    const trial = new Trial();
    await trial.running();
    trial.hosts.setDiskFull('h1', true);
    trial.hosts.reboot('h1');
    await trial.run(20_000);
    expect(trial.belief()).toBeNull();
    expect(trial.of('bug')).toEqual([]);
    trial.hosts.setDiskFull('h1', false);
    await trial.until('it is registered', () => trial.isRegistered());
  });

  test('a clone is refused while the session of the original lives', async () => {
    const trial = new Trial();
    await trial.running();
    const session = trial.heartbeat()?.session;
    trial.hosts.clone('h1');
    await trial.run(30_000);
    expect(trial.heartbeat()?.session).toBe(session);
    expect(trial.services().map(({ machine }) => machine)).toEqual([M1, M1]);
    const said = trial
      .of('log')
      .filter(({ who, says }) => who.startsWith(`${M1}~clone1`) && says.includes('two machines'));
    expect(said).toHaveLength(1);
    trial.hosts.endClone('h1');
    expect(trial.hosts.truth().map(({ machine, power }) => `${machine} ${power}`)).toEqual([
      `${M1} on`,
      'i-00000000000000002 on',
      `${M1}~clone1 terminated`,
    ]);
  });

  test('a replacement is another machine with another principal and an empty disk', async () => {
    const trial = new Trial();
    await trial.running();
    const before = trial.hosts.principalOf('h1');
    trial.hosts.replace('h1', 'i-00000000000000009');
    expect(trial.hosts.principalOf('h1')).not.toBe(before);
    expect(trial.hosts.power.view(M1)?.power).toBe('terminated');
    await trial.running();
    expect(trial.heartbeat()?.machine).toBe('i-00000000000000009');
  });

  test('services that hang, lie, die and do not start', async () => {
    const trial = new Trial();
    await trial.running();
    trial.hosts.killService('h1', 4);
    expect(trial.services()).toHaveLength(1);
    await trial.until('it is restarted', () => trial.services().length === 2, 5_000);
    trial.hosts.setServices('h1', 'lies', true);
    trial.hosts.setServices('h1', 'start_fails', true);
    await trial.run(20_000);
    trial.hosts.setServices('h1', 'lies', false);
    trial.hosts.setServices('h1', 'start_fails', false);
    trial.hosts.setServices('h1', 'stop_hangs', true);
    await trial.assign([trial.order('release', 1)]);
    await trial.until('all were killed', () => trial.services().length === 0, 20_000);
    expect(trial.of('bug')).toEqual([]);
  });
});
