/**
 * The guard's shell: feeds events to `guardStep` and performs its effects. A tick never waits for a disk or a child:
 * effects behind a `save` wait for that save only, so that a slow disk can delay a leave but never a kill.
 */
import { messageOf } from '../../core/failures/failures.ts';
import { unreachable } from '../../core/failures/invariant.ts';
import { guardStep, nextSession } from '../../core/lease/guard.ts';
import type { Asked, GuardEffect, GuardEvent, GuardState } from '../../core/lease/guard-state.ts';
import { type Ledger, type LedgerEntry, slotKey } from '../../core/lease/ledger.ts';
import type { BootClock, FileStore, Ids, Watchdog } from '../../core/ports.ts';
import type { GuardMessage, SlotRef } from '../../core/protocol/guard-link.ts';
import type { Ending } from './effects.ts';

export interface GuardPorts {
  readonly clock: BootClock;
  readonly ids: Ids;
  readonly watchdog: Watchdog;
  readonly ledger: Pick<FileStore<Ledger>, 'write'>;
  readonly ending: Ending;
  readonly agent: { send(message: GuardMessage): void; end(): Promise<boolean> };
  readonly log: (level: 'info' | 'warn' | 'error', text: string) => void;
  /** Orderly end after a drain. */
  readonly exit: () => void;
}

export interface GuardShell {
  handle(event: GuardEvent): void;
  state(): GuardState;
}

export function createGuardShell(first: GuardState, ports: GuardPorts): GuardShell {
  let state = first;

  const shell: GuardShell = {
    handle(event) {
      const step = guardStep(state, event, ports.clock.now());
      state = step.state;
      perform(step.effects);
    },
    state: () => state,
  };

  const perform = (effects: readonly GuardEffect[]): void => {
    for (const [index, effect] of effects.entries()) {
      if (effect.do === 'save') return save(effect.ledger, effects.slice(index + 1));
      if (effect.do === 'new_session') newSession();
      else performOne(shell, ports, effect, true);
    }
  };

  const save = (ledger: Ledger, behind: readonly GuardEffect[]): void => {
    ports.ledger.write(ledger).then(
      () => perform(behind),
      (error: unknown) => {
        ports.log('error', `the ledger cannot be written: ${messageOf(error)}; no leave and no release is given`);
        for (const effect of behind) {
          if (effect.do === 'new_session') newSession();
          else performOne(shell, ports, effect, false);
        }
      },
    );
  };

  const newSession = (): void => {
    const step = nextSession(state, ports.ids.next());
    state = step.state;
    perform(step.effects);
  };

  return shell;
}

/** `isSaved`: the save before this effect, if there was one, is on disk. */
function performOne(shell: GuardShell, ports: GuardPorts, effect: GuardEffect, isSaved: boolean): void {
  switch (effect.do) {
    case 'save':
    case 'new_session':
      return; // Performed by the shell itself.
    case 'confirm_leave':
      return shell.handle({ type: 'leave_recorded', asked: effect.asked, request: effect.request, isSaved });
    case 'confirm_release':
      return shell.handle({ type: 'release_recorded', asked: effect.asked, isSaved });
    case 'confirm_session':
      return shell.handle({ type: 'session_recorded', session: effect.session });
    case 'feed':
      return ports.watchdog.feed();
    case 'send':
      return ports.agent.send(effect.message);
    case 'terminate':
      return ports.ending.terminate(effect.entries);
    case 'log':
      return ports.log(effect.level, effect.text);
    case 'exit':
      return ports.exit();
    case 'arm':
      return void arm(shell, ports, effect.timeoutMs);
    case 'kill':
      return void kill(shell, ports, effect.entries, effect.killAgent);
    case 'probe_release':
      return void probeRelease(shell, ports, effect);
    default:
      return unreachable(effect);
  }
}

/** A watchdog that cannot be armed as asked is no watchdog: no answer, no registration (V5). */
async function arm(shell: GuardShell, ports: GuardPorts, timeoutMs: number): Promise<void> {
  try {
    await ports.watchdog.arm(timeoutMs);
  } catch (error) {
    return ports.log('error', `watchdog refused: ${messageOf(error)}`);
  }
  const { timing, level } = shell.state();
  // Another timing may have been asked for meanwhile: this is no answer to that.
  if (timing?.watchdogMs === timeoutMs) ports.agent.send({ type: 'armed', level });
}

async function kill(
  shell: GuardShell,
  ports: GuardPorts,
  entries: readonly LedgerEntry[],
  killAgent: boolean,
): Promise<void> {
  const isAgentGone = !killAgent || (await attempt(ports, 'ending the agent', () => ports.agent.end()));
  const ended = await Promise.all(entries.map((entry) => end(ports, entry, entry)));
  const keys = entries.filter((_, index) => ended[index] === true).map(slotKey);
  shell.handle({ type: 'proven', keys, isStopped: isAgentGone });
}

async function probeRelease(
  shell: GuardShell,
  ports: GuardPorts,
  { asked, ref, entry }: { readonly asked: Asked; readonly ref: SlotRef; readonly entry: LedgerEntry | null },
): Promise<void> {
  shell.handle({ type: 'release_probed', asked, ref, isStopped: await end(ports, ref, entry) });
}

function end(ports: GuardPorts, ref: Pick<SlotRef, 'group' | 'slot'>, entry: LedgerEntry | null): Promise<boolean> {
  return attempt(ports, `ending ${slotKey(ref)}`, () => ports.ending.end(ref, entry?.cleanup ?? []));
}

/** What fails has proven nothing; the next round tries again. */
async function attempt(ports: GuardPorts, what: string, ending: () => Promise<boolean>): Promise<boolean> {
  try {
    return await ending();
  } catch (error) {
    ports.log('error', `${what} failed: ${messageOf(error)}`);
    return false;
  }
}
