/** Services that overwrite, drop or never show the marks by which processes are found; searched here without our own code. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { endMarked } from '../../../adapters/node/processes.ts';
import { service } from '../../core/supervision/fixtures.ts';
import { type Bench, openBench, orderOf, QUICK, readLines, until } from './bench.ts';

let bench: Bench;
/** A word in the command line of every process that is to be found. */
let word: string;
beforeEach(() => {
  bench = openBench();
  word = `1000.0${process.pid}${bench.mark.length}${Math.floor(performance.now())}`;
});
afterEach(async () => {
  await bench.end();
  for (const pid of byWord()) process.kill(pid, 'SIGKILL');
});

function processFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
}

/** The living whose command line holds the word, leaders left out. */
function byWord(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid)
    .filter((pid) => processFile(pid, 'cmdline').includes(word) && !processFile(pid, 'cmdline').includes('holdfast-'));
}

const SHORT = { start: { timeoutMs: 5_000, attempts: 1 }, stop: { timeoutMs: 200, attempts: 1 } };

const showsMark = (pid: number) => processFile(pid, 'environ').includes(bench.mark);

const KINDS: readonly (readonly [string, () => readonly string[], number])[] = [
  ['drops its environment', () => ['env', '-i', 'sleep', word], 1],
  ['drops it and starts others', () => ['env', '-i', 'sh', '-c', `sleep ${word} & sleep ${word}; :`], 3],
  ['overwrites it', () => ['perl', '-e', `$0 = "${word} " . "x" x 4000; sleep 1000`], 1],
];
/** After a clean stop their parent is gone: such children escape the agent. */
const LEAVING: (typeof KINDS)[number] = [
  'has children that leave its session',
  () => ['sh', '-c', `env -i setsid sleep ${word} & wait`],
  2,
];

async function start(command: readonly string[], count: number) {
  const order = orderOf('start', 1, [service('base', { ...QUICK, command })]);
  const supervisors = bench.supervisors();
  supervisors.obey(order);
  await until(() => bench.reports.includes('start-1 started'), 'started');
  await until(() => byWord().length === count && byWord().some((pid) => !showsMark(pid)), 'all of it, hidden');
  return supervisors;
}

describe('a service that hides', () => {
  test.each([...KINDS, LEAVING])('%s: the guard ends it by the marks of its slot', async (_, command, count) => {
    await start(command(), count);
    bench.guard.grants = false; // Nothing is to start again: the supervisors live on, which an agent's would not.
    expect(await endMarked([`HOLDFAST_INSTANCE=${bench.mark}`, 'HOLDFAST_SLOT=test/shop/0'])).toBe('ended');
    expect(byWord()).toEqual([]);
  });

  test.each(KINDS)('%s: the agent stops it, too', async (_, command, count) => {
    const supervisors = await start(command(), count);
    supervisors.obey(orderOf('release', 1, [service('base', { ...QUICK, command: command() })]));
    await until(() => bench.reports.includes('release-1 released'), 'released');
    expect(byWord()).toEqual([]);
    expect(bench.pids('base')).toEqual([]);
  });

  test('what its main process leaves behind is stopped before anything starts again', async () => {
    const command = ['sh', '-c', `env -i sleep ${word} & exec env -i sleep ${word}`];
    const supervisors = await start(command, 2);
    bench.guard.grants = false; // Nothing is to start again.
    process.kill(bench.main('base'), 'SIGKILL');
    await until(() => supervisors.reports()[0]?.detail?.startsWith('no leave') === true, 'stopped and asking');
    expect(byWord()).toEqual([]);
    expect(bench.pids('base')).toEqual([]);
  });

  test('a leader that somebody kills alone: the service is stopped before it starts again', async () => {
    const supervisors = await start(['env', '-i', 'sleep', word], 1);
    bench.guard.grants = false;
    process.kill(bench.leader('base'), 'SIGKILL');
    await until(() => supervisors.reports()[0]?.detail?.startsWith('no leave') === true, 'stopped and asking');
    expect(byWord()).toEqual([]);
  });
});

describe('the leader', () => {
  const startWith = async (script: string, params: Readonly<Record<string, string>> = {}) => {
    bench.supervisors().obey(
      orderOf('start', 1, [
        service('base', {
          ...QUICK,
          ...{ actions: SHORT, params, command: ['sh', '-c', script, bench.journal, word] },
        }),
      ]),
    );
    await until(() => bench.reports.length === 1, 'a report');
  };

  test('hands down neither its traps nor its descriptor', async () => {
    const descriptor = `[ -e /proc/$$/fd/3 ] && echo open >> "$0" || echo closed >> "$0"`;
    await startWith(`grep -E 'Sig(Ign|Blk)' /proc/self/status >> "$0"; ${descriptor}; exec sleep 1000`);
    await until(() => bench.lines().length >= 3, 'written');
    expect(bench.lines()).toEqual(['SigBlk:\t0000000000000000', 'SigIgn:\t0000000000000000', 'closed']);
  });

  test('outlives every signal that its service can take, which reaches the service', async () => {
    const signals = ['HUP', 'INT', 'QUIT', 'USR1', 'USR2', 'ALRM', 'TERM'];
    const traps = signals.map((signal) => `trap 'echo ${signal} >> "$0"' ${signal};`).join(' ');
    await startWith(`${traps} echo up >> "$0"; while :; do sleep 0.01; done`);
    await until(() => bench.lines().length === 1, 'up');
    const leader = bench.leader('base');
    for (const [index, signal] of signals.entries()) {
      process.kill(-leader, `SIG${signal}`);
      await until(() => bench.lines().length === index + 2, signal);
    }
    expect(readLines(bench.journal)).toEqual(['up', ...signals]);
    expect(bench.leader('base')).toBe(leader);
  });

  test.each([
    ['exit 3', 'exit 3'],
    ['kill -9 $$', 'exit 137'],
  ])('tells how its service has ended: %s', async (script, words) => {
    // On a loaded machine even this takes longer than a service usually has to end at once.
    await startWith(script, { settleMs: '4000' });
    expect(bench.reports).toEqual([`start-1 failed: base: start_failed: start failed: ended at once with ${words}`]);
    expect(bench.pids('base')).toEqual([]);
  });

  test('runs no command of its shell', async () => {
    bench.supervisors().obey(orderOf('start', 1, [service('base', { ...QUICK, command: ['exec', 'sleep', word] })]));
    await until(() => bench.reports.length === 1, 'a report');
    expect(bench.reports[0]).toContain('exec: no such command');
  });
});

test('S20: a standby that finds the service running refuses, and stands by once it is gone', async () => {
  await start(['env', '-i', 'sleep', word], 1);
  const other = openBench();
  try {
    // Another state folder, the same machine.
    const supervisors = other.supervisorsOf(bench.mark);
    supervisors.obey(orderOf('standby', 2, [service('base', QUICK)]));
    await until(() => other.reports.length === 1, 'an answer');
    expect(other.reports).toEqual(['standby-2 refused: not proven stopped: base found running, started in epoch 1']);
    expect(supervisors.reports()[0]).toMatchObject({ epoch: 2, phase: 'Unknown', health: 'warn' });
    bench.guard.grants = false;
    await endMarked([`HOLDFAST_INSTANCE=${bench.mark}`, 'HOLDFAST_SLOT=test/shop/0']);
    await until(() => other.reports.includes('standby-2 standing-by'), 'probed again');
  } finally {
    await other.end();
  }
});
