import { describe, expect, test } from '@jest/globals';
import { EVERYWHERE, Trial } from './trial.ts';

describe('a simulated host', () => {
  test('registers, beats, obeys a start and a release, and never starts the released epoch again', async () => {
    const trial = new Trial();
    await trial.assign([]);
    await trial.until('it is registered', () => trial.heartbeat() !== undefined);
    expect(trial.heartbeat()).toMatchObject({ host: 'h1', machine: 'i-00000000000000001', guardLevel: 'init' });

    const start = trial.order('start', 3);
    await trial.assign([start]);
    await trial.until('both services run', () => trial.services().length === 2);
    expect(trial.names()).toEqual(['db/0 store e3', 'db/0 api e3']);
    expect(trial.services()[0]).toMatchObject({ covered: true, session: trial.heartbeat()?.session });
    await trial.run(3_000);
    expect(await trial.report(start)).toBe('started');
    expect(trial.heartbeat()?.seq).toBeGreaterThan(3);
    expect(trial.belief()).toMatchObject({ slots: [{ where: 'db/0', epoch: 3, covered: true }], isStopping: false });

    const release = trial.order('release', 3);
    await trial.assign([release]);
    await trial.run(3_000);
    expect(await trial.report(release)).toBe('released');
    expect(trial.services()).toEqual([]);
    expect(trial.belief()?.slots).toEqual([]);

    const again = trial.order('start', 3);
    await trial.assign([{ ...again, id: 'again' }]);
    await trial.run(5_000);
    expect(await trial.report({ ...again, id: 'again' })).toBe('refused');
    expect(trial.services()).toEqual([]);
    expect(trial.of('bug')).toEqual([]);
  });

  test('a killed agent is replaced, and services and session live on', async () => {
    const trial = new Trial();
    await trial.running();
    const pids = trial.services().map(({ pid }) => pid);
    const session = trial.heartbeat()?.session;
    trial.hosts.signal('h1', 'agent', 'kill');
    await trial.run(30_000);
    expect(trial.services().map(({ pid }) => pid)).toEqual(pids);
    expect(trial.heartbeat()?.session).toBe(session);
    const agents = trial.of('process').filter(({ host, role }) => host === 'h1' && role === 'agent');
    expect(agents.map(({ now, why }) => `${now} ${why}`)).toEqual(['started ', 'ended SIGKILL', 'started ']);
  });

  test('a stopped agent changes nothing about the guard: covered services end in time, others run on', async () => {
    const trial = new Trial();
    await trial.running(EVERYWHERE);
    const untilMs = trial.belief()?.untilMs ?? 0;
    trial.hosts.signal('h1', 'agent', 'stop');
    await trial.until('what is covered has ended', () => trial.services().length === 2, 12_000);
    // Asked to end at deadline − (s + 2w), and a p later by the guard itself.
    expect(trial.timeline.now()).toBeLessThan(untilMs - 3_500);
    expect(trial.names()).toEqual(['web/0 store e1', 'web/0 api e1']);
    // An agent that does not answer is killed; its successor goes on in the same session.
    await trial.until('what was stopped for the lease runs again', () => trial.services().length === 4);
    const agents = trial.of('process').filter(({ host, role }) => host === 'h1' && role === 'agent');
    expect(agents.map(({ now, why }) => `${now} ${why}`)).toEqual(['started ', 'ended SIGKILL', 'started ']);
    expect(trial.of('bug')).toEqual([]);
  });

  test('one that is cut off stops what is covered before its deadline', async () => {
    const trial = new Trial({ clockRate: 1.0009 });
    await trial.running(EVERYWHERE);
    trial.cut.add('h1');
    await trial.run(900); // What was on its way when the link went has come.
    const untilMs = trial.belief()?.untilMs ?? 0;
    await trial.run(20_000);
    const ends = trial.of('service_down').filter(({ life }) => life.covered);
    expect(ends).toHaveLength(2);
    for (const { at } of ends) expect(at).toBeLessThan(untilMs - 4_000);
    expect(trial.names()).toEqual(['web/0 store e1', 'web/0 api e1']);
    trial.cut.delete('h1');
    await trial.until('it runs again', () => trial.services().length === 4);
  });

  test('a refused renewal ends the session at once', async () => {
    const trial = new Trial();
    await trial.running();
    const session = trial.heartbeat()?.session;
    expect(await trial.revoke()).toBe('revoked');
    await trial.until('nothing covered runs', () => trial.services().length === 0, 4_000);
    await trial.run(3_000);
    expect(trial.heartbeat()?.session).not.toBe(session);
    expect(trial.heartbeat()?.session).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('a shutdown in good order reports the session closed, then the power goes', async () => {
    const trial = new Trial();
    await trial.running();
    const session = trial.heartbeat()?.session ?? '';
    trial.hosts.power.shutDown?.('i-00000000000000001');
    await trial.until('the power is off', () => trial.hosts.power.view('i-00000000000000001')?.power === 'off', 9_000);
    expect(await trial.report({ ...trial.order('start', 1), id: `closed.${session}` })).toBe('released');
    const why = trial.of('service_down').map((fact) => fact.why);
    expect(why).toEqual(['stopped', 'stopped']);
  });

  test('two runs of one seed tell the same facts, whatever ran in between; another seed tells others', async () => {
    const story = async (seed: number): Promise<string> => {
      const trial = new Trial({ seed });
      await trial.running(EVERYWHERE);
      trial.hosts.crashAtCall('h1', 7);
      await trial.run(4_000);
      trial.hosts.boot('h1');
      trial.hosts.setServices('h1', 'slow_host', true);
      await trial.run(20_000);
      return trial.story();
    };
    const first = await story(5);
    expect(await story(6)).not.toBe(first);
    expect(await story(5)).toBe(first);
  });
});
