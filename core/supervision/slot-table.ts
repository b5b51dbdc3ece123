/** What a command does to a slot, by what the slot is to become: complete for every pair. */
import type { Want } from './state.ts';

/** `same`, `newer`: a start order, by its epoch. `lease`, `order`: stops. `standby-newer`: of a newer epoch than stands here. */
export type Command = 'same' | 'newer' | 'release' | 'lease' | 'order' | 'resume' | 'standby' | 'standby-newer';

export type Turn =
  | 'ignore'
  | 'begin'
  /** Up in the same epoch, with a new chance for what had failed. */
  | 'run'
  /** The remembered order has arrived again: what runs is kept, what does not is started. */
  | 'go-on'
  | 'answer'
  | 'replace'
  /** What is not covered goes on in the newer epoch, if it is the same; otherwise as `replace`. */
  | 'go-on-newer'
  | 'pause'
  | 'halt'
  | 'release'
  | 'release-again'
  | 'stand-by'
  | 'stand-by-if-released'
  | 'refuse';

const NOTHING_HERE = {
  same: 'begin',
  newer: 'begin',
  release: 'release',
  lease: 'ignore',
  order: 'ignore',
  resume: 'ignore',
  standby: 'stand-by',
  'standby-newer': 'stand-by',
} as const satisfies Record<Command, Turn>;

const UP = {
  same: 'answer',
  newer: 'go-on-newer',
  release: 'release',
  lease: 'pause',
  order: 'halt',
  resume: 'ignore',
  standby: 'refuse',
  'standby-newer': 'replace',
} as const satisfies Record<Command, Turn>;

const DOWN = { ...UP, newer: 'replace', lease: 'ignore', order: 'ignore' } as const satisfies Record<Command, Turn>;

export const SLOT_TABLE: Readonly<Record<Want, Readonly<Record<Command, Turn>>>> = {
  idle: NOTHING_HERE,
  standby: NOTHING_HERE,
  watch: { ...UP, same: 'go-on' },
  run: UP,
  // Only `resume` ends a pause: an order that is merely repeated does not know that the lease is away.
  pause: { ...DOWN, same: 'ignore', order: 'halt', resume: 'run' },
  halt: { ...DOWN, same: 'run' },
  // A failed start never loops (S15): the same epoch is answered again, not tried again.
  fail: DOWN,
  release: { ...DOWN, same: 'ignore', release: 'release-again', standby: 'stand-by-if-released' },
  replace: { ...DOWN, same: 'ignore', lease: 'pause' },
};
