/**
 * The guard's shell: feeds events to `guardStep` and performs its effects. A tick never waits for a disk or a child:
 * effects behind a `save` wait for that save only, so that a slow disk can delay a leave but never a kill.
 */
import type { FileStore } from '../../adapters/node/file-store.ts';
import { messageOf } from '../../core/failures/failures.ts';
import { unreachable } from '../../core/failures/invariant.ts';
import { type GuardEffect, type GuardEvent, guardStep, type GuardState, nextSession } from '../../core/lease/guard.ts';
import { type Ledger, type LedgerEntry, slotKey } from '../../core/lease/ledger.ts';
import type { BootClock, Ids, Watchdog } from '../../core/ports.ts';
import type { GuardMessage, SlotRef } from '../../core/protocol/guard-link.ts';
import type { Ending } from './effects.ts';

export interface GuardPorts {
  readonly clock: BootClock;
  readonly ids: Ids;
  readonly watchdog: Watchdog;
  readonly ledger: FileStore<Ledger>;
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
  let isKilling = false;

  const handle = (event: GuardEvent): void => {
    const step = guardStep(state, event, ports.clock.now());
    state = step.state;
    perform(step.effects);
  };

  const perform = (effects: readonly GuardEffect[]): void => {
    for (const [index, effect] of effects.entries()) {
      if (effect.do === 'save') {
        const rest = effects.slice(index + 1);
        ports.ledger.write(effect.ledger).then(
          () => perform(rest),
          (error: unknown) => {
            ports.log('error', `the ledger cannot be written: ${messageOf(error)}; no leave is given`);
            perform(rest.map(refuseUnsaved));
          },
        );
        return;
      }
      performOne(effect);
    }
  };

  const performOne = (effect: Exclude<GuardEffect, { do: 'save' }>): void => {
    switch (effect.do) {
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
        return void arm(effect.timeoutMs);
      case 'kill':
        return void kill(effect.entries, effect.killAgent);
      case 'probe_release':
        return void probeRelease(effect.id, effect.ref, effect.entry);
      case 'new_session': {
        const step = nextSession(state, ports.ids.next());
        state = step.state;
        return perform(step.effects);
      }
      default:
        return unreachable(effect);
    }
  };

  /** A watchdog that cannot be armed as asked is no watchdog: no answer, no registration (V5). */
  const arm = async (timeoutMs: number): Promise<void> => {
    try {
      await ports.watchdog.arm(timeoutMs);
      ports.agent.send({ type: 'armed', level: state.level });
    } catch (error) {
      ports.log('error', `watchdog refused: ${messageOf(error)}`);
    }
  };

  const kill = async (entries: readonly LedgerEntry[], killAgent: boolean): Promise<void> => {
    if (isKilling) return;
    isKilling = true;
    try {
      const isAgentGone = !killAgent || (await ports.agent.end());
      const ended = await Promise.all(entries.map((entry) => ports.ending.end(entry, entry.cleanup)));
      const keys = entries.filter((_, index) => ended[index] === true).map(slotKey);
      handle({ type: 'proven', keys, isStopped: isAgentGone && keys.length > 0 });
    } finally {
      isKilling = false;
    }
  };

  const probeRelease = async (id: number, ref: SlotRef, entry: LedgerEntry | null): Promise<void> => {
    const isStopped = await ports.ending.end(ref, entry?.cleanup ?? []);
    handle({ type: 'release_probed', id, ref, isStopped });
  };

  return { handle, state: () => state };
}

/** A leave or a release whose record did not reach the disk was not given. */
function refuseUnsaved(effect: GuardEffect): GuardEffect {
  if (effect.do !== 'send') return effect;
  const why = 'the ledger cannot be written';
  if (effect.message.type === 'leave') return { do: 'send', message: { ...effect.message, granted: false, why } };
  if (effect.message.type === 'release') return { do: 'send', message: { ...effect.message, released: false, why } };
  return effect;
}
