import { setImmediate as settle } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { MemoryClock } from '../../../adapters/memory/memory-clock.ts';
import { MemoryWatchdog } from '../../../adapters/memory/memory-watchdog.ts';
import { createGuardShell } from '../../../agent/guard/shell.ts';
import { firstState } from '../../../core/lease/guard-state.ts';
import { EMPTY_LEDGER, type Ledger, slotKey } from '../../../core/lease/ledger.ts';
import type { AgentMessage, GuardMessage } from '../../../core/protocol/guard-link.ts';
import { instant } from '../../../core/time/time.ts';
import { TIMING } from '../../core/lease/host-model.ts';

/** A disk that answers when it is told to. */
class Disk {
  readonly asked: { readonly ledger: Ledger; readonly done: () => void; readonly failed: (why: Error) => void }[] = [];
  onDisk: Ledger = EMPTY_LEDGER;
  isPrompt = true;

  write(ledger: Ledger): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.onDisk = ledger;
        resolve();
      };
      if (this.isPrompt) done();
      else this.asked.push({ ledger, done, failed: reject });
    });
  }
}

/** A guard's shell among twins. Registered at 0 with the timing of the host model: L_h 2800, w 400, s 300. */
class Bench {
  readonly clock = new MemoryClock();
  readonly disk = new Disk();
  readonly heard: GuardMessage[] = [];
  readonly logged: string[] = [];
  /** What the ending was asked to do, in order. */
  readonly did: string[] = [];
  readonly watchdog: MemoryWatchdog;
  endings: (ref: string) => Promise<boolean> = () => Promise.resolve(true);
  isExited = false;
  readonly shell;

  constructor(readsBackMs?: number) {
    const { clock } = this;
    const onFire = (): void => void this.did.push('the watchdog fires');
    this.watchdog = new MemoryWatchdog(readsBackMs === undefined ? { clock, onFire } : { clock, onFire, readsBackMs });
    let sessions = 1;
    this.shell = createGuardShell(firstState({ session: 's1', level: 'watchdog', ledger: EMPTY_LEDGER }), {
      clock: this.clock.boot,
      ids: { next: () => `s${++sessions}` },
      watchdog: this.watchdog,
      ledger: this.disk,
      ending: {
        terminate: (entries) => void this.did.push(`terminate ${entries.map(slotKey).join(' ')}`),
        end: (ref, cleanup) => {
          this.did.push(`end ${slotKey(ref)}${cleanup.map(({ service }) => ` and clean up ${service}`).join('')}`);
          return this.endings(slotKey(ref));
        },
        endAgent: () => Promise.resolve(true),
        endServices: () => Promise.resolve(true),
      },
      agent: {
        send: (message) => void this.heard.push(message),
        end: () => {
          this.did.push('end the agent');
          return Promise.resolve(true);
        },
      },
      log: (_, text) => void this.logged.push(text),
      exit: () => {
        this.isExited = true;
      },
    });
  }

  say(message: AgentMessage): void {
    this.shell.handle({ type: 'agent', message });
  }

  /** Ticks every p until `ms` have passed. */
  async run(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 100) {
      await this.clock.advance(100);
      this.shell.handle({ type: 'tick' });
    }
    await settle();
  }

  answers(): string[] {
    return this.heard.flatMap((message) => {
      if (message.type === 'leave') return [`leave ${message.id}: ${message.granted ? 'granted' : message.why}`];
      if (message.type === 'release') return [`release ${message.id}: ${message.released ? 'released' : message.why}`];
      return message.type === 'session' ? [`be ${message.session}`] : [];
    });
  }

  askLeave(id: number, group: string): void {
    const cleanup = [{ service: `${group}-ip`, argv: ['/bin/true'], env: {}, timeoutMs: 1_000 }];
    this.say({ type: 'leave', id, request: { group, slot: 0, epoch: 1, session: 's1', covered: true, cleanup } });
  }

  static async registered(): Promise<Bench> {
    const bench = new Bench();
    bench.say({ type: 'arm', session: 's1', timing: TIMING });
    await settle();
    bench.say({ type: 'registered', session: 's1', sentAt: instant(0), answeredAt: instant(0) });
    return bench;
  }
}

