/**
 * The host's assignment: read strongly whenever the directive number rises, and once a minute anyway. Numbers only
 * rise: an older assignment than one obeyed is never obeyed again.
 */
import { HaError, messageOf } from '../core/failures/failures.ts';
import type { FileStore, Registry, Timers } from '../core/ports.ts';
import { type Assignment, keys } from '../core/protocol/records.ts';
import { every, sleep } from './timers.ts';

/** Without a rise of the directive number an assignment is read this often. */
const REREAD_MS = 60_000;
const RETRY_MS = 200;

export interface AssignmentsOptions {
  readonly registry: Pick<Registry, 'get'>;
  readonly timers: Timers;
  readonly principal: string;
  readonly self: { readonly cluster: string; readonly host: string };
  /** The registry's incarnation that this host has worked under (S21). */
  readonly incarnation: FileStore<string>;
  readonly onAssignment: (assignment: Assignment) => void;
  readonly log: (level: 'info' | 'warn' | 'error', text: string) => void;
}

export interface Assignments {
  /** Waits until the control plane has written one. */
  first(): Promise<Assignment>;
  /** The store shows directive `n`. */
  noticed(n: number): void;
  /** The session changed: orders for it are read even if the number stands. */
  reread(): void;
  obeyed(): number;
  newest(): Assignment | null;
}

export function createAssignments(options: AssignmentsOptions): Assignments {
  let obeyed = 0;
  let wanted = 0;
  let newest: Assignment | null = null;
  let isReading = false;
  let isStale = false;
  const flag = flagOnce(options.log);

  const obey = (assignment: Assignment): void => {
    if (assignment.n < obeyed) return;
    newest = assignment;
    options.onAssignment(assignment);
    obeyed = assignment.n;
  };

  const readUntilCurrent = async (): Promise<void> => {
    if (isReading) return;
    isReading = true;
    while (isStale || wanted > obeyed) {
      isStale = false;
      try {
        const assignment = await readAssignment(options);
        if (assignment !== null) obey(assignment);
        flag('');
        // The number on the heartbeat may run ahead of what was read only if someone removed the assignment.
        if (assignment === null || assignment.n < wanted) await sleep(options.timers, RETRY_MS);
      } catch (error) {
        isStale = true;
        flag(`the assignment cannot be read: ${messageOf(error)}`);
        await sleep(options.timers, RETRY_MS);
      }
    }
    isReading = false;
  };
  const reread = (): void => {
    isStale = true;
    void readUntilCurrent();
  };
  every(options.timers, REREAD_MS, reread);

  return {
    first: () => firstAssignment(options, flag),
    noticed(n) {
      wanted = Math.max(wanted, n);
      if (wanted > obeyed) void readUntilCurrent();
    },
    reread,
    obeyed: () => obeyed,
    newest: () => newest,
  };
}

async function firstAssignment(options: AssignmentsOptions, flag: (text: string) => void): Promise<Assignment> {
  for (;;) {
    try {
      const assignment = await readAssignment(options);
      if (assignment !== null) return assignment;
      flag('waiting for the first assignment: is this host in an applied definition?');
    } catch (error) {
      flag(`waiting for the first assignment: ${messageOf(error)}`);
    }
    await sleep(options.timers, RETRY_MS);
  }
}

/** null: none is written yet. Throws on one that this host must not obey. */
async function readAssignment(options: AssignmentsOptions): Promise<Assignment | null> {
  const stored = await options.registry.get<Assignment>(keys.assignment(options.principal));
  if (stored === undefined) return null;
  const assignment = stored.body;
  const { cluster, host } = options.self;
  if (assignment.cluster !== cluster || assignment.host !== host) {
    const got = `${assignment.cluster}/${assignment.host}`;
    throw new HaError('protocol_mismatch', `the assignment is for ${got}, this host is ${cluster}/${host}`);
  }
  await checkIncarnation(assignment, options.incarnation);
  return assignment;
}

/** S21: under another incarnation nothing starts, moves or stops until an operator has recovered the registry. */
async function checkIncarnation(assignment: Assignment, store: FileStore<string>): Promise<void> {
  const known = await store.read();
  if (known.state === 'unreadable') {
    throw new HaError(
      'protocol_mismatch',
      `which registry this host has worked under cannot be read (${known.why}); nothing is obeyed`,
    );
  }
  if (known.state === 'read' && known.value !== assignment.incarnation) {
    const detail = `incarnation ${assignment.incarnation}, this host has worked under ${known.value}`;
    throw new HaError(
      'protocol_mismatch',
      `the registry was restored or replaced: ${detail}; nothing is obeyed until it is recovered`,
    );
  }
  if (known.state === 'absent') await store.write(assignment.incarnation);
}

/** Says the same thing once; '' ends it. */
function flagOnce(log: AssignmentsOptions['log']): (text: string) => void {
  let flagged = '';
  return (text) => {
    if (text !== '' && text !== flagged) log('warn', text);
    flagged = text;
  };
}
