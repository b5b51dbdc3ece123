/** What `/proc` says about one process. */
import { readFileSync, readdirSync } from 'node:fs';

const KERNEL_THREAD = 0x0020_0000;
/** A process this young that shows no environment may be half-way through `exec`. In clock ticks. */
const YOUNG_TICKS = 100;

export interface ProcessStat {
  /** At most 15 characters, and whatever the process says. */
  readonly name: string;
  readonly state: string;
  readonly parent: number;
  readonly session: number;
  readonly flags: number;
  readonly threads: number;
  /** Clock ticks after boot at which it started; with the pid it names a process for ever. */
  readonly startTicks: number;
}

/** `/proc/PID/stat`; the command name may hold spaces and brackets, so fields are counted from its last bracket. */
export function processStat(pid: number): ProcessStat | undefined {
  const text = read(`/proc/${String(pid)}/stat`);
  if (text === undefined || text === '') return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    name: text.slice(text.indexOf('(') + 1, text.lastIndexOf(')')),
    state: fields[0] ?? '',
    parent: Number(fields[1]),
    session: Number(fields[3]),
    flags: Number(fields[6]),
    threads: Number(fields[17]),
    startTicks: Number(fields[19]),
  };
}

/** Start of a process in clock ticks after boot; undefined if there is no such process. Tells a reused pid from the old one. */
export function processStart(pid: number): number | undefined {
  return processStat(pid)?.startTicks;
}

/** A zombie holds nothing any more, unless other threads of it still run. */
export function isDead(stat: ProcessStat): boolean {
  return (stat.state === 'Z' || stat.state === 'X') && stat.threads <= 1;
}

/** No environment is shown between the two halves of `exec`. Kernel threads never have one. */
export function isMidExec(stat: ProcessStat, nowTicks: number): boolean {
  return (stat.flags & KERNEL_THREAD) === 0 && !isDead(stat) && nowTicks - stat.startTicks < YOUNG_TICKS;
}

/**
 * The environment a process was started with, entries ended by NUL; '' while it has none to show; undefined if it is gone
 * or of another user. A process whose first thread has ended shows it through its other threads.
 */
export function rawEnvironment(pid: number): string | undefined {
  const text = read(`/proc/${String(pid)}/environ`);
  if (text !== '') return text;
  const stat = processStat(pid);
  if (stat?.state !== 'Z' || stat.threads <= 1) return '';
  for (const thread of threadsOf(pid)) {
    const environment = read(`/proc/${String(pid)}/task/${thread}/environ`);
    if (environment !== undefined && environment !== '') return environment;
  }
  return '';
}

export function environmentOf(pid: number): Readonly<Record<string, string>> | undefined {
  const entries = rawEnvironment(pid)
    ?.split('\0')
    .filter((entry) => entry.includes('='));
  if (entries === undefined) return undefined;
  return Object.fromEntries(
    entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}

export function listPids(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** Now, in the unit of `startTicks` (USER_HZ is 100 wherever Node runs on Linux). */
export function uptimeTicks(): number {
  return Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 100;
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${String(pid)}/task`);
  } catch {
    return [];
  }
}

/** Without these the kernel did not look: that says nothing about the process. */
const NOT_LOOKED = ['EMFILE', 'ENFILE', 'ENOMEM'];

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (NOT_LOOKED.includes(code)) throw error;
    return undefined; // Gone, or of another user.
  }
}