describe('the disk', () => {
  test('S6: a leave is answered only after the ledger that lists it is written', async () => {
    const bench = await Bench.registered();
    bench.disk.isPrompt = false;
    bench.askLeave(1, 'a');
    await settle();
    expect(bench.answers()).toEqual([]);
    expect(bench.disk.asked[0]?.ledger.entries).toMatchObject([{ group: 'a', epoch: 1 }]);
    bench.disk.asked[0]?.done();
    await settle();
    expect(bench.answers()).toEqual(['leave 1: granted']);
  });

  test('a disk that fails gives no leave and no release, and the next one may', async () => {
    const bench = await Bench.registered();
    bench.disk.isPrompt = false;
    bench.askLeave(1, 'a');
    bench.disk.asked[0]?.failed(new Error('ENOSPC'));
    await settle();
    bench.say({ type: 'release', id: 2, ref: { group: 'b', slot: 0, epoch: 4 } });
    await settle();
    bench.disk.asked[1]?.failed(new Error('ENOSPC'));
    await settle();
    expect(bench.answers()).toEqual([
      'leave 1: the ledger cannot be written',
      'release 2: the ledger cannot be written',
    ]);
    expect(bench.logged).toContain('the ledger cannot be written: ENOSPC; no leave and no release is given');
    bench.disk.isPrompt = true;
    bench.askLeave(3, 'a');
    await settle();
    expect(bench.answers().at(-1)).toBe('leave 3: granted');
  });

  test('S4 S5: while it hangs the guard feeds, stops, kills, and lets the watchdog starve if nothing is proven', async () => {
    const bench = await Bench.registered();
    bench.askLeave(1, 'a');
    await settle();
    bench.disk.isPrompt = false;
    bench.askLeave(2, 'b');
    bench.endings = () => Promise.resolve(false);
    await bench.run(1_900);
    expect(bench.watchdog.fedAt.at(-1)).toBe(1_900);
    expect(bench.did).toEqual(['terminate a/0 b/0']);
    await bench.run(600);
    expect(bench.did.slice(1, 4)).toEqual(['end the agent', 'end a/0 and clean up a-ip', 'end b/0 and clean up b-ip']);
    expect(bench.watchdog.fedAt.at(-1)).toBe(2_000);
    expect(bench.did).toContain('the watchdog fires');
    expect(bench.answers()).toEqual(['leave 1: granted']);
  });

  test('a leave that the disk held until everything was stopped is not given any more', async () => {
    const bench = await Bench.registered();
    bench.disk.isPrompt = false;
    bench.askLeave(1, 'a');
    await bench.run(2_500);
    for (const { done } of bench.disk.asked) done();
    await settle();
    expect(bench.answers()).toEqual(['leave 1: a/0 was stopped meanwhile']);
    expect(bench.watchdog.hasFired).toBe(false);
  });

  test('a new session is told when it is on disk', async () => {
    const bench = await Bench.registered();
    bench.say({ type: 'ready' });
    bench.disk.isPrompt = false;
    bench.say({ type: 'refused', session: 's1', found: 'revoked:run' });
    await settle();
    expect(bench.answers()).toEqual(['be s1']);
    bench.disk.asked[0]?.done();
    await settle();
    expect(bench.answers()).toEqual(['be s1', 'be s2']);
    expect(bench.disk.onDisk.sessions).toEqual(['s1', 's2']);
  });
});

describe('ending', () => {
  test('one kill at a time; one that throws has proven nothing and is tried again', async () => {
    const bench = await Bench.registered();
    bench.askLeave(1, 'a');
    await settle();
    let hang: (isEnded: boolean) => void = () => undefined;
    bench.endings = () => new Promise((resolve) => (hang = resolve));
    await bench.run(2_300);
    expect(bench.did.filter((what) => what.startsWith('end a/0'))).toHaveLength(1);
    bench.endings = () => Promise.reject(new Error('/proc is gone'));
    hang(false);
    await bench.run(100);
    expect(bench.logged).toContain('ending a/0 failed: /proc is gone');
    bench.endings = () => Promise.resolve(true);
    await bench.run(100);
    expect(bench.shell.state().ledger.entries).toEqual([]);
    expect(bench.disk.onDisk.entries).toEqual([]);
  });

  test('a release is probed with its cleanup; what still runs is not released', async () => {
    const bench = await Bench.registered();
    bench.askLeave(1, 'a');
    await settle();
    bench.endings = () => Promise.resolve(false);
    bench.say({ type: 'release', id: 2, ref: { group: 'a', slot: 0, epoch: 1 } });
    await settle();
    bench.endings = () => Promise.resolve(true);
    bench.say({ type: 'release', id: 3, ref: { group: 'a', slot: 0, epoch: 1 } });
    await settle();
    expect(bench.did).toEqual(['end a/0 and clean up a-ip', 'end a/0 and clean up a-ip']);
    expect(bench.answers().slice(1)).toEqual(['release 2: something of a/0 is still running', 'release 3: released']);
    expect(bench.disk.onDisk.floors).toEqual({ 'a/0': 1 });
  });

  test('drained with nothing left: the process ends in good order', async () => {
    const bench = await Bench.registered();
    bench.say({ type: 'drained' });
    expect(bench.isExited).toBe(false);
    bench.shell.handle({ type: 'drain' });
    bench.say({ type: 'drained' });
    expect(bench.isExited).toBe(true);
  });
});

describe('V5: the watchdog', () => {
  test('armed as asked is answered, and only then', async () => {
    const bench = new Bench();
    bench.say({ type: 'arm', session: 's1', timing: TIMING });
    expect(bench.heard).toEqual([]);
    await settle();
    expect(bench.heard).toEqual([{ type: 'armed', level: 'watchdog' }]);
  });

  test('that takes another time-out than asked for is no watchdog: no answer, so no registration', async () => {
    const bench = new Bench(60_000);
    bench.say({ type: 'arm', session: 's1', timing: TIMING });
    await settle();
    expect(bench.heard).toEqual([]);
    expect(bench.logged.join()).toMatch(/^watchdog refused: .*60000 ms, not 400 ms/);
  });

  test('armed for a timing that is no longer asked for is no answer', async () => {
    const bench = new Bench();
    bench.say({ type: 'arm', session: 's1', timing: TIMING });
    bench.say({ type: 'arm', session: 's1', timing: { ...TIMING, watchdogMs: 600 } });
    await settle();
    expect(bench.heard).toEqual([{ type: 'armed', level: 'watchdog' }]);
  });
});
